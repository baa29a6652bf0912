"""The soft-extract layer, which learns how many word-vectors to keep."""

import keras
from keras import ops

from power_bert_tf.layers.ranking import prioritise
from power_bert_tf.layers.ranking import sorted_positions
from power_bert_tf.methods.power_bert.constraints import UnitInterval

BASES = ("absolute", "relative")


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SoftExtract(keras.layers.Layer):
    """Multiplies each word-vector by the retention parameter of its sorted position.

    A parameter of zero is not yet elimination: the row keeps its share of attention in later
    encoders, and the normalisation behind the feed-forward block undoes much of the scaling. The
    model with extract layers, which really lacks the row, is re-trained for that.

    Holds N retention parameters in [0, 1], ones at first. Their sum is the *mass* of the
    encoder; `penalty * mass` is added to the loss, in float32. With all parameters at one the
    layer changes nothing, exactly. The first one is that of CLS, which is never eliminated: it
    stays as it is while the others are trained.

    Args:
        length: int. N, the number of retention parameters.
        penalty: float. Weight of the mass in the loss: lambda times the encoder's index from 1.
        basis: "absolute": the word at sorted position k takes parameter k. "relative": position
            k of n words takes parameter floor(k * N / n), so that a short text uses them all.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, rows, hidden_dim), rows at most N.
        score: tensor of shape (batch, rows). CLS, in row 0, ranks first whatever its score.
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding, which
            ranks last.

    Returns:
        Tensor of the shape of `hidden`.

    Raises:
        ValueError: for a basis that is neither, or more than N rows.

    Reference: PoWER-BERT, section 3.3 (soft-extract layer, loss function).
    """

    def __init__(self, length, penalty=0.0, basis="absolute", **kwargs):
        # Under mixed precision autocasting would round the score, and tie what it tells apart.
        super().__init__(autocast=False, **kwargs)
        if basis not in BASES:
            raise ValueError(f"`basis` must be one of {BASES}. Received: basis={basis}")
        self.length = length
        self.penalty = penalty
        self.basis = basis

    def build(self, hidden_shape, score_shape=None, padding_mask_shape=None):
        self.retention = self.add_weight(
            name="retention",
            shape=(self.length,),
            initializer="ones",
            constraint=UnitInterval(),
            dtype="float32",
            # Under mixed precision a sum of rounded parameters would be off by a word or so.
            autocast=False,
        )

    def call(self, hidden, score, padding_mask):
        self._check_rows(hidden)
        # CLS is never eliminated, so its parameter is not learnt: scaling it away would train a
        # model for which nothing answers, and count one word-vector too few.
        retention = ops.concatenate([ops.stop_gradient(self.retention[:1]), self.retention[1:]])
        self.add_loss(self.penalty * ops.sum(retention))
        positions = sorted_positions(prioritise(ops.stop_gradient(score), padding_mask))
        if self.basis == "relative":
            words = ops.sum(ops.cast(padding_mask, "int32"), axis=1, keepdims=True)
            positions = ops.minimum(
                (positions * self.length) // ops.maximum(words, 1), self.length - 1
            )
        extent = ops.take(retention, positions, axis=0)
        return hidden * ops.cast(extent, hidden.dtype)[:, :, None]

    def _check_rows(self, hidden):
        # Not in `build`: a graph of another length may stand over the same retention parameters.
        if hidden.shape[1] is not None and hidden.shape[1] > self.length:
            raise ValueError(
                "`hidden` must have at most `length` rows. "
                f"Received: rows={hidden.shape[1]}, length={self.length}"
            )

    def mass(self):
        """The sum of the retention parameters, in word-vectors out of `length`."""
        return float(ops.convert_to_numpy(self.retention).astype("float64").sum())

    def compute_output_spec(self, hidden, score, padding_mask):
        self._check_rows(hidden)
        return keras.KerasTensor(hidden.shape, dtype=hidden.dtype)

    def get_config(self):
        config = super().get_config()
        config.update({"length": self.length, "penalty": self.penalty, "basis": self.basis})
        return config
