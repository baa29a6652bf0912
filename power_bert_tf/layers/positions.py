"""Where each row of a text stands."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Positions(keras.layers.Layer):
    """Numbers the rows from 1, so that rows can be followed after others are dropped.

    Call arguments:
        padding_mask: int tensor of shape (batch, rows).

    Returns:
        int32 tensor of shape (batch, rows).
    """

    def call(self, padding_mask):
        return ops.cumsum(ops.ones_like(padding_mask, dtype="int32"), axis=1)

    def compute_output_spec(self, padding_mask):
        return keras.KerasTensor(padding_mask.shape, dtype="int32")
