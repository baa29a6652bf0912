"""Input that cannot be used: one line, exit code 2, and nothing left behind."""

import re
import shutil

import pytest

from commands.conftest import PAIRS
from commands.conftest import snapshot
from commands.conftest import write_checkpoint
from power_bert_tf.cli import main


def refused(capsys, arguments, *folders):
    """Runs a command that must be refused; its one line. `folders` must stay as they are."""
    before = [snapshot(folder) for folder in folders]
    assert main([str(each) for each in arguments]) == 2
    assert [snapshot(folder) for folder in folders] == before
    message = capsys.readouterr().err
    assert re.fullmatch(r"power-bert: [^\n]+\n", message), message
    assert "Traceback" not in message
    return message


# `power-bert fit` with an option that cannot be, and what the line says of it.
OPTIONS = {
    "no task and no files": ({"train": None}, "give either `task` or `train`"),
    "task and train": ({"task": "rte"}, "give either `task` or `train`"),
    "unknown task": ({"train": None, "task": "snli"}, "`task` must be one of .*'snli'"),
    "two sources": (
        {"train": None, "task": "rte", "tfds_dir": "/nowhere", "data_dir": "/nowhere"},
        "`tfds_dir` or `data_dir`, not both",
    ),
    "no such tfds folder": (
        {"train": None, "task": "rte", "tfds_dir": "/nowhere"},
        "tensorflow-datasets has prepared glue/rte. Received: /nowhere",
    ),
    "no such data folder": (
        {"train": None, "task": "rte", "data_dir": "/nowhere"},
        r"must hold RTE/train\.tsv. Received: /nowhere",
    ),
    "no checkpoint there": ({"checkpoint": "/nowhere"}, "/nowhere"),
    "an id of the hub that is none": (
        {"checkpoint": "hf://a/b/c"},
        "like hf://owner/name.* hf://a/b/c",
    ),
    "skipping and epochs of it": ({"skip_fine_tuning": True}, "leaves nothing for `fine_tuned` or"),
    "retention longer than N": ({"retention": "13,4"}, "not be longer than .* 12. Received: 13"),
    "retention increases": ({"retention": "5,6"}, "must not increase.* Received: 6 after 5"),
    "retention of zero": ({"retention": "5,0"}, "at least 1. Received: 0"),
    "retention too short": ({"retention": "5"}, "each of the 2 encoders. Received: 1 in 5"),
    "retention too long": ({"retention": "5,4,3"}, "each of the 2 encoders. Received: 3"),
    "retention of more than all": ({"retention": "9,4 of 8"}, "more than all. Received: 9 of 8"),
    "retention of words": ({"retention": "half"}, "must read like .*'half'"),
    "N beyond the positions": ({"sequence_length": 17}, "position embeddings, 16. Received:.*17"),
    "N of one": ({"sequence_length": 1}, "`sequence_length`.*at least 2.*=1"),
    "a label that is not given": ({"labels": ["negative", "fine"]}, r"train\.tsv:\d+: .*positive"),
    "one class": ({"labels": ["negative"]}, "two or more different classes"),
    "labels that are no numbers": ({"regression": True}, r"train\.tsv:2: expected a finite number"),
    "unknown metric": ({"metric": "bleu"}, "`metric` must be one of .*'bleu'"),
    "a metric of other tasks": ({"metric": "spearman"}, "for 2 classes. Received: .*'spearman'"),
    "no epochs": ({"search_epochs": 0}, "`search_epochs` must be positive"),
    "learning rate that is no number": ({"learning_rate": "nan"}, "`learning_rate` must be posit"),
    "negative strength": ({"strength": -1}, "`strength` must be at least 0"),
    "negative seed": ({"seed": -1}, "`seed` .*-1"),
    "seed that is too large": ({"seed": 2**32 - 1}, "`seed` must be from 0 to .*4294967295"),
    "unknown basis": ({"basis": "some"}, "`basis` must be one of absolute, relative"),
    "unknown precision": ({"dtype": "float8"}, "`dtype` must be one of .*'float8'"),
    "no examples": ({"train_examples": 0}, "`train_examples` must be positive"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(materials, tmp_path, capsys, name):
    changes, expected = OPTIONS[name]
    if "train" in changes:
        changes = {**changes, "dev": None}
    arguments = materials.fit(tmp_path / "run", **changes)
    assert re.search(expected, refused(capsys, arguments, tmp_path))
    assert not (tmp_path / "run").exists()


TEXT = b"text\tlabel\n"
# The bytes of a training file, and what the line says of them.
FILES = {
    "absent": (None, r"train\.tsv: expected a readable file"),
    "empty": (b"", r"train\.tsv:1: expected at least one line"),
    "header alone": (TEXT, r"train\.tsv:1: expected at least one row"),
    "undecodable": (TEXT + b"good\ta\nb\xe9d\tb\n", r"train\.tsv:3: expected UTF-8.*0xe9"),
    "no label": (b"text\tclass\ngood\ta\n", r"train\.tsv:1: expected a column 'label'"),
    "a column too many": (TEXT + b"good\ta\nbad\tb\tc\n", r"train\.tsv:3: expected 2 columns"),
    "one class": (TEXT + b"good\ta\nbad\ta\n", "two or more different classes"),
}


@pytest.mark.parametrize("name", FILES)
def test_training_files(materials, tmp_path, capsys, name):
    content, expected = FILES[name]
    path = tmp_path / "train.tsv"
    if content is not None:
        path.write_bytes(content)
    arguments = materials.fit(tmp_path / "run", train=path)
    assert re.search(expected, refused(capsys, arguments, tmp_path))


def test_dev_files(materials, tmp_path, capsys):
    path = tmp_path / "dev.tsv"
    path.write_text("text\tlabel\ngood\tpositive\nso so\tneutral\n")
    message = refused(capsys, materials.fit(tmp_path / "run", dev=path), tmp_path)
    assert "dev.tsv:3: expected a label of ['negative', 'positive']" in message
    arguments = materials.fit(tmp_path / "run", dev=materials.pairs_dev)
    assert "must both have `text_pair`" in refused(capsys, arguments, tmp_path)
    path = path.rename(tmp_path / "dev.xlsx")
    arguments = materials.fit(tmp_path / "run", dev=path)
    assert "expected .tsv, .csv or .jsonl" in refused(capsys, arguments, tmp_path)


def test_no_room_for_a_pair(materials, tmp_path, capsys):
    arguments = materials.fit(
        tmp_path / "run",
        PAIRS,
        train=materials.pairs_train,
        dev=materials.pairs_dev,
        sequence_length=2,
    )
    message = refused(capsys, arguments, tmp_path)
    assert "`sequence_length` must be an integer of at least 3" in message


def _truncate(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def _list_tokenizer_settings(folder):
    (folder / "tokenizer_config.json").write_text("[true]")


def _lengthen_vocabulary(folder):
    with open(folder / "vocab.txt", "a") as file:
        file.write("".join(f"more{index}\n" for index in range(9)))


# What is done to a checkpoint, and what the line says of it.
CHECKPOINTS = {
    "no weights": (
        lambda folder: (folder / "model.safetensors").unlink(),
        "has no model.safetensors",
    ),
    "truncated weights": (_truncate, "model.safetensors is corrupt, cut short"),
    "no vocabulary": (
        lambda folder: (folder / "vocab.txt").unlink(),
        "must have a vocabulary, vocab.txt or spiece.model. Received: none",
    ),
    "byte pairs": (
        lambda folder: (folder / "vocab.txt").rename(folder / "merges.txt"),
        "it is cut into byte pairs",
    ),
    "vocabulary of another size": (_lengthen_vocabulary, r"vocab\.txt must have a line for each"),
    "vocabulary without [CLS]": (
        lambda folder: (folder / "vocab.txt").write_text(
            (folder / "vocab.txt").read_text().replace("[CLS]", "class")
        ),
        r"vocab\.txt: .*missing \[CLS\]",
    ),
    "tokenizer settings in a list": (
        _list_tokenizer_settings,
        r"tokenizer_config\.json must hold a JSON object. Received: list",
    ),
    "no configuration": (
        lambda folder: (folder / "config.json").unlink(),
        r"cannot read the configuration .*config\.json",
    ),
    "broken configuration": (
        lambda folder: (folder / "config.json").write_text("{"),
        r"config\.json must be a JSON file",
    ),
    "weights of another size": (
        lambda folder: write_checkpoint(folder, hidden_size=12, num_attention_heads=3),
        r"unfit 'bert\..* of shape \(8,\), expected \(12,\)",
    ),
    "weights of fewer encoders": (
        lambda folder: write_checkpoint(folder, num_hidden_layers=3),
        r"missing 'bert\.encoder\.layer\.2\.",
    ),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints(materials, tmp_path, capsys, name):
    damage, expected = CHECKPOINTS[name]
    checkpoint = shutil.copytree(materials.checkpoint, tmp_path / "checkpoint")
    damage(checkpoint)
    arguments = materials.fit(tmp_path / "run", checkpoint=checkpoint)
    assert re.search(expected, refused(capsys, arguments, tmp_path))


def test_output_that_is_no_run(materials, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    for output, expected in {
        tmp_path: "which holds other files",
        tmp_path / "thesis.txt": "must be a folder. Received: the file",
        tmp_path / "thesis.txt" / "run": "cannot write",
    }.items():
        assert expected in refused(capsys, materials.fit(output), tmp_path)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"learning_rate": 1e-3}, "task.learning_rate"),
        ({"search_epochs": 7}, "options.search_epochs"),
        ({"seed": 4}, "seed"),
        ({"basis": "relative"}, "options.basis"),
        ({"retention": "9,4"}, "options.retention"),
        ({"train_examples": 60}, "train"),
    ],
)
def test_a_run_of_other_settings(finished_run, materials, capsys, changes, name):
    arguments = materials.fit(finished_run.path, **changes)
    message = refused(capsys, arguments, finished_run.path)
    assert f"belongs to a run of other settings: `{name}` was" in message


def test_a_run_of_another_checkpoint(finished_run, materials, tmp_path, capsys):
    checkpoint = shutil.copytree(materials.checkpoint, tmp_path / "checkpoint")
    weights = bytearray((checkpoint / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (checkpoint / "model.safetensors").write_bytes(weights)
    arguments = materials.fit(finished_run.path, checkpoint=checkpoint)
    assert "`checkpoint` was" in refused(capsys, arguments, finished_run.path)


def test_a_run_of_another_vocabulary(finished_run, materials, tmp_path, capsys):
    checkpoint = shutil.copytree(materials.checkpoint, tmp_path / "checkpoint")
    *pieces, one, two = (checkpoint / "vocab.txt").read_text().splitlines()
    (checkpoint / "vocab.txt").write_text("\n".join([*pieces, two, one]) + "\n")
    arguments = materials.fit(finished_run.path, checkpoint=checkpoint)
    assert "`vocabulary` was" in refused(capsys, arguments, finished_run.path)


COMMANDS = {
    "evaluate": lambda run, folder: ["evaluate", run],
    "predict": lambda run, folder: ["predict", run, "good"],
    "export": lambda run, folder: ["export", run, folder / "served"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_runs_that_are_none_or_not_finished(finished_run, tmp_path, capsys, command):
    arguments = COMMANDS[command]
    for path in (tmp_path / "absent", tmp_path):
        message = refused(capsys, arguments(path, tmp_path), tmp_path)
        assert "must be a folder that `power-bert fit` made" in message
    run = tmp_path / "run"
    shutil.copytree(finished_run.path, run, ignore=shutil.ignore_patterns("re-train"))
    message = refused(capsys, arguments(run, tmp_path), tmp_path)
    assert "must be a finished run: the step re-train is not done" in message


def test_damaged_runs(finished_run, tmp_path, capsys):
    run = shutil.copytree(finished_run.path, tmp_path / "run")
    model = run / "re-train" / "model.keras"
    model.write_bytes(model.read_bytes()[:1000])
    message = refused(capsys, ["predict", run, "good"], tmp_path)
    assert "model.keras must be a model that this package saved" in message
    (run / "settings.json").write_text("{")
    message = refused(capsys, [*finished_run.arguments, "--output", run], tmp_path)
    assert "settings.json must be a readable JSON file" in message


def test_export_to_a_full_folder(finished_run, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        message = refused(capsys, ["export", finished_run.path, folder], tmp_path)
        assert "must be new or empty" in message
    message = refused(
        capsys, ["export", finished_run.path, tmp_path / "thesis.txt" / "served"], tmp_path
    )
    assert "cannot write" in message


def test_what_a_run_is_asked(finished_run, pairs_run, materials, tmp_path, capsys):
    single, pairs = finished_run.path, pairs_run.path
    output = tmp_path / "answers.jsonl"
    for arguments, expected in (
        (["predict", single], "give either `texts` or `input`"),
        (["predict", single, "a", "--input", materials.dev], "give either `texts` or `input`"),
        (["predict", single, "a", "--step", "first"], "`step` must be one of fine-tune, search"),
        (
            ["predict", single, "a", "--batch-size", "0"],
            "`batch_size` must be an int of at least 1",
        ),
        (["predict", single, "--input", tmp_path / "no.txt"], "expected a readable file"),
        (["predict", single, "--input", materials.pairs_dev], "must not have `text_pair`"),
        (["predict", single, "a", "--output", materials.dev / "x"], "cannot write"),
        (["predict", pairs, "a", "b", "c"], "must come in twos.* Received: 3"),
        (["predict", pairs, "--input", materials.dev], "must have `text_pair`"),
        (["evaluate", pairs, "--step", "search"], "`step` must be one of fine-tune, re-train"),
        (["evaluate", pairs, "--examples", materials.dev], "must have `text_pair`"),
        (["evaluate", single, "--batch-size", "-1"], "`batch_size` must be an int of at least 1"),
        (["evaluate", single, "--retention", "3"], "each of the 2 encoders. Received: 1"),
        (["evaluate", single, "--retention", "2,3"], "must not increase"),
    ):
        if "--output" not in arguments and arguments[0] == "predict":
            arguments = [*arguments, "--output", output]
        message = refused(capsys, arguments, tmp_path, single, pairs)
        assert re.search(expected, message), arguments
