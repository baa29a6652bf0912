"""The first half of self-attention: the probabilities, handed out."""

import keras
from keras import ops

from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.packing import take


def split_heads(projected, num_heads):
    """Splits the last axis of (batch, rows, heads * dim) and gives (batch, heads, rows, dim)."""
    batch, rows, width = ops.shape(projected)
    split = ops.reshape(projected, (batch, rows, num_heads, width // num_heads))
    return ops.transpose(split, (0, 2, 1, 3))


def attention_probabilities(query, key, padding_mask, attention_bias=None):
    """Scaled dot-product attention in which no word attends to padding.

    Args:
        query, key: tensors of shape (batch, heads, rows, key_dim).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.
        attention_bias: float tensor of shape (batch, rows) or None, added to what every query
            gives to a row, before the softmax.

    Returns:
        Tensor of shape (batch, heads, queries, keys); each row sums to 1.
    """
    scale = 1.0 / (query.shape[-1] ** 0.5)
    scores = ops.matmul(query * ops.cast(scale, query.dtype), ops.transpose(key, (0, 1, 3, 2)))
    if attention_bias is not None:
        scores = scores + ops.cast(attention_bias, scores.dtype)[:, None, None, :]
    # The largest magnitude that every 16-bit float type holds with room for the score itself.
    hidden_score = -3e4 if keras.backend.standardize_dtype(scores.dtype) == "float16" else -1e9
    visible = ops.cast(padding_mask, "bool")[:, None, None, :]
    if scores.shape[-1] == 1:
        # A word that is alone has all of its own attention. Keras warns of a softmax over one.
        return ops.exp(scores - scores)
    return ops.softmax(ops.where(visible, scores, ops.cast(hidden_score, scores.dtype)))


def fused_attention(query, key, values, padding_mask, attention_bias=None):
    """Values averaged by `attention_probabilities`, which never stand in memory as a whole.

    Args:
        query: tensor of shape (batch, heads, queries, key_dim).
        key: tensor of shape (batch, heads, rows, key_dim).
        values: tensor of shape (batch, heads, rows, value_dim).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.
        attention_bias: float tensor of shape (batch, rows) or None.

    Returns:
        Tensor of shape (batch, heads, queries, value_dim).
    """
    by_row = (ops.transpose(each, (0, 2, 1, 3)) for each in (query, key, values))
    mask = ops.cast(padding_mask, "bool")[:, None, None, :]
    bias = None
    if attention_bias is not None:
        bias = ops.cast(attention_bias, query.dtype)[:, None, None, :]
    return ops.transpose(ops.dot_product_attention(*by_row, bias=bias, mask=mask), (0, 2, 1, 3))


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SelfAttention(keras.layers.Layer):
    """Attention probabilities and values, not yet multiplied.

    BERT's self-attention stops here half-way, because PoWER-BERT scores a word-vector by the
    probabilities, and decides from the score which rows `AttentionOutput` has to compute at all.

    Args:
        num_heads: int. Number of attention heads.
        key_dim: int. Width of a query and of a key, per head.
        value_dim: int. Width of a value, per head. `key_dim` where None.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, rows, hidden_dim).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.
        attention_bias: float tensor of shape (batch, rows) or None. Added to the score that every
            query gives to a row, before the softmax.
        queries: int. Only the first rows ask; all where None.
        fused: bool. Average the values right away, by the backend's fused attention, and hand
            out no probabilities. For inference: there is no dropout between.
        places: int tensor of shape (batch, rows) or None. `hidden` is of packed rows, (total,
            hidden_dim), and this is where each row of a text stands there; see `Packing`.

    Returns:
        probabilities: tensor of shape (batch, num_heads, queries, rows), before any dropout.
        values: tensor of shape (batch, num_heads, rows, value_dim).
        Where fused, one tensor: the averaged values, (batch, num_heads, queries, value_dim).

    Reference: PoWER-BERT, section 2 (self-attention mechanism).
    """

    def __init__(self, num_heads, key_dim, value_dim=None, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim or key_dim

    def build(
        self,
        hidden_shape,
        padding_mask_shape=None,
        attention_bias_shape=None,
        places_shape=None,
    ):
        self.query = self._projection("query", self.key_dim, hidden_shape)
        self.key = self._projection("key", self.key_dim, hidden_shape)
        self.value = self._projection("value", self.value_dim, hidden_shape)

    def _projection(self, name, head_dim, hidden_shape):
        projection = keras.layers.Dense(
            self.num_heads * head_dim,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )
        projection.build(hidden_shape)
        return projection

    def call(
        self,
        hidden,
        padding_mask,
        attention_bias=None,
        queries=None,
        fused=False,
        places=None,
    ):
        if places is None:
            projected = self.query(hidden[:, :queries]), self.key(hidden), self.value(hidden)
        else:
            # Projected without padding; by text only where texts must not see each other.
            if queries is None:
                query = take(self.query(hidden), places)
            else:
                query = self.query(take(hidden, places[:, :queries]))
            projected = query, take(self.key(hidden), places), take(self.value(hidden), places)
        query, key, values = (split_heads(each, self.num_heads) for each in projected)
        if fused:
            return fused_attention(query, key, values, padding_mask, attention_bias)
        return attention_probabilities(query, key, padding_mask, attention_bias), values

    def compute_output_spec(
        self,
        hidden,
        padding_mask,
        attention_bias=None,
        queries=None,
        fused=False,
        places=None,
    ):
        batch, rows = padding_mask.shape
        asked = rows if queries is None else queries
        if fused:
            shape = (batch, self.num_heads, asked, self.value_dim)
            return keras.KerasTensor(shape, dtype=self.compute_dtype)
        return tuple(
            keras.KerasTensor((batch, self.num_heads, *shape), dtype=self.compute_dtype)
            for shape in ((asked, rows), (rows, self.value_dim))
        )

    def get_config(self):
        config = super().get_config()
        config.update(
            {"num_heads": self.num_heads, "key_dim": self.key_dim, "value_dim": self.value_dim}
        )
        return config
