"""The second half of self-attention: from the probabilities to new word-vectors."""

import keras
from keras import ops

from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.layer_norm import LayerNorm
from power_bert_tf.layers.packing import take


@keras.saving.register_keras_serializable(package="power_bert_tf")
class AttentionOutput(keras.layers.Layer):
    """Averages the values by the probabilities, projects, adds and normalises.

    Only the rows that come in are computed: where an extract layer has dropped queries from
    `hidden` and `probabilities`, their attention output and its projection are never made; where
    it has dropped them from values that were averaged before, their projection is not.

    Args:
        dropout: float. Dropout rate of the projection, during training.
        attention_dropout: float. Dropout rate of the probabilities, during training.
        layer_norm_epsilon: float. Added to the variance.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, queries, hidden_dim), the residual.
        probabilities: tensor of shape (batch, heads, queries, keys); None where `values` are
            averaged already.
        values: tensor of shape (batch, heads, keys, value_dim), averaged: queries in place of
            keys.
        flat: int tensor of shape (total,) or None. `hidden` is of packed rows, (total,
            hidden_dim), and this is where each of them stands among batch * queries; see
            `Packing`.

    Returns:
        Tensor of shape (batch, queries, hidden_dim); of packed rows (total, hidden_dim).
    """

    def __init__(self, dropout=0.1, attention_dropout=0.1, layer_norm_epsilon=1e-12, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.layer_norm_epsilon = layer_norm_epsilon

    def build(self, hidden_shape, probabilities_shape, values_shape, flat_shape=None):
        hidden_dim = hidden_shape[-1]
        self.attention_dropout_layer = keras.layers.Dropout(
            self.attention_dropout, dtype=self.dtype_policy, name="attention_dropout"
        )
        self.projection = keras.layers.Dense(
            hidden_dim,
            kernel_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name="projection",
        )
        self.projection.build((None, None, values_shape[1] * values_shape[3]))
        self.dropout_layer = keras.layers.Dropout(
            self.dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.layer_norm = LayerNorm(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.layer_norm.build(hidden_shape)

    def call(self, hidden, probabilities, values, flat=None, training=None):
        if probabilities is not None:
            probabilities = self.attention_dropout_layer(probabilities, training=training)
            values = ops.matmul(probabilities, values)
        context = ops.transpose(values, (0, 2, 1, 3))
        batch, queries, heads, value_dim = ops.shape(context)
        if flat is None:
            context = ops.reshape(context, (batch, queries, heads * value_dim))
        else:
            context = take(ops.reshape(context, (batch * queries, heads * value_dim)), flat)
        projected = self.dropout_layer(self.projection(context), training=training)
        return self.layer_norm(hidden + projected)

    def compute_output_spec(self, hidden, probabilities, values, flat=None, training=None):
        return keras.KerasTensor(hidden.shape, dtype=self.compute_dtype)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "dropout": self.dropout,
                "attention_dropout": self.attention_dropout,
                "layer_norm_epsilon": self.layer_norm_epsilon,
            }
        )
        return config
