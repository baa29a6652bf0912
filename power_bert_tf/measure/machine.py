"""The machine that something is measured on."""

import importlib.metadata
import os
import pathlib
import platform
import re

import keras

# What decides how fast products are, in 32, 16 and 8 bits.
FEATURES = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8")
# What a runtime's package is called, where that is not its own name.
_PACKAGES = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}
_CPUINFO = pathlib.Path("/proc/cpuinfo")


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


def cpu():
    """The processor: a dict of its `model`, and of its `features` among `FEATURES`.

    The features are None where the system does not tell of them.
    """
    try:
        text = _CPUINFO.read_text(errors="replace")
    except OSError:
        text = ""
    return parse_cpuinfo(text)


def parse_cpuinfo(text):
    """The same from the text of /proc/cpuinfo; Python's word for the model where it has none."""
    model, flags = (
        re.search(rf"^{name}[ \t]*:[ \t]*(.*\S)", text, re.M) for name in ("model name", "flags")
    )
    flags = flags and flags[1].split()
    return {
        "model": model[1] if model else platform.processor() or platform.machine(),
        "features": flags and [name for name in FEATURES if name in flags],
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
