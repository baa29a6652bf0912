"""How many word-vectors a text may keep, from its own length."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class RelativeBudget(keras.layers.Layer):
    """ceil(length * n / reference_length) for a text of n words, in whole numbers.

    Args:
        length: int. Word-vectors kept of a text of `reference_length` words.
        reference_length: int.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        padding_mask: int tensor of shape (batch, N), of the input and not of an encoder.

    Returns:
        int32 tensor of shape (batch,), at least 1.
    """

    def __init__(self, length, reference_length, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.reference_length = reference_length

    def call(self, padding_mask):
        words = ops.sum(ops.cast(padding_mask, "int32"), axis=1)
        # Rounded up without negative numbers, whose quotient other runtimes round towards zero.
        kept = (self.length * words + self.reference_length - 1) // self.reference_length
        return ops.maximum(kept, 1)

    def compute_output_spec(self, padding_mask):
        return keras.KerasTensor(padding_mask.shape[:1], dtype="int32")

    def get_config(self):
        config = super().get_config()
        config.update({"length": self.length, "reference_length": self.reference_length})
        return config
