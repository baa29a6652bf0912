"""What AdapLeR can be told, and the paper's own values for each task."""

import dataclasses
import math

from power_bert_tf.errors import InputError

# gamma and phi (AdapLeR, table 4), epochs and learning rate of the adapting step (table 3 and
# appendix D, where MRPC has ten epochs and 3e-5).
_PUBLISHED = {
    "sst2": (5e-3, 5e-4, 5, 2e-5),
    "imdb": (5e-3, 5e-4, 5, 2e-5),
    "hatexplain": (5e-2, 2e-2, 5, 3e-5),
    "mrpc": (3e-2, 5e-2, 10, 3e-5),
    "mnli-m": (5e-3, 5e-4, 3, 2e-5),
    "mnli-mm": (5e-3, 5e-4, 3, 2e-5),
    "qnli": (5e-3, 1e-4, 5, 2e-5),
    "agnews": (1e-1, 1e-1, 5, 2e-5),
    "dbpedia": (1e-1, 1e-1, 3, 2e-5),
}
# The middle of what is published, for tasks of one's own.
_OTHERWISE = (5e-3, 5e-3, 5, None)
# Lambda in the first epoch, and by what it grows after each, by the number of epochs (table 4).
_STEEPNESS = {3: (50.0, 50.0), 5: (10.0, 10.0), 10: (10.0, 3.0)}
_FIRST, _LAST = 10.0, 1e5
# The authors' rate of eta and theta, for tens of thousands of steps.
_THRESHOLD_RATE = 5e-4
# The authors' rule, in points.
_EPOCH_LIMIT = 1.0
# How far a number can go in a training: an eta from 0.25 to 1, and two thirds further; a weight of
# a predictor, which begins with random ones and has to learn in a short training too.
_THRESHOLD_DISTANCE, _PREDICTOR_DISTANCE = 1.25, 0.5


@dataclasses.dataclass(frozen=True)
class AdaplerOptions:
    """The options of AdapLeR. Where one is left out, the task's own value holds."""

    gamma: float | None = None
    """Weight of the predictors' loss, how far their contributions are from the saliency."""
    gammas: list[float] | None = None
    """For tuning and trade-offs: try each of these gammas."""
    phi: float | None = None
    """Weight of the number of words that are left: more of it is faster."""
    adapting_epochs: int | None = None
    """Epochs of the step that trains predictors and thresholds."""
    adapting_learning_rate: float | None = None
    """Its peak learning rate of BERT's weights; --learning-rate where that is given, or else the
    paper's."""
    predictor_learning_rate: float | None = None
    """Its peak learning rate of the predictors; one that fits the number of steps where left
    out."""
    threshold_learning_rate: float | None = None
    """Its peak learning rate of the thresholds; one that fits the number of steps where left
    out."""
    from_pretrained: bool = False
    """Adapt the pre-trained BERT, as the paper's authors do, and not the fine-tuned one."""
    no_separators: bool = False
    """[SEP] has no saliency; in the paper's code it has, as a word has."""
    epoch_limit: float | None = None
    """The fastest epoch is kept whose dev score is at most so many points below BERT's, the
    fine-tuned one's or the control's; --max-drop where that is given, or else 1."""

    def check(self):
        """Raises InputError where an option is out of range."""
        for name in (
            "adapting_epochs",
            "adapting_learning_rate",
            "predictor_learning_rate",
            "threshold_learning_rate",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"`{name}` must be positive. Received: {name}={value}")
        weights = [("gammas", gamma) for gamma in self.gammas or ()]
        for name in ("gamma", "phi", "epoch_limit"):
            weights.append((name, getattr(self, name)))
        for name, value in weights:
            if value is not None and not 0 <= value < math.inf:
                raise InputError(f"`{name}` must be at least 0. Received: {name}={value}")

    def with_published(self, task_name, learning_rate, is_given):
        """The options with the paper's values for a task where none are given.

        Args:
            task_name: str.
            learning_rate: float, that of the other steps.
            is_given: bool. The user has chosen it, so that it holds here too.
        """
        gamma, phi, epochs, rate = _PUBLISHED.get(task_name, _OTHERWISE)
        rate = learning_rate if is_given or rate is None else rate
        return dataclasses.replace(
            self,
            gamma=gamma if self.gamma is None else self.gamma,
            phi=phi if self.phi is None else self.phi,
            adapting_epochs=self.adapting_epochs or epochs,
            adapting_learning_rate=self.adapting_learning_rate or rate,
            epoch_limit=_EPOCH_LIMIT if self.epoch_limit is None else self.epoch_limit,
        )

    def with_fitting_rates(self, steps_per_epoch):
        """The options with rates of predictors and thresholds that fit the number of steps.

        At the authors' rates a short training would hardly move them.
        """
        # Keras': the options alone import nothing heavy.
        from power_bert_tf.training.schedules import rate_to_reach

        steps = self.adapting_epochs * steps_per_epoch
        predictors = max(self.adapting_learning_rate, rate_to_reach(_PREDICTOR_DISTANCE, steps))
        thresholds = max(_THRESHOLD_RATE, rate_to_reach(_THRESHOLD_DISTANCE, steps))
        return dataclasses.replace(
            self,
            predictor_learning_rate=self.predictor_learning_rate or predictors,
            threshold_learning_rate=self.threshold_learning_rate or thresholds,
        )

    @property
    def steepness(self):
        """Lambda in the first epoch, and by what it grows after each."""
        epochs = self.adapting_epochs
        if epochs == 1:
            return _LAST, 1.0
        return _STEEPNESS.get(epochs, (_FIRST, (_LAST / _FIRST) ** (1 / (epochs - 1))))


OPTIONS = AdaplerOptions
