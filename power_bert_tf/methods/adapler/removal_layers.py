"""The layers between a predictor's contributions and the words that fade or leave."""

import keras
from keras import ops

from power_bert_tf.methods.adapler.contributions import SLOPE
from power_bert_tf.methods.adapler.contributions import Between
from power_bert_tf.methods.adapler.contributions import amplified
from power_bert_tf.methods.adapler.contributions import presence
from power_bert_tf.methods.adapler.contributions import removal_bias
from power_bert_tf.methods.adapler.contributions import staying
from power_bert_tf.methods.adapler.contributions import threshold

ETA, LEAST_ETA = 0.25, 0.01


class _Float32Layer(keras.layers.Layer):
    """Works in float32 whatever the dtype policy: in 16 bits contributions tie."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def scalar(self, name, value, **arguments):
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            dtype="float32",
            autocast=False,
            **arguments,
        )


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Presence(_Float32Layer):
    """How far each row is still there, float32 (batch, rows); see `contributions.presence`.

    Call arguments:
        padding_mask: int tensor of shape (batch, rows).
        attention_bias: tensor of shape (batch, rows) or None.
    """

    def call(self, padding_mask, attention_bias=None):
        return presence(padding_mask, attention_bias)

    def compute_output_spec(self, padding_mask, attention_bias=None):
        return keras.KerasTensor(padding_mask.shape, dtype="float32")


@keras.saving.register_keras_serializable(package="power_bert_tf")
class ContributionThreshold(_Float32Layer):
    """delta = eta / n, with an eta of its own in [0.01, 1] that is learnt.

    Call arguments:
        present: float tensor of shape (batch, rows), see `Presence`.

    Returns:
        float32 tensor of shape (batch, 1).

    Reference: AdapLeR (Modarressi et al., 2022), section 3.2.
    """

    def build(self, present_shape):
        self.eta = self.scalar("eta", ETA, constraint=Between(LEAST_ETA, 1.0))

    def call(self, present):
        return threshold(ops.convert_to_tensor(self.eta), present)

    def compute_output_spec(self, present):
        return keras.KerasTensor((present.shape[0], 1), dtype="float32")


@keras.saving.register_keras_serializable(package="power_bert_tf")
class ClsPooling(_Float32Layer):
    """Holds theta, which says how much more CLS contributes than its saliency.

    Theta multiplies the saliency that a predictor learns from, which is no part of the model. So
    that the speed of the model can change it all the same, contributions pass through here: they
    come out as they went in, and the gradient that they bring back is that of equation 14.

    Call arguments:
        contributed: float32 tensor of shape (batch, rows).

    Returns:
        Tensor of the same shape and values.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.3 (equation 7) and appendix B.
    """

    def build(self, contributed_shape):
        self.theta = self.scalar("theta", 1.0, constraint=Between(1e-3))

    def call(self, contributed):
        theta = ops.convert_to_tensor(self.theta)
        # The dummy of appendix B: it is 1, and its gradient is divided by theta.
        return amplified(contributed, theta / ops.stop_gradient(theta))

    def target(self, saliency):
        """The saliency with CLS amplified, 1 in all (equation 7)."""
        return amplified(saliency, ops.convert_to_tensor(self.theta))

    def compute_output_spec(self, contributed):
        return keras.KerasTensor(contributed.shape, dtype="float32")


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SoftMask(_Float32Layer):
    """Adds to an attention bias what hides the words that contribute too little.

    Args:
        slope: float, the paper's beta.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        contributed: float32 tensor of shape (batch, rows).
        delta: float32 tensor of shape (batch, 1).
        padding_mask: int tensor of shape (batch, rows).
        attention_bias: float32 tensor of shape (batch, rows), what earlier encoders have added, or
            None.

    Returns:
        float32 tensor of shape (batch, rows).

    Reference: AdapLeR (Modarressi et al., 2022), section 3.3 (equation 4).
    """

    def __init__(self, slope=SLOPE, **kwargs):
        super().__init__(**kwargs)
        self.slope = slope

    def build(
        self,
        contributed_shape,
        delta_shape=None,
        padding_mask_shape=None,
        attention_bias_shape=None,
    ):
        # Lambda, which a schedule raises while the model trains.
        self.steepness = self.scalar("steepness", 10.0, trainable=False)

    def call(self, contributed, delta, padding_mask, attention_bias=None):
        steepness = ops.convert_to_tensor(self.steepness)
        bias = removal_bias(contributed, delta, steepness, padding_mask, self.slope)
        return bias if attention_bias is None else attention_bias + bias

    def compute_output_spec(self, contributed, delta, padding_mask, attention_bias=None):
        return keras.KerasTensor(padding_mask.shape, dtype="float32")

    def get_config(self):
        config = super().get_config()
        config["slope"] = self.slope
        return config


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Contributing(_Float32Layer):
    """Which words contribute enough to stay; CLS always does, and padding never.

    Call arguments:
        contributed: float32 tensor of shape (batch, rows).
        delta: float32 tensor of shape (batch, 1).
        padding_mask: int tensor of shape (batch, rows).

    Returns:
        int32 tensor of shape (batch, rows).

    Reference: AdapLeR (Modarressi et al., 2022), section 3.2.
    """

    def call(self, contributed, delta, padding_mask):
        return staying(contributed, delta, padding_mask)

    def compute_output_spec(self, contributed, delta, padding_mask):
        return keras.KerasTensor(padding_mask.shape, dtype="int32")
