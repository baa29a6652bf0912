"""BERT's own optimizer."""

import keras

from power_bert_tf.training.schedules import WarmupLinearDecay


@keras.saving.register_keras_serializable(package="power_bert_tf")
class BertAdamW(keras.optimizers.AdamW):
    """AdamW as BERT was trained with it.

    Keras' AdamW with BERT's epsilon and weight decay, no decay of biases and of normalisation
    weights, and gradients clipped to a global norm of 1. On TensorFlow a step is its one kernel
    for Adam, instead of the dozen operations that Keras makes of it for each variable.

    Args:
        learning_rate: float or schedule.
        weight_decay: float.
        epsilon: float.
        global_clipnorm: float or None.
        **kwargs: those of `keras.optimizers.AdamW`.

    Reference: Devlin et al., BERT (NAACL 2019), appendix A; its released optimizer.
    """

    def __init__(
        self,
        learning_rate=3e-5,
        weight_decay=0.01,
        epsilon=1e-6,
        global_clipnorm=1.0,
        **kwargs,
    ):
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            epsilon=epsilon,
            global_clipnorm=global_clipnorm,
            **kwargs,
        )
        self.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])

    def update_step(self, gradient, variable, learning_rate):
        if keras.config.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations.value + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


def fine_tuning_optimizer(learning_rate, steps, warmup=0.1, weight_decay=0.01):
    """The optimizer of fine-tuning, and of whatever trains like it.

    Args:
        learning_rate: float, the peak of a linear warm-up and decay.
        steps: int, the number of training steps in all.
        warmup: float, the share of steps that warm up.
        weight_decay: float.

    Returns:
        `BertAdamW`.
    """
    return BertAdamW(WarmupLinearDecay(learning_rate, steps, warmup), weight_decay=weight_decay)


def adam_with_decay(learning_rate, steps, warmup, **adam):
    """Adam without weight decay, for numbers that need a learning rate of their own.

    Args:
        learning_rate: float, the peak of a linear warm-up and decay.
        steps: int, the number of training steps in all.
        warmup: float, the share of steps that warm up.
        **adam: arguments of `keras.optimizers.Adam`.
    """
    return keras.optimizers.Adam(WarmupLinearDecay(learning_rate, steps, warmup), **adam)


def optimizer_by_path(default, optimizers):
    """One optimizer made of several, each for some of the variables.

    Args:
        default: the optimizer of all other variables.
        optimizers: dict of regular expressions, which paths of variables match, to optimizers.

    Returns:
        `keras.optimizers.MultiOptimizer`.
    """
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(default, optimizers))
