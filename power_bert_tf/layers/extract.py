"""The extract layer, which drops word-vectors for good."""

import keras
from keras import ops

from power_bert_tf.layers.ranking import prioritise
from power_bert_tf.layers.ranking import sorted_positions


def top_rows(priority, length):
    """The `length` rows of highest priority in their original order, ties to the earlier row.

    Args:
        priority: float tensor of shape (batch, rows).
        length: int, or int32 tensor where the rows are not known beforehand; at most rows.

    Returns:
        int32 tensor of shape (batch, length).
    """
    _, rows = ops.top_k(priority, length)
    return ops.cast(ops.sort(rows, axis=1), "int32")


def take_rows(tensor, rows):
    """Picks rows of each element of a batch.

    Flattening batch and rows turns the batched gather into a plain one, which TensorFlow's CPU
    kernels do more than ten times as fast.

    Args:
        tensor: tensor of shape (batch, n, ...).
        rows: int32 tensor of shape (batch, length).

    Returns:
        Tensor of shape (batch, length, ...).
    """
    batch, n = ops.shape(tensor)[:2]
    rest = ops.shape(tensor)[2:]
    flat_rows = ops.reshape(rows + ops.arange(batch, dtype="int32")[:, None] * n, (-1,))
    taken = ops.take(ops.reshape(tensor, (batch * n, *rest)), flat_rows, axis=0)
    return ops.reshape(taken, (batch, ops.shape(rows)[1], *rest))


def take_queries(by_query, rows):
    """Picks, in every head, the same queries of each element of a batch.

    Args:
        by_query: tensor of shape (batch, heads, queries, width).
        rows: int32 tensor of shape (batch, length).

    Returns:
        Tensor of shape (batch, heads, length, width).
    """
    batch, heads, queries, width = ops.shape(by_query)
    by_head = ops.reshape(by_query, (batch * heads, queries, width))
    taken = take_rows(by_head, ops.repeat(rows, heads, axis=0))
    return ops.reshape(taken, (batch, heads, ops.shape(rows)[1], width))


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Extract(keras.layers.Layer):
    """Keeps the word-vectors of highest score, in their original order.

    Stands between the two halves of self-attention: it picks the rows of the residual, of what is
    known of each query (keys and values of dropped words still serve this encoder) and of the mask.
    Nothing is computed any more for a row that is dropped; but where most rows stay, the graph for
    inference has averaged the values for all of them before, which takes less than copying
    probabilities.
    CLS, in row 0, is always kept. With `length` equal to the rows that come in, nothing changes.

    Args:
        length: int. Number of word-vectors to keep; inputs with fewer rows keep them all. None
            for as many as the largest budget.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, rows, hidden_dim).
        by_query: tensor of shape (batch, heads, rows, width): the attention probabilities, or
            the values that they have averaged; None where there is no attention yet.
        score: tensor of shape (batch, rows), by which rows are kept; no gradient flows into it.
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.
        budget: int tensor of shape (batch,) or None. The number of word-vectors that each text
            may keep itself; rows beyond it are masked, so that a text's answer does not depend
            on the longer ones beside it.

    Returns:
        hidden, by_query (where it is given) and padding_mask with `length` rows.

    Raises:
        ValueError: where `length` is below 1.

    Reference: PoWER-BERT, section 3.2 (word-vector extraction).
    """

    def __init__(self, length, **kwargs):
        # Under mixed precision autocasting would round the score, and tie what it tells apart.
        super().__init__(autocast=False, **kwargs)
        if length is not None and length < 1:
            raise ValueError(f"`length` must be at least 1. Received: length={length}")
        self.length = length

    def call(self, hidden, by_query, score, padding_mask, budget=None):
        score = ops.stop_gradient(ops.cast(score, "float32"))
        priority = prioritise(score, padding_mask)
        if budget is not None:
            padding_mask = self._within_budget(priority, padding_mask, budget)
            priority = prioritise(priority, padding_mask)
        length = self._kept(hidden, budget)
        if isinstance(length, int) and length >= ops.shape(hidden)[1]:
            taken = hidden, by_query, padding_mask
        else:
            rows = top_rows(priority, length)
            queries = None if by_query is None else take_queries(by_query, rows)
            taken = take_rows(hidden, rows), queries, take_rows(padding_mask, rows)
        return tuple(each for each in taken if each is not None)

    def _kept(self, hidden, budget):
        """How many rows stay: an int where that is known, or an int32 tensor."""
        if self.length is None:
            return ops.max(ops.cast(budget, "int32"))
        rows = ops.shape(hidden)[1]
        return self.length if isinstance(rows, int) else ops.minimum(self.length, rows)

    def _within_budget(self, priority, padding_mask, budget):
        kept = sorted_positions(priority) < ops.cast(budget, "int32")[:, None]
        return padding_mask * ops.cast(kept, padding_mask.dtype)

    def compute_output_spec(self, hidden, by_query, score, padding_mask, budget=None):
        rows = hidden.shape[1]
        length = None if None in (self.length, rows) else min(self.length, rows)
        kept = [
            keras.KerasTensor((hidden.shape[0], length, hidden.shape[2]), dtype=hidden.dtype),
            keras.KerasTensor((padding_mask.shape[0], length), dtype=padding_mask.dtype),
        ]
        if by_query is not None:
            batch, heads, _, width = by_query.shape
            shape = (batch, heads, length, width)
            kept.insert(1, keras.KerasTensor(shape, dtype=by_query.dtype))
        return tuple(kept)

    def get_config(self):
        config = super().get_config()
        config["length"] = self.length
        return config
