"""Constraints on weights."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class UnitInterval(keras.constraints.Constraint):
    """Clips every weight to [0, 1].

    The retention parameters of `SoftExtract` are the extent to which a word-vector is kept, so
    they stay between none and all of it (PoWER-BERT, section 3.3).

    Example:

    >>> UnitInterval()(np.array([-0.5, 0.25, 1.5]))
    [0.0, 0.25, 1.0]
    """

    def __call__(self, w):
        return ops.clip(w, 0.0, 1.0)
