"""How much a word-vector matters: the attention that it imposes on the others."""

import keras
from keras import ops


def significance(probabilities, padding_mask, count_self=False, count_padding=False):
    """Sig(w) of PoWER-BERT, section 3.2: attention summed over heads and over the other words.

    Args:
        probabilities: tensor of shape (batch, heads, queries, keys).
        padding_mask: int tensor of shape (batch, queries); padding is no word, so its queries
            are left out and the score does not depend on how far a text is padded.
        count_self: bool. Count the attention of a word to itself as well (the paper's formula;
            its text says "other words").
        count_padding: bool. Count the attention of padding as well, as the authors' code does;
            the score then depends on how far a text is padded.

    Returns:
        float32 tensor of shape (batch, keys).
    """
    by_query = ops.sum(ops.cast(probabilities, "float32"), axis=1)
    counted = ops.cast(padding_mask, "float32")
    if count_padding:
        counted = ops.ones_like(counted)
    if not count_self:
        # By a comparison, since other runtimes know no operation for diagonals.
        rows = ops.arange(ops.shape(by_query)[1])
        by_query = by_query * ops.cast(rows[:, None] != rows[None, :], "float32")
    return ops.squeeze(ops.matmul(counted[:, None, :], by_query), axis=1)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SignificanceScore(keras.layers.Layer):
    """Significance of each word-vector from the attention probabilities of its encoder.

    Args:
        count_self: bool. Count the attention of a word to itself as well.
        count_padding: bool. Count the attention of padding as well, as the authors' code does.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        probabilities: tensor of shape (batch, heads, rows, rows).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.

    Returns:
        Tensor of shape (batch, rows), float32 whatever the dtype policy: in 16 bits scores tie.
        No gradient flows through it.

    Reference: PoWER-BERT, section 3.2 (attention-based scoring).
    """

    def __init__(self, count_self=False, count_padding=False, **kwargs):
        super().__init__(**kwargs)
        self.count_self = count_self
        self.count_padding = count_padding

    def call(self, probabilities, padding_mask):
        probabilities = ops.stop_gradient(probabilities)
        return significance(probabilities, padding_mask, self.count_self, self.count_padding)

    def compute_output_spec(self, probabilities, padding_mask):
        shape = (probabilities.shape[0], probabilities.shape[3])
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self):
        config = super().get_config()
        config.update({"count_self": self.count_self, "count_padding": self.count_padding})
        return config
