"""What a method is: a name, its options, and the steps that it trains in.

All that comes after (run folders, reports, tuning, exports, tracing) asks the `Method` and names
none. A new method is a folder beside `power_bert` and a line in the registry of this package.
"""

import dataclasses
import pathlib
import typing

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.training_data import TrainingData
from power_bert_tf.training.training_data import TrainingResult

FINE_TUNE, CONTROL = "fine-tune", "control"
MODEL, _RUNNER_UP = "model.keras", "runner-up"
# The steps whose model is a whole BERT; all others are a method's own.
BERT_STEPS = (FINE_TUNE, CONTROL)


@dataclasses.dataclass(frozen=True)
class Work:
    """What a step works with.

    Args:
        start: function that gives a new `BertClassifier` over the checkpoint.
        finished: function from the name of an earlier step to the `BertClassifier` that it made.
        data: `TrainingData`.
        folder: path of the step's own folder; what a step writes there is part of the run.
        backup: path where the state after each epoch stands while the step runs.
        folder_of: function from the name of an earlier step to the path of its folder.
        bert_score: function of nothing to the dev score of BERT at its best: of the better one of
            `BERT_STEPS`, once they are done.
    """

    start: typing.Callable
    finished: typing.Callable
    data: TrainingData
    folder: pathlib.Path
    backup: pathlib.Path
    folder_of: typing.Callable | None = None
    bert_score: typing.Callable | None = None


class Step:
    """One step of a method. `run` does it, however it likes; most steps are a `TrainingStep`.

    Attributes:
        name: str, the name of its folder.
        title: str, what is printed when it begins.
        shared: bool. The strength plays no part in it, so that it is done once for all trials of a
            tuning.
    """

    name: str
    shared = False

    @property
    def title(self):
        return self.name

    def run(self, work):
        """Does the work.

        Args:
            work: `Work`.

        Returns:
            `TrainingResult`, whose model is None where the step makes none, and findings, a
            JSON-ready dict of what later steps, the report and the tuning may ask for.
        """
        raise NotImplementedError


class TrainingStep(Step):
    """A step that trains a model with `model.fit`.

    Attributes:
        epochs: int.
        keeps_best: bool. Whether the best epoch is kept, or the last.
        monitor: str, the log whose highest value marks the best epoch; the task's metric where
            None.
        patience: int. Ends after so many epochs that are no better than the best; None trains
            through all of them.
        best_epochs: int, how many of the best epochs are kept.
    """

    epochs: int
    keeps_best = True
    monitor = None
    patience = None
    best_epochs = 1

    def build(self, work):
        """The `BertClassifier` that is trained, in place."""
        raise NotImplementedError

    def optimizer(self, steps):
        """The optimizer for so many training steps in all."""
        raise NotImplementedError

    def callbacks(self, work):
        """Keras callbacks that watch the training."""
        return ()

    def findings(self, result, work):
        """What the step leaves behind beside its model: a JSON-ready dict."""
        return {}

    def run(self, work):
        # TensorFlow's: a method can be asked for its reduction without.
        from power_bert_tf.training.loop import train

        model = self.build(work)
        optimizer = self.optimizer(self.epochs * work.data.steps_per_epoch)
        callbacks = self.callbacks(work)
        result = train(
            model,
            optimizer,
            work.data,
            self.epochs,
            work.backup,
            self.keeps_best,
            callbacks,
            self.patience,
            self.monitor,
            self.best_epochs,
        )
        for number, write in enumerate(result.runners_up, start=1):
            write_file(work.folder / f"{_RUNNER_UP}-{number}.keras", write)
        return result, self.findings(result, work)


@dataclasses.dataclass(frozen=True)
class FineTune(TrainingStep):
    """BERT learns the task: the first step of every method. Keeps the best epoch.

    Args:
        epochs: int, at most.
        learning_rate: float, the peak.
        patience: int, see `TrainingStep`.
        best_epochs: int. How many of the best epochs are kept: those after the first stand beside
            the model, see `kept_models`.
    """

    epochs: int
    learning_rate: float
    patience: int | None = None
    best_epochs: int = 1
    name = FINE_TUNE
    shared = True

    def build(self, work):
        return work.start()

    def optimizer(self, steps):
        return fine_tuning_optimizer(self.learning_rate, steps)


def kept_models(folder):
    """The paths of the models that fine-tuning has kept, the best epoch's first.

    Args:
        folder: path of the finished step.
    """
    return [folder / MODEL, *sorted(folder.glob(f"{_RUNNER_UP}-*.keras"))]


@dataclasses.dataclass(frozen=True)
class TakeFineTuned(Step):
    """The first step for a checkpoint that has learnt the task elsewhere: it is measured alone."""

    name = FINE_TUNE
    title = f"{FINE_TUNE}, as the checkpoint is"
    shared = True

    def run(self, work):
        from power_bert_tf.training.loop import evaluate

        model = work.start()
        score = evaluate(model, work.data)
        print(f"{work.data.metric} on dev: {score:.4f}")
        return TrainingResult(model, [], 0, score), {}


