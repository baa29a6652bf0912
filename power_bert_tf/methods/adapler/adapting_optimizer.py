"""The optimizer of AdapLeR: one rate for BERT, one for predictors, one for thresholds."""

import re

from power_bert_tf.training.optimizers import adam_with_decay
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.optimizers import optimizer_by_path

PREDICTORS = ".*_contribution/.*"
# The eta of each encoder and the theta of each but the first.
THRESHOLDS = ".*_(threshold|pooling)/.*"
WARMUP = 0.06


def is_threshold(variable):
    """Whether a variable is an eta or a theta."""
    return re.match(THRESHOLDS, variable.path) is not None


def adapting_optimizer(
    learning_rate, predictor_learning_rate, threshold_learning_rate, steps, warmup=WARMUP
):
    """The optimizer of the model that AdapLeR trains.

    BERT's weights and the predictors as in fine-tuning, each at a rate of its own: predictors
    begin with random weights, and learn little at BERT's rate in a short training. Eta and theta
    by Adam, clipped likewise.

    Args:
        learning_rate: float, the peak for BERT's weights.
        predictor_learning_rate: float, the peak for the predictors; the authors have BERT's.
        threshold_learning_rate: float, the peak for eta and theta.
        steps: int, the number of training steps in all.
        warmup: float, the share of steps that warm up.

    Returns:
        `keras.optimizers.MultiOptimizer`.

    Reference: AdapLeR (Modarressi et al., 2022), appendix D; its authors' code (Adam, clipping).
    """
    thresholds = adam_with_decay(
        threshold_learning_rate, steps, warmup, global_clipnorm=1.0, name="threshold_adam"
    )
    return optimizer_by_path(
        fine_tuning_optimizer(learning_rate, steps, warmup),
        {
            PREDICTORS: fine_tuning_optimizer(predictor_learning_rate, steps, warmup),
            THRESHOLDS: thresholds,
        },
    )
