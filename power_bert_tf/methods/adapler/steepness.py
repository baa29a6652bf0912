"""How steep soft removal is: lambda, from epoch to epoch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SteepnessSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Lambda grows by the same factor after each epoch, until removal is nearly hard.

    It is a function of the training step, so a training that was interrupted goes on with the
    lambda that it had.

    Args:
        steps_per_epoch: int, training steps.
        start: float, lambda in the first epoch.
        factor: float, by which it grows after each epoch.

    Raises:
        ValueError: where an argument is not positive.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.3 and appendix D (table 4).
    """

    def __init__(self, steps_per_epoch, start=10.0, factor=10.0):
        super().__init__()
        for name, value in (
            ("steps_per_epoch", steps_per_epoch),
            ("start", start),
            ("factor", factor),
        ):
            if not value > 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
        self.steps_per_epoch = steps_per_epoch
        self.start = start
        self.factor = factor

    def __call__(self, step):
        # In whole numbers: a graph divides floats by multiplying, and would be a step late.
        epoch = ops.floor_divide(ops.cast(step, "int32"), self.steps_per_epoch)
        return self.start * ops.power(ops.cast(self.factor, "float32"), ops.cast(epoch, "float32"))

    def get_config(self):
        return {
            "steps_per_epoch": self.steps_per_epoch,
            "start": self.start,
            "factor": self.factor,
        }
