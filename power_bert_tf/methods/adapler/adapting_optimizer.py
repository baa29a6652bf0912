"""The optimizer of AdapLeR: BERT and the predictors at one rate, what makes it fast at another."""

import re

from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.optimizers import two_rate_optimizer

# The eta of each encoder and the theta of each but the first.
THRESHOLDS = ".*_(threshold|pooling)/.*"
WARMUP = 0.06


def is_threshold(variable):
    """Whether a variable is an eta or a theta."""
    return re.match(THRESHOLDS, variable.path) is not None


def adapting_optimizer(learning_rate, threshold_learning_rate, steps, warmup=WARMUP):
    """The optimizer of the model that AdapLeR trains.

    BERT's weights and the predictors as in fine-tuning; eta and theta by Adam at a rate of their
    own, clipped likewise.

    Args:
        learning_rate: float, the peak for BERT's weights and the predictors.
        threshold_learning_rate: float, the peak for eta and theta.
        steps: int, the number of training steps in all.
        warmup: float, the share of steps that warm up.

    Returns:
        `keras.optimizers.MultiOptimizer`.

    Reference: AdapLeR (Modarressi et al., 2022), appendix D; its authors' code (Adam, clipping).
    """
    return two_rate_optimizer(
        fine_tuning_optimizer(learning_rate, steps, warmup),
        THRESHOLDS,
        threshold_learning_rate,
        steps,
        warmup,
        global_clipnorm=1.0,
        name="threshold_adam",
    )
