"""One run to be made: the steps of a method in a folder; what is done stays, the rest is done."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import shutil
import time

import keras
import numpy as np

from power_bert_tf.data import Preprocessor
from power_bert_tf.errors import InputError
from power_bert_tf.methods import get_method
from power_bert_tf.methods.method import BERT_STEPS
from power_bert_tf.methods.method import CONTROL
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.methods.method import MODEL
from power_bert_tf.methods.method import Control
from power_bert_tf.methods.method import FineTune
from power_bert_tf.methods.method import Plan
from power_bert_tf.methods.method import TakeFineTuned
from power_bert_tf.methods.method import Work
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs.folder import DEV
from power_bert_tf.runs.folder import SHARED
from power_bert_tf.runs.folder import TEST
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.lock import locked
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.options import as_json
from power_bert_tf.runs.scores import bert_at_its_best
from power_bert_tf.runs.sources import Data
from power_bert_tf.runs.sources import tokenizer_for
from power_bert_tf.training.metrics import check_metric
from power_bert_tf.training.metrics import constant_score
from power_bert_tf.training.training_data import TrainingData

# A BERT that has not learnt all it can makes every method look good: on SST-2, of 8,000 sentences,
# two epochs lose nearly two points against four, and ten are no better than four.
_FINE_TUNING_EPOCHS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """Everything that a run is made from.

    Args:
        checkpoint: str, what `open_checkpoint` takes.
        output: path of the run folder.
        method: str, the method's name.
        options: the method's own options, as they are given.
        training: `TrainingOptions`.
        data: `Data`.
        control_epochs: int, of the control; those of the method's steps together where None.
    """

    checkpoint: str
    output: pathlib.Path
    method: str
    options: object
    training: TrainingOptions
    data: Data
    control_epochs: int | None = None

    @functools.cached_property
    def _opened(self):
        return open_checkpoint(self.checkpoint)

    @property
    def steps_per_epoch(self):
        """Training steps an epoch."""
        return max(1, len(self.data.train) // self._batch_size)

    @property
    def epoch_length(self):
        """The same in words."""
        return f"{self.steps_per_epoch} training step{'s' * (self.steps_per_epoch > 1)}"

    @property
    def _batch_size(self):
        return min(self.data.task.batch_size, len(self.data.train))

    def plan(self):
        """What the method builds its steps from, a `Plan` with resolved options."""
        return self._planned(get_method(self.method).resolve)

    def tuned(self, **target):
        """The same job with the options that the method chooses for a tuning.

        Args:
            **target: see `Method.for_tuning`.
        """
        resolve = functools.partial(get_method(self.method).for_tuning, **target)
        return dataclasses.replace(self, options=self._planned(resolve).options)

    def _planned(self, resolve):
        task = self.data.task
        layers = self._opened.config.num_layers
        patience = self.training.patience
        given = self.training.learning_rate is not None
        plan = Plan(task, self.options, task.epochs, self.steps_per_epoch, layers, patience, given)
        return dataclasses.replace(plan, options=resolve(plan))

    def steps(self):
        """The steps of the run, a tuple of `Step`."""
        plan, training, rate = self.plan(), self.training, self.data.task.learning_rate
        usual = training.epochs or max(_FINE_TUNING_EPOCHS, plan.epochs)
        epochs = training.fine_tuning_epochs or usual
        best_epochs = get_method(self.method).fine_tuned_epochs
        first = FineTune(epochs, rate, training.patience, best_epochs)
        if training.skip_fine_tuning:
            first = TakeFineTuned()
        steps = get_method(self.method).steps(plan)
        epochs = self.control_epochs or total_epochs(steps)
        if training.no_control or not epochs:
            return (first, *steps)
        return (first, Control(epochs, rate), *steps)

    def run(self, last=None):
        """Does the steps that are not done yet.

        Args:
            last: str, the name of the step to end with; all of them where None.

        Returns:
            The `RunFolder`.

        Raises:
            InputError: where an option, a file or the run folder cannot be used. Nothing is left
                behind then.
        """
        training, task = self.training, self.data.task
        training.check()
        check_metric(task.metric, task.num_classes, task.choices)
        tokenizer = tokenizer_for(self._opened, training.cased)
        preprocessor = Preprocessor(tokenizer, task.sequence_length, task.truncation)
        # Fails where N is too small for the special tokens of a pair.
        first = self.data.dev.select(np.arange(1))
        preprocessor.encode(first.texts, first.text_pairs)
        steps = self.steps()
        # Built before the run folder is touched, so that a checkpoint that cannot be used leaves
        # nothing behind.
        keras.utils.set_random_seed(training.seed)
        begun = [self._starting_model()]
        settings = self._settings(steps, tokenizer)
        adopted = self._fine_tuned(settings["identity"])
        run = RunFolder.begin(self.output, settings, tokenizer, self._sets(), self.data.train)
        with locked(run.path):
            self._do_steps(run, steps, begun, adopted, preprocessor, last)
        return run

    def _do_steps(self, run, steps, begun, adopted, preprocessor, last):
        settings = run.settings()
        for name in self._adoptable(steps, adopted, settings["identity"]):
            step = adopted.step(name)
            if step.finished and not run.step(name).finished:
                run.step(name).adopt(step)
        training = self.training
        data = TrainingData(
            self.data.train,
            self.data.dev,
            preprocessor,
            self.data.task.metric,
            self._batch_size,
            training.seed,
            training.group_by_length,
            training.xla,
        )
        todo = [step for step in steps if not run.step(step.name).finished]
        # A tuning and its like say what all of their runs cost.
        says_cost = last is None and adopted is None and todo
        if says_cost:
            print(
                f"Epochs, of {self.epoch_length}, at most: {named_epochs(todo)}",
                flush=True,
            )
        for index, step in enumerate(steps):
            self._do(run, steps, index, begun, data)
            if step.name == last:
                break
            if says_cost and step is todo[0]:
                _announce_time(run.step(step.name), todo[1:])

    def _do(self, run, steps, index, begun, data):
        """One step, unless it is finished.

        `begun` has the model that the first step begins with, if it has not been taken.
        """

        def start():
            return begun.pop() if begun else self._starting_model()

        step = steps[index]
        folder = run.step(step.name)
        done = " done before" if folder.finished else ""
        print(f"\n[{index + 1}/{len(steps)} {step.title}]{done}", flush=True)
        if folder.finished:
            # There still, where the run was killed between the last file and its removal.
            shutil.rmtree(folder.backup, ignore_errors=True)
            return
        if index > 0:
            keras.utils.set_random_seed(data.seed + _seed_number(steps, step))
            begun.clear()  # Its new weights were drawn for the first step.

        def finished(name):
            return run.finished_step(name).load_model()

        def bert_score():
            return run.step(bert_at_its_best(run)).metrics()["score"]

        work = Work(
            start,
            finished,
            data,
            folder.path,
            folder.backup,
            lambda name: run.finished_step(name).path,
            bert_score,
        )
        begin = time.perf_counter()
        result, findings = step.run(work)
        folder.finish(result, time.perf_counter() - begin, findings)
        if result.score is not None:
            self._say_if_at_chance(step, result.score)

    def _say_if_at_chance(self, step, score):
        """Prints what to try where a model has learnt nothing, or lost what it knew."""
        task, labels = self.data.task, self.data.dev.labels
        chance = constant_score(task.metric, labels, len(task.labels) or 1)
        if score > chance:
            return
        method = get_method(self.method)
        if step.name in BERT_STEPS:
            advice = "more --fine-tuning-epochs, another --learning-rate, or a look at the labels"
        elif method.strength is None:
            advice = "more epochs"
        else:
            advice = f"less of --{method.strength.replace('_', '-')}, or more epochs"
        print(
            f"Note: {task.metric} on dev is {score:.4f} after {step.name}; one answer for all "
            f"texts has {chance:.4f}. What may help: {advice}.",
            flush=True,
        )

    def _starting_model(self):
        checkpoint, task, training = self._opened, self.data.task, self.training
        new_head = False
        if checkpoint.head is not None:
            try:
                checkpoint.head.rows(task.head, task.num_classes, task.labels)
            except InputError as error:
                if training.skip_fine_tuning:
                    raise
                new_head = True
                print(f"Note: the checkpoint's head is left out, a new one is trained: {error}")
        elif training.skip_fine_tuning:
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
            dtype=training.dtype,
        )

    def _sets(self):
        data = self.data
        test = {} if data.test is None else {TEST: data.test}
        return {DEV: data.dev, **test, **data.further}

    def _settings(self, steps, tokenizer):
        training, data, checkpoint = self.training, self.data, self._opened
        options = as_json(self.plan().options)
        identity = {
            "method": self.method,
            "task": dataclasses.asdict(data.task),
            "options": options,
            "fine_tuning_epochs": total_epochs(steps[:1]),
            "control_epochs": total_epochs(step for step in steps if step.name == CONTROL),
            "patience": training.patience,
            "lowercase": tokenizer.lowercase,
            "dtype": training.dtype,
            "xla": training.xla,
            "group_by_length": training.group_by_length,
            "seed": training.seed,
            "train": data.train.fingerprint(),
            "dev": data.dev.fingerprint(),
            "test": None if data.test is None else data.test.fingerprint(),
            "checkpoint": _fingerprint(checkpoint.files),
            "vocabulary": _file_fingerprint(checkpoint.vocabulary),
        }
        if training.fine_tuned is not None:
            source = RunFolder.open(training.fine_tuned).finished_step(FINE_TUNE)
            identity["fine_tuned"] = _file_fingerprint(source.path / MODEL)
        return {
            "identity": identity,
            "steps": [step.name for step in steps],
            "checkpoint": _absolute(self.checkpoint),
            "training": as_json(training),
            "source": data.source,
            "held_out": data.held_out,
            "examples": {
                "train": len(data.train),
                **{name: len(examples) for name, examples in self._sets().items()},
            },
            "versions": {
                name: importlib.metadata.version(name)
                for name in ("power-bert-tf", "keras", "tensorflow", "tensorflow-text")
            },
        }

    def _fine_tuned(self, identity):
        """The `RunFolder` that this run goes on from, whose fine-tuning is finished, or None."""
        if self.training.fine_tuned is None:
            return None
        source = RunFolder.open(self.training.fine_tuned)
        source.check_identity(identity, SHARED)
        source.finished_step(FINE_TUNE)
        return source

    def _adoptable(self, steps, adopted, identity):
        """The names of the steps that another run's are taken for, if they are finished there."""
        if adopted is None:
            return []
        names = [step.name for step in steps if step.shared]
        theirs, method = adopted.settings()["identity"], get_method(self.method)
        same = theirs["method"] == self.method and theirs["train"] == identity["train"]
        if same:
            ours = method.shared_options(method.Options(**identity["options"]))
            same = ours == method.shared_options(method.Options(**theirs["options"]))
        return names if same else [name for name in names if name in BERT_STEPS]


