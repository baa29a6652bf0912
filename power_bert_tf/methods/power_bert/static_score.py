"""Scores that depend on the position alone: the paper's static strategies."""

import keras
import numpy as np
from keras import ops

STRATEGIES = ("head", "random")
# Of inputs whose length is not known beforehand.
_MOST_ROWS = 1 << 16


@keras.saving.register_keras_serializable(package="power_bert_tf")
class StaticScore(keras.layers.Layer):
    """A fixed score for each position, the same for every text.

    "head" prefers the first positions (Head-WS); "random" prefers positions drawn once
    (Rand-WS). As everywhere in this package CLS ranks first and padding last, so that an answer
    does not depend on how far a text is padded; the paper's static strategies do keep padding
    that stands at a chosen position.

    Args:
        strategy: "head" or "random".
        seed: int. Draws the positions of "random".
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.

    Returns:
        float32 tensor of shape (batch, rows).

    Raises:
        ValueError: for another strategy.

    Reference: PoWER-BERT, section 3.2 (static and dynamic strategies).
    """

    def __init__(self, strategy, seed=0, **kwargs):
        super().__init__(**kwargs)
        if strategy not in STRATEGIES:
            raise ValueError(
                f"`strategy` must be one of {STRATEGIES}. Received: strategy={strategy}"
            )
        self.strategy = strategy
        self.seed = seed

    def call(self, padding_mask):
        rows = padding_mask.shape[1] or _MOST_ROWS
        if self.strategy == "head":
            by_position = -np.arange(rows)
        else:
            # A longer input draws the same numbers for the positions that a shorter one has.
            by_position = np.random.default_rng(self.seed).random(rows)
        # Positions count words alone: masked rows may stand between them, more or fewer with
        # the length of the input.
        positions = ops.maximum(ops.cumsum(ops.cast(padding_mask, "int32"), axis=1) - 1, 0)
        return ops.take(ops.convert_to_tensor(by_position.astype("float32")), positions, axis=0)

    def compute_output_spec(self, padding_mask):
        return keras.KerasTensor(padding_mask.shape, dtype="float32")

    def get_config(self):
        config = super().get_config()
        config.update({"strategy": self.strategy, "seed": self.seed})
        return config
