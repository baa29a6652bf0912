"""`power-bert fit`: the three steps in a run folder."""

import dataclasses
import hashlib
import importlib.metadata
import math
import pathlib
import shutil
import time

import keras
import numpy as np
import simple_parsing

from power_bert_tf.commands.report import build_report
from power_bert_tf.commands.report import markdown
from power_bert_tf.commands.report import summary
from power_bert_tf.commands.tuning import SPEEDS
from power_bert_tf.commands.tuning import Tuning
from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import Task
from power_bert_tf.data import get_task
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import load_from_tsv
from power_bert_tf.data import propose_sequence_length
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data import user_task
from power_bert_tf.data.proposed_length import word_piece_lengths
from power_bert_tf.data.sources import random_order
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.training import plots
from power_bert_tf.training import steps
from power_bert_tf.training.metrics import check_metric
from power_bert_tf.training.run_folder import BEST
from power_bert_tf.training.run_folder import SHARED
from power_bert_tf.training.run_folder import STEPS
from power_bert_tf.training.run_folder import RunFolder
from power_bert_tf.training.run_folder import read_json

DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")
_HELD_OUT_SHARE = 10
# What tasks have had only later: it is part of a run's identity where it is in use, so that runs
# from before go on.
_LATER_FIELDS = ("tsv_flawed", "choices", "truncation", "beside")