def total_epochs(steps):
    """The most epochs that steps take together; one that trains nothing has none."""
    return sum(getattr(step, "epochs", 0) for step in steps)


def named_epochs(steps):
    """The most epochs of each step, such as "3 of fine-tune, 4 of control"."""
    return ", ".join(f"{total_epochs([step])} of {step.name}" for step in steps)


def _announce_time(folder, steps):
    """Says how long the steps that follow may take, by one that is done."""
    epochs = total_epochs(steps)
    if folder.metrics()["epochs"] and epochs:
        seconds = folder.seconds_an_epoch()
        print(
            f"\nAn epoch took {seconds:.0f} s. At that rate the other steps take at most "
            f"{epochs * seconds / 60:.0f} minutes.",
            flush=True,
        )


def _seed_number(steps, step):
    """A step's own number: the control has the last, so that it moves no other's."""
    names = [each.name for each in steps if each.name != CONTROL]
    return names.index(step.name) if step.name in names else len(names)


def _absolute(checkpoint):
    """A checkpoint's path, from anywhere; what is no path stays as it is."""
    path = os.path.expanduser(str(checkpoint))
    return os.path.abspath(path) if os.path.exists(path) else str(checkpoint)


def _fingerprint(paths):
    """Of one file that of its bytes; of several, that of theirs together."""
    fingerprints = [_file_fingerprint(path) for path in paths]
    if len(fingerprints) == 1:
        return fingerprints[0]
    return hashlib.sha256("".join(fingerprints).encode()).hexdigest()


def _file_fingerprint(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
