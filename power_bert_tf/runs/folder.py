"""One folder a run: what was asked, each step's model, and the report."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil

import keras

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import RetentionConfiguration

STEPS = ("fine-tune", "search", "re-train")
# The run that a tuning hands back, in its folder.
BEST = "best"
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
    "checkpoint",
    "vocabulary",
)


def as_settings(command):
    """The options of a command, a dataclass, as a JSON-ready dict."""
    return {
        name: str(value) if isinstance(value, pathlib.Path) else value
        for name, value in dataclasses.asdict(command).items()
    }


def read_json(path):
    """Reads a JSON file of a run; a clear error where it is not one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be a readable JSON file. Received: {error}") from error


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
        """The step's model."""
        return load_classifier(self.path / "model.keras")

    def metrics(self):
        """The step's scores, a dict."""
        return read_json(self.path / "metrics.json")

    def finish(self, result, seconds, **metrics):
        """Writes the model, the history and, last, the metrics of a `StepResult`."""
        # A copy without the optimizer, whose state is twice the size of the weights.
        model = result.model.with_reduction(result.model.reduction)
        write_file(self.path / "model.keras", model.save)
        write_json(self.path / "history.json", result.history)
        metrics = {"score": result.score, "best_epoch": result.best_epoch, **metrics}
        write_json(self.path / "metrics.json", {**metrics, "seconds": seconds})
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
    """A run on disk.

    Holds settings.json (what was asked, versions, fingerprints of the data), vocab.txt or
    spiece.model, a folder for each of `STEPS`, retention.json, report.md and report.json. Every
    file appears whole.
    """

    path: pathlib.Path

    @classmethod
    def begin(cls, path, identity, details, tokenizer):
        """Creates the folder, or takes up the one that an interrupted run left.

        Args:
            path: the folder.
            identity: dict, JSON-ready: what must be the same for a run to go on.
            details: dict, JSON-ready: what is recorded beside it.
            tokenizer: one of those that `tokenizer_from_folder` makes, kept with the run.

        Raises:
            InputError: where the folder belongs to a run with another identity (what differs
                is named), or holds something else.
        """
        run = cls(pathlib.Path(path))
        if run.settings_path.exists():
            run.check_identity(identity)
        else:
            run._check_new()
            write_json(run.settings_path, {"identity": identity, **details})
        # After the settings: a run that is killed in between finds a folder of its own again.
        if not (run.path / tokenizer.file_name).exists():
            write_file(
                run.path / tokenizer.file_name,
                lambda aside: aside.write_bytes(tokenizer.to_bytes()),
            )
        return run

    @classmethod
    def open(cls, path):
        """A run folder that exists; of a tuning, the run that it handed back.

        Raises:
            InputError: where it is none.
        """
        path = pathlib.Path(path)
        run = cls(path / BEST if (path / BEST).is_dir() else path)
        if not run.settings_path.exists():
            raise InputError(f"`run` must be a folder that `power-bert fit` made. Received: {path}")
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
        return self.path / "settings.json"

    def settings(self):
        """What was asked, a dict."""
        return read_json(self.settings_path)

    def step(self, name):
        """The folder of one of `STEPS`."""
        return StepFolder(self.path / name)

    def preprocessor(self):
        """The tokenizer and packer of the run."""
        identity = self.settings()["identity"]
        task = identity["task"]
        truncation = task.get("truncation", "longest_first")
        tokenizer = tokenizer_from_folder(self.path, identity["lowercase"])
        return Preprocessor(tokenizer, task["sequence_length"], truncation)

    def finished_step(self, name="re-train"):
        """The folder of a step that is finished.

        Raises:
            InputError: where it is not.
        """
        step = self.step(name)
        if not step.finished:
            raise InputError(
                f"{self.path} must be a finished run: the step {name} is not done. Give the same "
                "`power-bert fit` command again to go on with it"
            )
        return step

    def link_to(self, path):
        """Has another folder be the same run, whole, as links to the same files."""

        def link(folder):
            for source in filter(pathlib.Path.is_file, self.path.rglob("*")):
                target = folder / source.relative_to(self.path)
                target.parent.mkdir(exist_ok=True)
                _link_or_copy(source, target)

        write_folder(path, link)

    def write_retention(self, retention):
        """Writes retention.json."""
        write_text(self.path / "retention.json", retention.to_json() + "\n")

    def retention(self):
        """The run's `RetentionConfiguration`."""
        text = (self.path / "retention.json").read_text(encoding="utf-8")
        return RetentionConfiguration.from_json(text)


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


def load_classifier(path):
    """Loads a `BertClassifier` from a `.keras` file, without its optimizer.

    Raises:
        InputError: where the file is missing, damaged or another model's.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"there is no model at {path}")
    model = None
    with contextlib.suppress(Exception):
        model = keras.saving.load_model(path, compile=False)
    if not isinstance(model, BertClassifier):
        raise InputError(f"{path} must be a model that this package saved; it cannot be read")
    return model
