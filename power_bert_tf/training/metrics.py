"""The metrics of the tasks, over the whole set at once."""

import keras
import numpy as np
from scipy import stats
from sklearn import metrics as sklearn_metrics

from power_bert_tf.errors import InputError


def answers(labels, outputs):
    """The class, or the option, with the highest score of each example: (examples,).

    Args:
        labels, outputs: see `task_score`.
    """
    # The options of a question are rows of one score each.
    return np.argmax(np.reshape(outputs, (len(labels), -1)), axis=-1)


def _accuracy(labels, outputs):
    return np.mean(answers(labels, outputs) == np.asarray(labels))


def _matthews(labels, outputs):
    given = answers(labels, outputs)
    if np.ptp(given) == 0 or np.ptp(labels) == 0:
        return 0.0  # What scikit-learn answers too, with a warning.
    return sklearn_metrics.matthews_corrcoef(labels, given)


def _f1(labels, outputs):
    return sklearn_metrics.f1_score(labels, answers(labels, outputs), zero_division=0.0)


def _spearman(labels, outputs):
    outputs = np.reshape(outputs, -1)
    if not (np.ptp(outputs) > 0 and np.ptp(labels) > 0):
        return 0.0  # A constant is correlated with nothing, and neither is NaN.
    return stats.spearmanr(labels, outputs).statistic


METRICS = {"accuracy": _accuracy, "matthews": _matthews, "f1": _f1, "spearman": _spearman}


def check_metric(metric, num_classes, choices=1):
    """Raises InputError unless the metric can measure a task.

    Args:
        metric: str, see `task_score`.
        num_classes: int, the number of classes; 1 for regression.
        choices: int, the number of options a question; 1 where it is not multiple choice.
    """
    kind = "regression" if num_classes == 1 else f"{num_classes} classes"
    allowed = {1: ("spearman",), 2: ("accuracy", "f1", "matthews")}
    allowed = allowed.get(num_classes, ("accuracy", "matthews"))
    if choices > 1:
        kind, allowed = "multiple choice", ("accuracy",)
    if metric not in allowed:
        raise InputError(
            f"`metric` must be one of {', '.join(allowed)} for {kind}. Received: metric={metric!r}"
        )


def task_score(metric, labels, outputs):
    """The score of a model's outputs in a task's metric.

    Args:
        metric: "accuracy", "matthews" (correlation), "f1" (of class 1) or "spearman".
        labels: array of shape (examples,), class indices, numbers or right options.
        outputs: array of shape (examples, classes), (examples, 1) for regression, or
            (examples * choices, 1) for multiple choice.

    Returns:
        float, at most 1.

    Raises:
        InputError: for another metric.
    """
    if metric not in METRICS:
        raise InputError(f"`metric` must be one of {sorted(METRICS)}. Received: metric={metric!r}")
    return float(METRICS[metric](labels, outputs))


def constant_score(metric, labels, count):
    """What the best answer scores that is the same for all examples: the level of chance.

    Args:
        metric, labels: see `task_score`.
        count: int, the number of classes or options; 1 for regression.
    """
    if count == 1:
        return 0.0
    constant = (np.tile(row, (len(labels), 1)) for row in np.eye(count))
    return max(task_score(metric, labels, outputs) for outputs in constant)


class DevScore(keras.callbacks.Callback):
    """Puts the task's own metric on the dev set into the logs of every epoch.

    Keras' metrics average over batches, which is wrong for correlations and F1.

    Args:
        dataset: tf.data of batches of (inputs, labels).
        labels: array of shape (examples,), in the order of `dataset`.
        metric: str, see `task_score`.
        scored: model whose answers count; the one that is trained where None.
    """

    def __init__(self, dataset, labels, metric, scored=None):
        super().__init__()
        self.dataset = dataset
        self.labels = labels
        self.metric = metric
        self.scored = scored
        self.log_name = f"dev_{metric}"

    def on_epoch_end(self, epoch, logs=None):
        scored = self.model if self.scored is None else self.scored
        outputs = scored.predict(self.dataset, verbose=0)
        logs[self.log_name] = task_score(self.metric, self.labels, outputs)
