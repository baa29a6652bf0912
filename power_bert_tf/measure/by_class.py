"""How a model does on each class, and of numbers more than their order."""

import numpy as np
from scipy import stats
from sklearn import metrics as sklearn_metrics

_BINS = 10


def class_figures(labels, outputs):
    """Precision, recall and F1 of each class, by scikit-learn; what is taken for what; calibration.

    Args:
        labels: int array (examples,), ids of classes.
        outputs: float array (examples, classes), probabilities.

    Returns:
        dict, JSON-ready: `precision`, `recall`, `f1` and `examples`, lists by class;
        `confusion`, how many examples of each class (rows) are found to be of each (columns); and
        `calibration_error`, see `calibration_error`.
    """
    found, classes = outputs.argmax(axis=1), np.arange(outputs.shape[1])
    precision, recall, f1, counts = sklearn_metrics.precision_recall_fscore_support(
        labels, found, labels=classes, zero_division=0.0
    )
    confusion = sklearn_metrics.confusion_matrix(labels, found, labels=classes)
    return {
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "examples": counts.tolist(),
        "confusion": confusion.tolist(),
        "calibration_error": calibration_error(labels, outputs),
    }


def calibration_error(labels, outputs):
    """The expected calibration error: how far confidence is from how often it is right.

    The mean over ten bins of confidence, by how many examples are in each.

    Args:
        labels, outputs: see `class_figures`.

    Returns:
        float from 0 to 1.

    Reference: Guo et al., On Calibration of Modern Neural Networks (ICML 2017), equation 3.
    """
    confidence, right = outputs.max(axis=1), outputs.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(confidence[bins == index].sum() - right[bins == index].sum()) for index in range(_BINS)
    ]
    return float(sum(gaps) / len(labels))


def number_figures(labels, outputs):
    """How far predicted numbers are off: a dict of `rmse` and `pearson`.

    Args:
        labels: float array (examples,).
        outputs: float array (examples, 1).
    """
    found = np.reshape(outputs, -1)
    varies = np.ptp(labels) > 0 and np.ptp(found) > 0
    return {
        "rmse": float(np.sqrt(np.mean((found - labels) ** 2))),
        # A constant is correlated with nothing.
        "pearson": float(stats.pearsonr(labels, found).statistic) if varies else 0.0,
    }


def most_changed(bert, reduced, count=10):
    """Rows of the examples that two models answer differently, by how much their answers change.

    Args:
        bert, reduced: float arrays (examples, classes), probabilities.
        count: int, the most rows.
    """
    change = np.abs(bert - reduced).max(axis=1)
    differ = np.flatnonzero(bert.argmax(axis=1) != reduced.argmax(axis=1))
    return differ[np.argsort(-change[differ], kind="stable")][:count]
