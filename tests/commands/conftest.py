"""A tiny checkpoint and tiny files of one's own, and three runs that several tests use."""

import contextlib
import dataclasses
import io
import json
import pathlib

import numpy as np
import pytest
from safetensors.numpy import save_file
from training import toy

from power_bert_tf.cli import main
from power_bert_tf.measure.comparison import speedups
from power_bert_tf.modeling.checkpoints.huggingface import encoder_table
from power_bert_tf.runs import report

SIZES = {
    "model_type": "bert",
    "vocab_size": len(toy.VOCABULARY),
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 8,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}
# Enough epochs for the toy task to be learnt and for a search that drops something; of each step
# another number.
SINGLE = {
    "sequence-length": 12,
    "batch-size": 16,
    "learning-rate": 2e-2,
    "retention-learning-rate": 5e-2,
    "strength": 0.02,
    "fine-tuning-epochs": 7,
    "search-epochs": 4,
    "retraining-epochs": 3,
    "patience": 9,
    "no-control": True,
    "seed": 3,
}
# From a checkpoint that has learnt the task, on the opposite of it: slowly it forgets what the dev
# examples are about, so that the first epochs are the best and PoWER-BERT falls behind.
HARDER = {
    **SINGLE,
    "batch-size": 48,
    "learning-rate": 4e-3,
    "retention-learning-rate": 0.3,
    "strength": 0.05,
    "fine-tuning-epochs": 5,
    "search-epochs": 3,
    "retraining-epochs": 4,
    "no-control": None,
}
PAIRS = {
    "sequence-length": 16,
    "batch-size": 16,
    "retention": "9,4 of 16",
    "epochs": 1,
    "metric": "f1",
    "no-control": True,
}


def write_checkpoint(folder, **sizes):
    """A folder in the Hugging Face layout, with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**SIZES, **sizes}))
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in toy.VOCABULARY))
    write_weights(folder, toy.config())
    return folder


def write_weights(folder, config):
    """Random weights of the sizes in an `EncoderConfig`."""
    generator, tensors = np.random.default_rng(0), {}
    for path, name, shape in encoder_table(config):
        around = 1.0 if path.endswith("gamma") else 0.0
        tensors[name] = generator.normal(around, 0.2, shape).astype("float32")
    save_file(tensors, folder / "model.safetensors")


def write_tsv(path, examples):
    """Examples as a file of one's own."""
    columns = {"text": examples.texts}
    if examples.text_pairs is not None:
        columns["text_pair"] = examples.text_pairs
    columns["label"] = [
        examples.label_names[label] if examples.label_names else label for label in examples.labels
    ]
    rows = zip(*columns.values(), strict=True)
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What needs a whole run is slow."""
    for item in items:
        if {"finished_run", "pairs_run", "harder_run"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@dataclasses.dataclass(frozen=True)
class Materials:
    """What `power-bert fit` is given."""

    folder: pathlib.Path
    checkpoint: pathlib.Path
    train: pathlib.Path
    dev: pathlib.Path
    pairs_train: pathlib.Path
    pairs_dev: pathlib.Path
    opposite: pathlib.Path

    def fit(self, output, options=None, **changes):
        """The arguments of `power-bert fit`; `changes` by name with _, None leaves one out."""
        given = {
            "checkpoint": self.checkpoint,
            "output": output,
            "train": self.train,
            "dev": self.dev,
            **(SINGLE if options is None else options),
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        arguments = ["fit"]
        for name, value in given.items():
            if value is True:
                arguments.append(f"--{name}")
            elif value is not None:
                values = value if isinstance(value, list) else [value]
                arguments += [f"--{name}", *map(str, values)]
        return arguments


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run, the command that made it, and what that printed."""

    path: pathlib.Path
    arguments: list
    printed: str

    def json(self, name):
        return json.loads((self.path / name).read_text())


def snapshot(folder):
    """Every file below a folder, its time and its bytes."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        if path.is_file()
        else None
        for path in pathlib.Path(folder).rglob("*")
    }


@pytest.fixture(scope="session")
def materials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("materials")
    train = toy.examples(96, seed=1)
    opposite = dataclasses.replace(train, labels=1 - train.labels)
    return Materials(
        folder,
        write_checkpoint(folder / "checkpoint"),
        write_tsv(folder / "train.tsv", train),
        write_tsv(folder / "dev.tsv", toy.examples(32, seed=2)),
        write_tsv(folder / "pairs_train.tsv", toy.examples(32, seed=3, pairs=True)),
        write_tsv(folder / "pairs_dev.tsv", toy.examples(16, seed=4, pairs=True)),
        write_tsv(folder / "opposite.tsv", opposite),
    )


def run_to_the_end(path, arguments):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(arguments) == 0
    return Run(path, arguments, printed.getvalue())


@contextlib.contextmanager
def without_timing():
    """Reports of one second each, where the rest of a report is what matters."""
    seconds = {"median": 1.0, "p5": 1.0, "p95": 1.0}
    ways = ("bert_padded", "bert_unpadded", "reduced_padded", "reduced_unpadded")
    times = {
        **{"runtime": "tensorflow", "dtype": "float32", "batch_size": 1, "texts": 1, "rounds": 1},
        "packed": True,
        "seconds": dict.fromkeys(ways, seconds),
        "speedup": speedups(dict.fromkeys(ways, 1.0)),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "_times", lambda *arguments: times)
        patch.setattr(
            report,
            "mode_times",
            lambda model, modes, *rest, **rounds: [{**mode, "ms_a_text": 1.0} for mode in modes],
        )
        yield


@contextlib.contextmanager
def in_few_modes():
    """Reports that compare two modes, instead of all that are installed: each is compiled."""
    modes = [
        {"runtime": "tensorflow", "dtype": dtype, "jit_compile": False}
        for dtype in ("float32", "bfloat16")
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "usable_modes", lambda: modes)
        yield


@pytest.fixture(scope="session")
def finished_run(materials):
    """Single texts, all three steps. Tests leave it as it is."""
    path = materials.folder / "run"
    with in_few_modes():
        return run_to_the_end(path, materials.fit(path))


@pytest.fixture(scope="session")
def pairs_run(materials):
    """Pairs, a retention of one's own. Tests leave it as it is."""
    path = materials.folder / "pairs_run"
    arguments = materials.fit(path, PAIRS, train=materials.pairs_train, dev=materials.pairs_dev)
    with toy.eagerly(), without_timing():
        return run_to_the_end(path, arguments)


def harder_arguments(materials, finished_run, output):
    """The command that makes a `harder_run`."""
    return materials.fit(output, HARDER, checkpoint=finished_run.path, train=materials.opposite)


@pytest.fixture(scope="session")
def harder_run(materials, finished_run):
    """Unlike the others it loses something, and no epoch of it is as good as the first."""
    path = materials.folder / "harder_run"
    with toy.eagerly(), without_timing():
        return run_to_the_end(path, harder_arguments(materials, finished_run, path))