@dataclasses.dataclass(frozen=True)
class Fit:
    """Fine-tune BERT, search for a retention configuration, re-train as PoWER-BERT.

    Give a task of the paper (--task) or files of your own (--train, --dev). Where an option is
    left out, the task's own value from the paper holds. A run that was interrupted goes on when
    the same command is given again.
    """

    checkpoint: str
    """A BERT, ALBERT or DistilBERT to begin with: a folder in Hugging Face's or Google's layout, a
    preset of KerasHub, a run or a .keras file of this package, or hf://owner/name."""
    output: pathlib.Path
    """Run folder: new, empty, or that of the run to go on with."""
    task: str | None = None
    """A task of the paper: cola, rte, qqp, mrpc, sst2, mnli-m, mnli-mm, qnli, stsb, imdb or race;
    race-middle, race-high and wnli too."""
    train: pathlib.Path | None = None
    """Your own examples: TSV, CSV or JSONL with text, optional text_pair, and label."""
    dev: pathlib.Path | None = None
    """Examples to measure on; a tenth of --train, held out, where left out."""
    tfds_dir: pathlib.Path | None = None
    """Where tensorflow-datasets has prepared the task; it downloads where left out."""
    data_dir: pathlib.Path | None = None
    """Folder of GLUE's own TSV folders, instead of tensorflow-datasets."""
    labels: list[str] = simple_parsing.field(default_factory=list)
    """The classes of --train in the order of their ids; found by themselves where left out."""
    regression: bool = False
    """The labels of --train are numbers."""
    metric: str | None = None
    """accuracy, f1, matthews or spearman."""
    skip_fine_tuning: bool = False
    """The checkpoint is fine-tuned for this task: begin with the search."""
    fine_tuned: pathlib.Path | None = None
    """Go on from the finished fine-tuning of this run: same task, checkpoint and dev examples."""
    train_examples: int | None = None
    """Train on a random subset of this size."""
    dev_examples: int | None = None
    """Measure on a random subset of this size."""
    sequence_length: int | None = None
    """N, the length that inputs are padded or cut to, in word-pieces; by the paper's rule from
    the texts of --train where left out."""
    batch_size: int | None = None
    """Examples a training step; questions for race."""
    learning_rate: float | None = None
    """Peak learning rate of BERT's weights."""
    retention_learning_rate: float | None = None
    """Peak learning rate of the retention parameters."""
    strength: float | None = None
    """The paper's lambda: how strongly the search prefers few word-vectors."""
    basis: str = "absolute"
    """absolute: numbers of word-vectors, as the paper; relative: shares of a text's length;
    with --max-drop or --speedup, both: try each."""
    visibility: bool = False
    """Search by what attention sees of a word-vector, instead of by scaling it."""
    retention: str | None = None
    """Skip the search and use this: '40,30,20' or, relative, '40,30,20 of 64'."""
    epochs: int | None = None
    """Epochs of each step."""
    fine_tuning_epochs: int | None = None
    """Epochs of fine-tuning; --epochs where left out."""
    search_epochs: int | None = None
    """Epochs of the search; --epochs where left out."""
    retraining_epochs: int | None = None
    """Epochs of re-training; --epochs where left out."""
    max_drop: float | None = None
    """Find lambda: the fastest PoWER-BERT that loses at most so many points of the metric."""
    speedup: float | None = None
    """Find lambda: the smallest drop at so many times BERT's speed, in operations."""
    trials: int = 6
    """How many values of lambda --max-drop and --speedup try at most, in each basis."""
    against: str = "padded"
    """The speed that those two go by: padded, BERT's and PoWER-BERT's, as in the paper;
    unpadded, that of both without padding."""
    cased: bool = False
    """The vocabulary is cased, and the checkpoint does not say so itself."""
    dtype: str = "float32"
    """float32, mixed_bfloat16 or mixed_float16."""
    group_by_length: bool = False
    """Batch texts of similar length: training takes less time where lengths vary."""
    xla: bool = False
    """Compile training steps with XLA."""
    seed: int = 0
    """Seed of everything random."""

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
        self._check_limit()
        tuning = Tuning(self)
        run, dev = tuning.execute()
        report = _finish(run, dev, beside)
        tuning.hand_back(run)
        print(f"The best run is {self.output / BEST}; commands take {self.output} for it.")
        return report

    def load_data(self):
        """The task with this run's values, its training and its dev examples."""
        if (self.task is None) == (self.train is None):
            raise InputError(
                "give either `task` or `train`. "
                f"Received: task={self.task!r}, train={self.train and str(self.train)!r}"
            )
        if self.task is None:
            return self._load_own_data()
        task = get_task(self.task)
        return task, self._load(task, "train"), self._load(task, "dev")

    def load_beside(self):
        """The dev examples that a report measures beside the task's own.

        Returns:
            dict of a task's name and its `Examples`: the other half's for MNLI, empty otherwise.
        """
        if self.task is None or not get_task(self.task).beside:
            return {}
        other = get_task(get_task(self.task).beside)
        return {other.name: self._dev_subset(self._load(other, "dev"))}

    def _load(self, task, part):
        if self.data_dir is None:
            return load_from_tfds(task, part, self.tfds_dir)
        if self.tfds_dir is not None:
            raise InputError("give `tfds_dir` or `data_dir`, not both")
        return load_from_tsv(task, part, self.data_dir)

    def _dev_subset(self, dev):
        return dev if self.dev_examples is None else dev.take(self.dev_examples, self.seed)

    def _load_own_data(self):
        labels = self.labels or None
        train = load_from_file(self.train, labels, self.regression)
        length = self.sequence_length
        task = user_task(self.train.stem, train, length or self._proposed_length(train))
        if self.dev is None:
            order = random_order(len(train), self.seed)
            held_out = max(1, len(train) // _HELD_OUT_SHARE)
            if len(train) < 2:
                raise InputError(f"`train` must have at least 2 rows. Received: {len(train)}")
            dev, train = train.select(order[:held_out]), train.select(np.sort(order[held_out:]))
        else:
            dev = load_from_file(self.dev, train.label_names, self.regression)
        if (train.text_pairs is None) != (dev.text_pairs is None):
            raise InputError("`train` and `dev` must both have `text_pair`, or neither")
        return task, train, dev

    def _proposed_length(self, train):
        checkpoint = open_checkpoint(self.checkpoint)
        lengths = word_piece_lengths(self._tokenizer(checkpoint), train)
        proposed, nearly_all = propose_sequence_length(lengths)
        most = checkpoint.config.max_sequence_length
        length = min(proposed, most)
        reason = (
            "the nearest of 64, 128, 256 and 512"
            if length == proposed
            else f"the checkpoint has no more positions; {proposed} would be the nearest"
        )
        print(
            f"N = {length}: at most 1 % of the texts of {self.train.name} have more than "
            f"{nearly_all} word-pieces ({reason}). --sequence-length sets another."
        )
        return length

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
        task = self._with_options(task)
        check_metric(task.metric, task.num_classes, task.choices)
        train = train if self.train_examples is None else train.take(self.train_examples, self.seed)
        dev = self._dev_subset(dev)
        checkpoint = open_checkpoint(self.checkpoint)
        tokenizer = self._tokenizer(checkpoint)
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
        for name in ("visibility", "group_by_length", "skip_fine_tuning"):
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
                "command": {
                    name: str(value) if isinstance(value, pathlib.Path) else value
                    for name, value in dataclasses.asdict(self).items()
                },
                "examples": {"train": len(train), "dev": len(dev)},
                "versions": {
                    name: importlib.metadata.version(name)
                    for name in ("power-bert-tf", "keras", "tensorflow", "tensorflow-text")
                },
            },
            tokenizer=tokenizer,
        )
        data = steps.StepData(
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
        self._fine_tune(run, task, data, model)
        if last == "fine-tune":
            return run, dev
        if given is None:
            self._search(run, task, data)
        elif not (run.path / "retention.json").exists():
            run.write_retention(given)
        if last == "search":
            return run, dev
        self._re_train(run, task, data, "fine-tune" if given else "search")
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

    def _fine_tune(self, run, task, data, model):
        folder = run.step("fine-tune")
        skipped = ", as the checkpoint is" if self.skip_fine_tuning else ""
        if self._announce(folder, f"1/3 fine-tune{skipped}"):
            return
        start = time.perf_counter()
        if self.skip_fine_tuning:
            result = steps.take_fine_tuned(model, data)
            print(f"{task.metric} on dev: {result.score:.4f}")
            folder.finish(result, time.perf_counter() - start)
            return
        result = steps.fine_tune(
            model,
            data,
            self.step_epochs(task)["fine-tune"],
            task.learning_rate,
            folder.backup,
            self.xla,
        )
        folder.finish(result, time.perf_counter() - start)

    def _search(self, run, task, data):
        folder = run.step("search")
        if self._announce(folder, "2/3 search"):
            return
        epochs = self.step_epochs(task)["search"]
        lowest = steps.reachable_retention(
            task.retention_learning_rate, epochs * data.steps_per_epoch
        )
        if lowest > 0:
            print(
                f"Note: {epochs * data.steps_per_epoch} steps at a retention learning rate of "
                f"{task.retention_learning_rate:g} bring a retention parameter down to "
                f"{lowest:.2f} at the lowest. A higher --retention-learning-rate or more epochs "
                "let the search go further."
            )
        keras.utils.set_random_seed(self.seed + 1)
        start = time.perf_counter()
        result, course = steps.search(
            run.step("fine-tune").load_model(),
            data,
            epochs,
            task.learning_rate,
            task.retention_learning_rate,
            folder.backup,
            task.strength,
            self.basis,
            self.xla,
            self.visibility,
        )
        reduction = result.model.reduction
        retention = RetentionConfiguration.from_search(result.model)
        parameters = reduction.retention_parameters(result.model)
        write_json(
            folder.path / "masses.json",
            {
                **course,
                "final_masses": reduction.masses(result.model),
                "retention_parameters": [values.tolist() for values in parameters],
            },
        )
        try:
            plots.draw_search(course, parameters, retention, folder.path / "masses.png")
        except InputError as error:
            print(f"No picture of the search: {error}")
        run.write_retention(retention)
        folder.finish(result, time.perf_counter() - start, retention=str(retention))

    def _re_train(self, run, task, data, source):
        folder = run.step("re-train")
        if self._announce(folder, f"3/3 re-train with {run.retention()}"):
            return
        keras.utils.set_random_seed(self.seed + 2)
        start = time.perf_counter()
        result = steps.re_train(
            run.step(source).load_model(),
            data,
            self.step_epochs(task)["re-train"],
            task.learning_rate,
            folder.backup,
            run.retention(),
            self.xla,
        )
        folder.finish(result, time.perf_counter() - start)

    @staticmethod
    def _announce(folder, title):
        print(f"\n[{title}]{' done before' if folder.finished else ''}", flush=True)
        if folder.finished:
            # There still, where the run was killed between the last file and its removal.
            shutil.rmtree(folder.backup, ignore_errors=True)
        return folder.finished

    def step_epochs(self, task):
        """The epochs of each step, a dict."""
        given = {
            "fine-tune": self.fine_tuning_epochs,
            "search": self.search_epochs,
            "re-train": self.retraining_epochs,
        }
        return {name: value or self.epochs or task.epochs for name, value in given.items()}

    def _with_options(self, task):
        given = {
            name: getattr(self, name)
            for name in (
                "metric",
                "sequence_length",
                "batch_size",
                "learning_rate",
                "retention_learning_rate",
                "strength",
            )
            if getattr(self, name) is not None
        }
        return dataclasses.replace(task, **given)

    def check(self):
        """Raises InputError where an option is out of range."""
        for name in (
            "train_examples",
            "dev_examples",
            "sequence_length",
            "batch_size",
            "learning_rate",
            "retention_learning_rate",
            "epochs",
            "fine_tuning_epochs",
            "search_epochs",
            "retraining_epochs",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"`{name}` must be positive. Received: {name}={value}")
        if self.strength is not None and not 0 <= self.strength < math.inf:
            raise InputError(f"`strength` must be at least 0. Received: strength={self.strength}")
        if self.skip_fine_tuning and (self.fine_tuned or self.fine_tuning_epochs):
            raise InputError(
                "`skip_fine_tuning` leaves nothing for `fine_tuned` or `fine_tuning_epochs`: give "
                "one of them"
            )
        if not 0 <= self.seed < 2**32 - len(STEPS):
            raise InputError(
                f"`seed` must be from 0 to {2**32 - len(STEPS) - 1}. Received: seed={self.seed}"
            )
        for name, allowed in (("basis", ("absolute", "relative")), ("dtype", DTYPES)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"`{name}` must be one of {', '.join(allowed)}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )

    def _check_limit(self):
        for name, least in (("max_drop", 0.0), ("speedup", 1.0)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise InputError(f"`{name}` must be at least {least:g}. Received: {name}={value}")
        if None not in (self.max_drop, self.speedup):
            raise InputError(
                "give `max_drop` or `speedup`, not both. "
                f"Received: max_drop={self.max_drop:g}, speedup={self.speedup:g}"
            )
        if self.trials < 1:
            raise InputError(f"`trials` must be at least 1. Received: trials={self.trials}")
        if self.against not in SPEEDS:
            raise InputError(
                f"`against` must be one of {', '.join(SPEEDS)}. Received: against={self.against!r}"
            )
        if self.strength == 0:
            raise InputError("`strength` must be above 0 to begin with. Received: strength=0")
        if self.retention is not None:
            raise InputError(
                "`retention` leaves nothing to find for `max_drop` or `speedup`. "
                f"Received: retention={self.retention!r}"
            )

    def _tokenizer(self, checkpoint):
        lowercase = not self.cased and checkpoint.lowercase is not False
        if checkpoint.vocabulary is None:
            # Says what is missing.
            tokenizer_from_folder(checkpoint.files[0].parent, lowercase)
        tokenizer = tokenizer_from_file(checkpoint.vocabulary, lowercase)
        if tokenizer.vocabulary_size > checkpoint.config.vocabulary_size:
            raise InputError(
                f"{checkpoint.vocabulary} must not have more pieces than there are word "
                f"embeddings, {checkpoint.config.vocabulary_size}. "
                f"Received: {tokenizer.vocabulary_size}"
            )
        return tokenizer


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
