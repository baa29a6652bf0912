"""Learning rate schedules."""

import keras
from keras import ops


def reach(peak, steps):
    """How far Adam can move a weight under `WarmupLinearDecay`.

    It moves a weight by about the learning rate a step, so the area under the schedule bounds the
    way.

    Args:
        peak: float, the highest learning rate.
        steps: int.
    """
    return 0.5 * peak * steps


def rate_to_reach(distance, steps):
    """The peak with which Adam can move a weight so far, see `reach`."""
    return distance / (0.5 * steps)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to the peak, then falls linearly to 0.

    Args:
        peak: float. The highest learning rate.
        steps: int. Number of training steps in all.
        warmup: float. Share of the steps in which it rises.

    Raises:
        ValueError: where `steps` is below 1 or `warmup` outside [0, 1].

    Reference: Devlin et al., BERT (NAACL 2019), appendix A.
    """

    def __init__(self, peak, steps, warmup=0.1):
        super().__init__()
        if steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps}")
        if not 0 <= warmup <= 1:
            raise ValueError(f"`warmup` must be in [0, 1]. Received: warmup={warmup}")
        self.peak = peak
        self.steps = steps
        self.warmup = warmup

    def __call__(self, step):
        # The first step counts as 1: at 0 it would change nothing.
        step = ops.cast(step, "float32") + 1.0
        rising = self.warmup * self.steps
        up = step / max(rising, 1.0)
        down = (self.steps + 1 - step) / max(self.steps + 1 - rising, 1.0)
        return self.peak * ops.clip(ops.minimum(up, down), 0.0, 1.0)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}
