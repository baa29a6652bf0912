"""The optimizer of the configuration search."""

from power_bert_tf.training.optimizers import adam_with_decay
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.optimizers import optimizer_by_path

# One learning rate for BERT, another for the retention parameters: a path pattern for each
# optimizer that is not the default.
RETENTION_PARAMETERS = ".*_soft_extract/.*"


def search_optimizer(learning_rate, retention_learning_rate, steps, warmup=0.1, weight_decay=0.01):
    """The optimizer of the configuration search: two learning rates (section 3.4).

    BERT's weights as in fine-tuning; the retention parameters by Adam at a higher rate, without
    weight decay, since the mass penalty is what pulls them down.

    Args:
        learning_rate: float, the peak for BERT's weights.
        retention_learning_rate: float, the peak for the retention parameters.
        steps: int, the number of training steps in all.
        warmup: float, the share of steps that warm up.
        weight_decay: float, for BERT's weights.

    Returns:
        `keras.optimizers.MultiOptimizer`.
    """
    bert = fine_tuning_optimizer(learning_rate, steps, warmup, weight_decay)
    retention = adam_with_decay(retention_learning_rate, steps, warmup, name="retention_adam")
    return optimizer_by_path(bert, {RETENTION_PARAMETERS: retention})
