"""How sure a score and a drop are, by the examples that they were measured on.

Paired bootstrap (Efron and Tibshirani, 1993) and McNemar's exact test (1947), by scipy. They know
of the examples alone: another seed of training moves a score too.
"""

import numpy as np
from scipy import stats

from power_bert_tf.training.metrics import answers
from power_bert_tf.training.metrics import task_score

CONFIDENCE = 0.95
_RESAMPLES = 1000
_SEED = 0


def standard_error(metric, labels, outputs):
    """The standard error of a score, by the bootstrap.

    Args:
        metric: str, see `task_score`.
        labels: array of shape (examples,).
        outputs: array, what the model answers, as `task_score` takes it.

    Returns:
        float, in the unit of the score; None with fewer than two examples.
    """
    return _bootstrap(metric, labels, lambda score: score(outputs))[0]


def drop_uncertainty(metric, labels, bert, reduced):
    """How sure the drop from one model to another is: both answer the same resampled examples.

    Args:
        metric, labels: see `standard_error`.
        bert, reduced: arrays, what the two models answer.

    Returns:
        dict, JSON-ready: `interval`, the drop in points of the metric, between which and which it
        is with a confidence of 95 %, and `standard_error` of it, both None with fewer than two
        examples; for classes and options also `only_bert_right` and `only_reduced_right`, the
        number of examples on which one of the two alone is right, and `p_value`, that of McNemar's
        exact test of whether the two are equally good.
    """
    error, interval = _bootstrap(metric, labels, lambda score: 100 * (score(bert) - score(reduced)))
    uncertainty = {"standard_error": error, "interval": interval}
    if metric == "spearman":
        return uncertainty
    right = [answers(labels, outputs) == labels for outputs in (bert, reduced)]
    only = [int(np.sum(one & ~other)) for one, other in (right, right[::-1])]
    p_value = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    return {
        **uncertainty,
        "only_bert_right": only[0],
        "only_reduced_right": only[1],
        "p_value": float(p_value),
    }


def _bootstrap(metric, labels, statistic):
    """Standard error and confidence interval of what `statistic` makes of a function of outputs."""
    labels = np.asarray(labels)
    if len(labels) < 2:
        return None, None

    def resampled(rows):
        def score(outputs):
            by_example = np.reshape(outputs, (len(labels), -1))[rows]
            return task_score(metric, labels[rows], by_example)

        return statistic(score)

    result = stats.bootstrap(
        (np.arange(len(labels)),),
        resampled,
        n_resamples=_RESAMPLES,
        confidence_level=CONFIDENCE,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    return float(result.standard_error), [float(bound) for bound in result.confidence_interval]
