"""Packed rows: the word-vectors of all texts of a batch, one below the other, without padding.

A batch of texts has two forms. In the padded one a tensor is (batch, rows, ...), and a mask tells
words from padding. In the packed one it is (total, ...), where total counts the words of all texts.
Attention needs the first; everything else takes less time in the second. Gathers lead from one to
the other in both directions.
"""

import keras
from keras import ops

from power_bert_tf.layers.ranking import prioritise
from power_bert_tf.layers.ranking import sorted_positions


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Packing(keras.layers.Layer):
    """Where the rows that a mask names stand once they are packed.

    In the padded form they move together too: `longest` is the most rows that stay of any text.

    Call arguments:
        stays: int tensor of shape (batch, rows), 1 for a row that stays; each text has one.

    Returns:
        before: int32 tensor of shape (total,): where each packed row stood among batch * rows.
        flat: int32 tensor of shape (total,): where it stands among batch * longest.
        places: int32 tensor of shape (batch, longest): where each row of a text stands among the
            packed ones; some row or other beyond the text's end.
        padding_mask: int32 tensor of shape (batch, longest), 1 for rows that are there.
        rows: int32 tensor of shape (total,): which row of its text each packed one was.
    """

    def call(self, stays):
        stays = ops.cast(stays, "int32")
        # The largest number of rows is a dynamic one: TensorFlow's graphs, and no XLA.
        before = ops.cast(ops.nonzero(ops.reshape(stays, (-1,)))[0], "int32")
        counts = ops.sum(stays, axis=1)
        starts = ops.cumsum(counts) - counts
        rows, total, longest = ops.shape(stays)[1], ops.shape(before)[0], ops.max(counts, initial=0)
        following = ops.arange(longest, dtype="int32")[None, :]
        places = ops.minimum(starts[:, None] + following, total - 1)
        padding_mask = ops.cast(following < counts[:, None], "int32")
        text = before // rows
        flat = text * longest + ops.arange(total, dtype="int32") - take(starts, text)
        return before, flat, places, padding_mask, ops.mod(before, rows)

    def compute_output_spec(self, stays):
        by_text = (stays.shape[0], None)
        shapes = ((None,), (None,), by_text, by_text, (None,))
        return tuple(keras.KerasTensor(shape, dtype="int32") for shape in shapes)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class StayingRows(keras.layers.Layer):
    """Which rows stay: of each text those of highest priority, and CLS.

    Args:
        length: int. The most rows of any text; None for as many as its budget.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        priority: tensor of shape (batch, rows).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.
        budget: int tensor of shape (batch,) or None.

    Returns:
        int32 tensor of shape (batch, rows), the same rows that `Extract` keeps.
    """

    def __init__(self, length, **kwargs):
        # Under mixed precision autocasting would round the priority, and tie what it tells apart.
        super().__init__(autocast=False, **kwargs)
        self.length = length

    def call(self, priority, padding_mask, budget=None):
        ranks = sorted_positions(prioritise(ops.cast(priority, "float32"), padding_mask))
        stays = ops.cast(padding_mask, "int32")
        if self.length is not None:
            stays = stays * ops.cast(ranks < self.length, "int32")
        if budget is not None:
            stays = stays * ops.cast(ranks < ops.cast(budget, "int32")[:, None], "int32")
        return stays

    def compute_output_spec(self, priority, padding_mask, budget=None):
        return keras.KerasTensor(padding_mask.shape, dtype="int32")

    def get_config(self):
        config = super().get_config()
        config["length"] = self.length
        return config


def take(tensor, indices):
    """Rows of a tensor (total, ...) by an int tensor of any shape."""
    return ops.take(tensor, indices, axis=0)


def flattened(tensor):
    """A tensor (batch, rows, ...) as (batch * rows, ...)."""
    return ops.reshape(tensor, (-1, *tensor.shape[2:]))
