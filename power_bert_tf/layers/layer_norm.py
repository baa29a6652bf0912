"""Layer normalisation, written so that other runtimes recognise it."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class LayerNorm(keras.layers.Layer):
    """Normalises the last axis, then scales and shifts it, in float32 whatever the dtype policy.

    The function of `keras.layers.LayerNormalization`, which multiplies scale and deviation first:
    no converter takes that for a normalisation, and other runtimes then compute it in six steps.

    Args:
        epsilon: float. Added to the variance.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        inputs: tensor of shape (..., dim).

    Returns:
        Tensor of the same shape.

    Reference: Ba et al., Layer Normalization (2016), section 3.
    """

    def __init__(self, epsilon=1e-12, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, inputs_shape):
        shape = (inputs_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma", autocast=False)
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta", autocast=False)

    def call(self, inputs):
        inputs = ops.cast(inputs, "float32")
        # OpenVINO fuses this only with a list of axes and with a division.
        centred = inputs - ops.mean(inputs, axis=(-1,), keepdims=True)
        variance = ops.mean(ops.square(centred), axis=(-1,), keepdims=True)
        normalised = centred / ops.sqrt(variance + self.epsilon)
        # The weights are 16 bits wide themselves under a policy that is not mixed.
        gamma, beta = (ops.cast(weight, "float32") for weight in (self.gamma, self.beta))
        return ops.cast(normalised * gamma + beta, self.compute_dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        config = super().get_config()
        config["epsilon"] = self.epsilon
        return config
