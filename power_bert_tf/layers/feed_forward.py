"""The feed-forward block of an encoder."""

import keras
from keras import ops

from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.layer_norm import LayerNorm

ACTIVATIONS = ("gelu", "gelu_tanh", "relu")


def activate(hidden, activation):
    """Applies one of `ACTIVATIONS` to a tensor."""
    if activation == "relu":
        return keras.activations.relu(hidden)
    if activation == "gelu_tanh":
        return keras.activations.gelu(hidden, approximate=True)
    # By erf, where Keras has erfc: TensorFlow and other runtimes fuse this with the product.
    normal = 1 + ops.erf(hidden * ops.cast(0.5**0.5, hidden.dtype))
    return hidden * ops.cast(0.5, hidden.dtype) * normal


@keras.saving.register_keras_serializable(package="power_bert_tf")
class FeedForward(keras.layers.Layer):
    """Two dense layers around an activation, added to the input and normalised.

    Args:
        intermediate_dim: int. Width between the two dense layers.
        activation: "gelu" (exact), "gelu_tanh" (its approximation) or "relu".
        dropout: float. Dropout rate of the output, during training.
        layer_norm_epsilon: float. Added to the variance.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, rows, hidden_dim).

    Returns:
        Tensor of shape (batch, rows, hidden_dim).

    Raises:
        ValueError: for an activation that is none of the three.
    """

    def __init__(
        self,
        intermediate_dim,
        activation="gelu",
        dropout=0.1,
        layer_norm_epsilon=1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {ACTIVATIONS}. Received: activation={activation}"
            )
        self.intermediate_dim = intermediate_dim
        self.activation = activation
        self.dropout = dropout
        self.layer_norm_epsilon = layer_norm_epsilon

    def build(self, hidden_shape):
        self.intermediate = self._dense("intermediate", self.intermediate_dim, hidden_shape[-1])
        self.output_projection = self._dense("output", hidden_shape[-1], self.intermediate_dim)
        self.dropout_layer = keras.layers.Dropout(
            self.dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.layer_norm = LayerNorm(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.layer_norm.build(hidden_shape)

    def _dense(self, name, units, input_dim):
        dense = keras.layers.Dense(
            units, kernel_initializer=bert_initializer(), dtype=self.dtype_policy, name=name
        )
        dense.build((None, None, input_dim))
        return dense

    def call(self, hidden, training=None):
        intermediate = activate(self.intermediate(hidden), self.activation)
        output = self.dropout_layer(self.output_projection(intermediate), training=training)
        return self.layer_norm(hidden + output)

    def compute_output_shape(self, hidden_shape):
        return hidden_shape

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "intermediate_dim": self.intermediate_dim,
                "activation": self.activation,
                "dropout": self.dropout,
                "layer_norm_epsilon": self.layer_norm_epsilon,
            }
        )
        return config
