"""The machine that something is measured on."""

import importlib.metadata
import os
import platform

import keras

from power_bert_tf.deploy.processor import cpu

# What a runtime's package is called, where that is not its own name.
_PACKAGES = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}


def measured_on(runtime):
    """Device, processor and versions, a dict for the file of a measurement.

    Args:
        runtime: str, one of `RUNTIMES`.
    """
    device, kind = f"{os.cpu_count()} cores, {platform.machine()}", device_kind(runtime)
    packages = {"keras", "numpy", keras.config.backend(), _PACKAGES.get(runtime, runtime)}
    return {
        "device": f"{kind}; {device}" if kind else device,
        "cpu": cpu(),
        "versions": {name: importlib.metadata.version(name) for name in sorted(packages)},
    }


def device_kind(runtime):
    """The name of the device that a runtime computes on, or None for the processor alone.

    Args:
        runtime: str, one of `RUNTIMES`.
    """
    if runtime == "jax":
        import jax

        return jax.devices()[0].device_kind
    if runtime == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return None
