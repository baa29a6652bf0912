"""How many word-vectors a mask lets stay."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class MaskBudget(keras.layers.Layer):
    """Counts the rows that a mask names, and CLS, which always stays.

    Call arguments:
        stays: int tensor of shape (batch, rows), 1 for a row that stays.

    Returns:
        int32 tensor of shape (batch,), at least 1.
    """

    def call(self, stays):
        return ops.sum(ops.cast(stays[:, 1:], "int32"), axis=1) + 1

    def compute_output_spec(self, stays):
        return keras.KerasTensor(stays.shape[:1], dtype="int32")
