"""`power-bert fit`: the three steps in a run folder."""

import dataclasses
import hashlib
import importlib.metadata

import keras
import numpy as np

from power_bert_tf.commands.fit_options import FitOptions
from power_bert_tf.commands.fit_steps import FitSteps
from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import Task
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs import sources as fit_data
from power_bert_tf.runs.folder import BEST
from power_bert_tf.runs.folder import SHARED
from power_bert_tf.runs.folder import STEPS
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import as_settings
from power_bert_tf.runs.folder import read_json
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.report import markdown
from power_bert_tf.runs.report import summary
from power_bert_tf.runs.tune import Tuning
from power_bert_tf.training.metrics import check_metric
from power_bert_tf.training.steps import StepData

# What tasks have had only later: it is part of a run's identity where it is in use, so that runs
# from before go on.
_LATER_FIELDS = ("tsv_flawed", "choices", "truncation", "beside")


@dataclasses.dataclass(frozen=True)
class Fit(FitOptions):
    """Fine-tune BERT, search for a retention configuration, re-train as PoWER-BERT.

    Give a task of the paper (--task) or files of your own (--train, --dev). Where an option is
    left out, the task's own value from the paper holds. A run that was interrupted goes on when
    the same command is given again.
    """

    def execute(self):
        """Runs what is not done yet; prints a summary.

        Raises:
            InputError: where an option, a file or the run folder cannot be used.
        """
        # Read before training, which takes longer to find out what is missing.
        beside = self.load_beside()
        if self.max_drop is not None or self.speedup is not None:
            return self._tune(beside)
        return self.run(*self.load_data(), beside)

    def _tune(self, beside):
        self.check_limit()
        tuning = Tuning(self)
        run, dev = tuning.execute()
        report = _finish(run, dev, beside)
        tuning.hand_back(run)
        print(f"The best run is {self.output / BEST}; commands take {self.output} for it.")
        return report

    def load_data(self):
        """The task, its training and its dev examples."""
        return fit_data.load_data(self)

    def load_beside(self):
        """The dev examples that a report measures beside the task's own, a dict by name."""
        return fit_data.load_beside(self)

    def run(self, task: Task, train: Examples, dev: Examples, beside=None):
        """The three steps on examples in memory, and their report.

        Args:
            task: `Task`; the options that are given replace its values.
            train, dev: `Examples`.
            beside: dict of name and `Examples`: what the report measures too.

        Returns:
            dict, the report.
        """
        run, dev = self.train_steps(task, train, dev)
        return _finish(run, dev, beside or {})

    def train_steps(self, task: Task, train: Examples, dev: Examples, last: str = STEPS[-1]):
        """The three steps on examples in memory.

        Args:
            task: `Task`; the options that are given replace its values.
            train, dev: `Examples`.
            last: str, the step of `STEPS` to end with.

        Returns:
            The `RunFolder`, and the dev examples that it was measured on.
        """
        self.check()
        task = self.applied_to(task)
        check_metric(task.metric, task.num_classes, task.choices)
        train = train if self.train_examples is None else train.take(self.train_examples, self.seed)
        dev = fit_data.dev_subset(self, dev)
        checkpoint = open_checkpoint(self.checkpoint)
        tokenizer = fit_data.tokenizer_for(self, checkpoint)
        preprocessor = Preprocessor(tokenizer, task.sequence_length, task.truncation)
        # Fails where N is too small for the special tokens of a pair.
        first = dev.select(np.arange(1))
        preprocessor.encode(first.texts, first.text_pairs)
        # Built before the run folder is touched, so that a checkpoint that cannot be used, or a
        # retention that does not fit, leaves nothing behind.
        keras.utils.set_random_seed(self.seed)
        model = self._starting_model(checkpoint, task)
        given = None if self.retention is None else RetentionConfiguration.parse(self.retention)
        if given is not None:
            given.check(model.config.num_layers, task.sequence_length)
        identity = {
            "task": _task_identity(task),
            "basis": self.basis if given is None else given.basis,
            "retention": None if given is None else str(given),
            "epochs": self.step_epochs(task),
            "lowercase": tokenizer.lowercase,
            "dtype": self.dtype,
            "xla": self.xla,
            "seed": self.seed,
            "train": train.fingerprint(),
            "dev": dev.fingerprint(),
            "checkpoint": _fingerprint(checkpoint.files),
            "vocabulary": _file_fingerprint(checkpoint.vocabulary),
        }
        # Only where they are in use: runs from before these options go on.
        for name in ("group_by_length", "skip_fine_tuning"):
            if getattr(self, name):
                identity[name] = True
        if self.fine_tuned is not None:
            source = RunFolder.open(self.fine_tuned)
            source.check_identity(identity, SHARED)
            fine_tuned = source.finished_step("fine-tune")
            identity["fine_tuned"] = _file_fingerprint(fine_tuned.path / "model.keras")
        run = RunFolder.begin(
            self.output,
            identity=identity,
            details={
                "command": as_settings(self),
                "examples": {"train": len(train), "dev": len(dev)},
                "versions": {
                    name: importlib.metadata.version(name)
                    for name in ("power-bert-tf", "keras", "tensorflow", "tensorflow-text")
                },
            },
            tokenizer=tokenizer,
        )
        data = StepData(
            train,
            dev,
            preprocessor,
            task.metric,
            min(task.batch_size, len(train)),
            self.seed,
            self.group_by_length,
        )
        if self.fine_tuned is not None and not run.step("fine-tune").finished:
            run.step("fine-tune").adopt(fine_tuned)
        steps = FitSteps(self, run, task, data)
        steps.fine_tune(model)
        if last == "fine-tune":
            return run, dev
        if given is None:
            steps.search()
        elif not (run.path / "retention.json").exists():
            run.write_retention(given)
        if last == "search":
            return run, dev
        steps.re_train("fine-tune" if given else "search")
        return run, dev

    def _starting_model(self, checkpoint, task):
        new_head = False
        if checkpoint.head is not None:
            try:
                checkpoint.head.rows(task.head, task.num_classes, task.labels)
            except InputError as error:
                if self.skip_fine_tuning:
                    raise
                new_head = True
                print(f"Note: the checkpoint's head is left out, a new one is trained: {error}")
        elif self.skip_fine_tuning:
            raise InputError(
                "`skip_fine_tuning` needs a checkpoint with a head for the task. "
                f"Received: {checkpoint.weights}, which has none"
            )
        return BertClassifier.from_checkpoint(
            checkpoint,
            num_classes=task.num_classes,
            sequence_length=task.sequence_length,
            head=task.head,
            label_names=task.labels,
            new_head=new_head,
            dtype=self.dtype,
        )


def _task_identity(task):
    values = dataclasses.asdict(task)
    for field in dataclasses.fields(task):
        if field.name in _LATER_FIELDS and values[field.name] == field.default:
            del values[field.name]
    return values


def _finish(run, dev, beside):
    path = run.path / "report.json"
    if not path.exists():
        print("\n[report] counting operations and measuring time", flush=True)
        report = build_report(run, dev, beside=beside)
        write_text(run.path / "report.md", markdown(report))
        write_json(path, report)
    report = read_json(path)
    print(f"\n{summary(report)}\nReport: {run.path / 'report.md'}")
    return report


def _fingerprint(paths):
    """Of one file that of its bytes; of several, that of theirs together."""
    fingerprints = [_file_fingerprint(path) for path in paths]
    if len(fingerprints) == 1:
        return fingerprints[0]
    return hashlib.sha256("".join(fingerprints).encode()).hexdigest()


def _file_fingerprint(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