@dataclasses.dataclass(frozen=True)
class Control(TrainingStep):
    """The fine-tuned BERT goes on learning for as long as the method's steps take.

    What a method's model loses is measured against the better of the two: a BERT that was not
    given the same number of steps would make any method look good. Keeps the best epoch.

    Args:
        epochs: int, of all of the method's steps together.
        learning_rate: float, the peak.
    """

    epochs: int
    learning_rate: float
    name = CONTROL
    shared = True
    title = f"{CONTROL}: the fine-tuned BERT, trained on"

    def build(self, work):
        return work.finished(FINE_TUNE)

    def optimizer(self, steps):
        return fine_tuning_optimizer(self.learning_rate, steps)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a method builds its steps from.

    Args:
        task: `Task`, with the values that hold for the run.
        options: the method's own options, an instance of `Method.Options`.
        epochs: int, of each step whose options say nothing else.
        steps_per_epoch: int, training steps.
        num_layers: int, encoders.
        patience: int, see `TrainingStep`; for the steps that keep their best epoch.
        learning_rate_given: bool. The user has chosen the task's learning rate.
    """

    task: typing.Any
    options: typing.Any
    epochs: int
    steps_per_epoch: int
    num_layers: int
    patience: int | None = None
    learning_rate_given: bool = False


class Method:
    """A way to make a fine-tuned BERT faster.

    Attributes:
        name: str, as `--method` takes it.
        title: str, as reports and pictures call its model.
        Options: frozen dataclass of the method's own options; all have defaults, and `check()`
            raises InputError where one is out of range. A docstring below a field is its help on
            the command line.
        strength: str, the option that `tune` and `trade_off` vary: more of it is faster and loses
            more. None where there is none, and nothing to tune.
        strengthened: str, the name of the step after which a model's speed, and a first score, are
            known; what follows wins score back.
        fine_tuned_epochs: int, how many of the best epochs of fine-tuning its steps work with.
    """

    name: str
    title: str
    Options: type
    strength = None
    strengthened = None
    fine_tuned_epochs = 1

    def resolve(self, plan):
        """The options with the values that hold where they say nothing, such as the task's own.

        Args:
            plan: `Plan`.

        Raises:
            InputError: where an option is out of range, or does not fit the model.
        """
        return plan.options

    def steps(self, plan):
        """The steps after fine-tuning, a sequence of `Step`.

        Args:
            plan: `Plan`, whose options are resolved.
        """
        raise NotImplementedError

    def configuration(self, options, model):
        """What was found, for reports: a JSON-ready dict.

        Args:
            options: resolved `Options`.
            model: the `BertClassifier` of the last step, or of the step `strengthened`.

        Returns:
            dict of at least `variant` (str, one of those of `variants`), `strength` (a float, or
            None where it played no part) and `text`, one line.
        """
        return {"variant": "", "strength": None, "text": type(model.reduction).__name__}

    def describe(self, configuration):
        """What the text of a configuration is, with how it came about, in words."""
        return "Reduction"

    def strength_text(self, configuration):
        """The strength of a configuration, for tables and pictures."""
        strength = configuration["strength"]
        return "given" if strength is None else f"{strength:g}"

    def point_label(self, configuration):
        """What stands beside a point of a picture, whose place says how fast it is."""
        return self.strength_text(configuration)

    def reduced(self, model):
        """The `Reduction` at inference of the model of the step `strengthened` or a later one."""
        return model.reduction

    def check_configuration(self, text, num_layers, sequence_length):
        """Raises InputError where `with_configuration` would, before there is a model."""
        raise InputError(f"{self.name} takes no configuration. Received: {text!r}")

    def with_configuration(self, model, text):
        """A `BertClassifier` over a copy of a model's weights with a configuration of one's own.

        Raises:
            InputError: where the method knows none.
        """
        self.check_configuration(text, model.config.num_layers, model.sequence_length)
        raise NotImplementedError

    def variants(self, options):
        """The names of what else `tune` and `trade_off` can vary, a sequence of str."""
        return ("",)

    def chosen_variants(self, options):
        """The names of the variants that `tune` is to try, a sequence of str."""
        return self.variants(options)

    def with_variant(self, options, name):
        """The options of one variant."""
        return options

    def shared_options(self, options):
        """The options that play a part in the steps that are shared, and defaults for the rest."""
        return self.Options()

    def searching(self, options):
        """The options without a configuration that is given, so that one is found."""
        return options

    def check_tuning(self, options):
        """Raises InputError where `tune` could find nothing with these options."""
        if self.strength is None:
            raise InputError(f"{self.name} has no strength that could be found")

    def for_tuning(self, plan, times=None, max_drop=None):
        """The options with what a tuning chooses by itself, such as a rate for its few steps.

        Args:
            plan: `Plan`.
            times: float, how many times fewer operations than BERT's are wanted, both without
                padding; None where that is not the target.
            max_drop: float, how many points of the metric may be lost; None where that is not the
                target.
        """
        return plan.options

    def strength_steps(self, options):
        """How wide `tune` steps from one strength to the next: arguments of `StrengthSearch`."""
        return {}

    def foretells(self, options):
        """Whether the score after the step `strengthened` says what training on can reach.

        Then `tune` gives up a trial that has lost too much by then.
        """
        return True

    def nothing_left(self, model):
        """Whether more strength could make `model`, of the step `strengthened`, no faster."""
        return False

    def pictures(self, folder):
        """Titles and paths of the pictures that the method's steps drew into a run's folder."""
        return {}

    @property
    def demo(self):
        """`Options` for `power-bert demo`."""
        return self.Options()
