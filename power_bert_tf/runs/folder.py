"""One folder a run: what was asked, the dev examples, each step's model, and the report."""

import dataclasses
import fnmatch
import json
import os
import pathlib
import shutil

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data.examples_file import read_examples
from power_bert_tf.data.examples_file import write_examples
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.methods.method import MODEL
from power_bert_tf.modeling import load_classifier
from power_bert_tf.runs.layout import BEST
from power_bert_tf.runs.layout import SETTINGS

# The version of the layout: a folder of another one is refused.
LAYOUT = 3
# What a fine-tuned model must have in common with a run that goes on from it. The training
# examples may be others: a search on a part of them is cheaper.
SHARED = (
    "task.name",
    "task.metric",
    "task.labels",
    "task.sequence_length",
    "task.features",
    "lowercase",
    "dtype",
    "dev",
    "test",
    "checkpoint",
    "vocabulary",
)
# The names of a run's sets: what choices are made by, and what gives the figures.
DEV, TEST = "dev", "test"
# Training examples that a run keeps, to calibrate int8 on, and how many.
_CALIBRATION, CALIBRATION_EXAMPLES = "calibration", 300


def read_json(path):
    """Reads a JSON file of a run; a clear error where it is not one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be a readable JSON file. Received: {error}") from error


def check_holds_only(path, patterns, what):
    """Raises InputError where a folder that is there holds something else.

    Args:
        path: path of the output folder.
        patterns: names of what may be in it, with * for any characters. Hidden files may.
        what: str, whose folder it must be where it is neither new nor empty.
    """
    if not path.is_dir():
        return
    names = sorted(each.name for each in path.iterdir() if not each.name.startswith("."))
    others = [
        name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]
    if others:
        raise InputError(
            f"`output` must be new, empty or the folder of {what} to go on with. "
            f"Received: {path}, which holds {', '.join(others[:3])}"
        )


@dataclasses.dataclass(frozen=True)
class StepFolder:
    """The folder of one step. `metrics.json` is written last: with it the step is finished."""

    path: pathlib.Path

    @property
    def finished(self):
        """Whether the step has all of its files."""
        return (self.path / "metrics.json").exists()

    @property
    def backup(self):
        """Where the state after each epoch stands while the step runs."""
        return self.path / "progress"

    def load_model(self):
        """The step's model.

        Raises:
            InputError: where the step makes none.
        """
        path = self.path / MODEL
        if self.finished and not path.exists():
            raise InputError(f"the step {self.path.name} has no model of its own")
        return load_classifier(path)

    def metrics(self):
        """The step's score, seconds and findings, a dict."""
        return read_json(self.path / "metrics.json")

    def seconds_an_epoch(self):
        """How long an epoch of the finished step took; all of it where it had none."""
        metrics = self.metrics()
        return metrics["seconds"] / max(1, metrics["epochs"])

    def finish(self, result, seconds, findings=None):
        """Writes the model, the history and, last, the metrics of a `TrainingResult`."""
        if result.model is not None:
            # A copy without the optimizer, whose state is twice the size of the weights.
            model = result.model.with_reduction(result.model.reduction)
            write_file(self.path / MODEL, model.save)
        write_json(self.path / "history.json", result.history)
        metrics = {
            "score": result.score,
            "epochs": len(result.history),
            "best_epoch": result.best_epoch,
            "seconds": seconds,
        }
        write_json(self.path / "metrics.json", {**metrics, "findings": findings or {}})
        shutil.rmtree(self.backup, ignore_errors=True)

    def adopt(self, other):
        """Takes over the finished step in another `StepFolder`, as links to the same files."""

        def link(folder):
            for path in other.path.iterdir():
                if path.is_file():
                    _link_or_copy(path, folder / path.name)

        write_folder(self.path, link)


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """A run on disk, which stands by itself: it may be moved, and opened from anywhere.

    Holds settings.json (what was asked, versions, fingerprints of the data), vocab.txt or
    spiece.model, dev.jsonl and test.jsonl (the examples that it is measured by), calibration.jsonl
    (a few of those that it is trained on), a folder for each step, report.md, report.html and
    report.json. Every file appears whole.
    """

    path: pathlib.Path

    @classmethod
    def begin(cls, path, settings, tokenizer, sets, train):
        """Creates the folder, or takes up the one that an interrupted run left.

        Args:
            path: the folder.
            settings: dict, JSON-ready. Its `identity` is what must be the same for a run to go
                on; the rest is recorded beside it.
            tokenizer: one of those that `tokenizer_from_folder` makes, kept with the run.
            sets: dict of name and `Examples`, kept with the run: `DEV`, and where there are any
                `TEST` and further dev sets by their names.
            train: `Examples`, a few of which are kept with the run.

        Raises:
            InputError: where the folder belongs to a run with another identity (what differs
                is named), or holds something else.
        """
        run = cls(pathlib.Path(path))
        if run.settings_path.exists():
            run.check_identity(settings["identity"])
        else:
            run._check_new()
            write_json(run.settings_path, {"layout": LAYOUT, "sets": list(sets), **settings})
        # After the settings: a run that is killed in between finds a folder of its own again.
        if not (run.path / tokenizer.file_name).exists():
            write_file(
                run.path / tokenizer.file_name,
                lambda aside: aside.write_bytes(tokenizer.to_bytes()),
            )
        kept = train.take(CALIBRATION_EXAMPLES, 0)
        for name, examples in {**sets, _CALIBRATION: kept}.items():
            if not run._set_path(name).exists():
                write_examples(run._set_path(name), examples)
        return run

    @classmethod
    def open(cls, path):
        """A run folder that exists; of a tuning, the run that it handed back.

        Raises:
            InputError: where it is none, or of another version's layout.
        """
        path = pathlib.Path(path)
        run = cls(path / BEST if (path / BEST).is_dir() else path)
        if not run.settings_path.exists():
            raise InputError(f"`run` must be a folder that `power-bert fit` made. Received: {path}")
        run.settings()
        return run

    def _check_new(self):
        if self.path.is_file():
            raise InputError(f"the run folder must be a folder. Received: the file {self.path}")
        if self.path.exists() and any(
            not entry.name.startswith(".") for entry in self.path.iterdir()
        ):
            raise InputError(
                f"the run folder must be new, empty or a run's own. Received: {self.path}, which "
                "holds other files"
            )

    def check_identity(self, identity, names=None):
        """Raises InputError where the run's identity differs from a dict.

        Args:
            identity: dict, as `begin` takes it.
            names: sequence of str, what to look at, such as "task.name"; all of it where None.
        """
        before = _flat(self.settings()["identity"])
        identity = _flat(json.loads(json.dumps(identity)))
        for name in sorted(set(before) | set(identity)) if names is None else names:
            if before.get(name) != identity.get(name):
                raise InputError(
                    f"{self.path} belongs to a run of other settings: `{name}` was "
                    f"{before.get(name)!r}. Received: {identity.get(name)!r}"
                )

    @property
    def settings_path(self):
        """The file that makes a folder a run."""
        return self.path / SETTINGS

    def settings(self):
        """What was asked, a dict.

        Raises:
            InputError: where the file is damaged, or of another version's layout.
        """
        settings = read_json(self.settings_path)
        layout = settings.get("layout") if isinstance(settings, dict) else None
        if layout != LAYOUT:
            raise InputError(
                f"{self.path} must be a run of layout {LAYOUT}: one of another version of this "
                f"package has to be made again. Received: layout {layout}"
            )
        return settings

    @property
    def steps(self):
        """The names of the run's steps, in their order."""
        return tuple(self.settings()["steps"])

    def step(self, name):
        """The `StepFolder` of a step."""
        return StepFolder(self.path / name)

    def finished_step(self, name=None):
        """The folder of a step that is finished; of the last one where no name is given.

        Raises:
            InputError: where there is no such step, or it is not finished.
        """
        name = self.steps[-1] if name is None else name
        if name not in self.steps:
            raise InputError(
                f"`step` must be one of {', '.join(self.steps)}. Received: step={name!r}"
            )
        step = self.step(name)
        if not step.finished:
            raise InputError(
                f"{self.path} must be a finished run: the step {name} is not done. Give the same "
                "`power-bert fit` command again to go on with it"
            )
        return step

    def preprocessor(self):
        """The tokenizer and packer of the run."""
        identity = self.settings()["identity"]
        task = identity["task"]
        tokenizer = tokenizer_from_folder(self.path, identity["lowercase"])
        return Preprocessor(tokenizer, task["sequence_length"], task["truncation"])

    @property
    def sets(self):
        """The names of the sets that the run is measured by."""
        return tuple(self.settings()["sets"])

    def examples(self, name):
        """The `Examples` of one of `sets`."""
        return read_examples(self._set_path(name))

    @property
    def measured_by(self):
        """The name of the set that gives the figures: test where there is one, or else dev."""
        return TEST if TEST in self.sets else DEV

    @property
    def further_sets(self):
        """The names of the further dev sets, which the report measures too."""
        return tuple(name for name in self.sets if name not in (DEV, TEST))

    def dev(self):
        """The dev `Examples` that choices were made by."""
        return self.examples(DEV)

    def test(self):
        """The test `Examples` that give the figures, or None."""
        return self.examples(TEST) if TEST in self.sets else None

    @property
    def has_calibration(self):
        """Whether the run keeps training examples to calibrate int8 on."""
        return self._set_path(_CALIBRATION).exists()

    def calibration(self):
        """A few training `Examples`, to see how large what is multiplied gets.

        Raises:
            InputError: where the run was made by a version that kept none.
        """
        if not self.has_calibration:
            raise InputError(
                f"int8 needs texts to calibrate on: {self.path} must hold "
                f"{self._set_path(_CALIBRATION).name}, as runs of this version do"
            )
        return self.examples(_CALIBRATION)

    def further(self):
        """The further dev sets, a dict of name to `Examples`."""
        return {name: self.examples(name) for name in self.further_sets}

    def _set_path(self, name):
        return self.path / f"{name}.jsonl"

    def link_to(self, path):
        """Has another folder be the same run, whole, as links to the same files."""

        def link(folder):
            for source in filter(pathlib.Path.is_file, self.path.rglob("*")):
                target = folder / source.relative_to(self.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(source, target)

        write_folder(path, link)


def _link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # Another file system, or one without links.
        shutil.copyfile(source, target)


def _flat(values, prefix=""):
    """Nested dicts as one dict: `{"epochs": {"search": 3}}` is `{"epochs.search": 3}`."""
    flat = {}
    for name, value in values.items():
        name = prefix + name
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat
