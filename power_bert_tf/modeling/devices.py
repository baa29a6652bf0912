"""What Keras' backend computes on."""

import keras


def has_accelerator():
    """Whether the backend sees a device that is no CPU."""
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())
