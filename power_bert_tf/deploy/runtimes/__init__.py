"""What a graph can run on: a module each, with `DTYPES`, `STATIC_BATCH`, `PACKS`, `compile_graph`.

`compile_graph(graph, dtype, jit_compile, batch_size)` takes a functional Keras model of static
length, or where the runtime `PACKS` one of packed rows and any length, and gives a function from a
dict of int32 arrays (batch, length) to a float32 array (batch, outputs) on the host; `batch_size`
is the one that comes most. `STATIC_BATCH` says that each batch size is compiled anew. A runtime
with int8 among its `DTYPES` takes one more argument for it, `calibration`.
"""

import importlib
import importlib.util

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.devices import has_accelerator

# TensorFlow and JAX run Keras' own graph, in the graph's own dtype and over its own variables. The
# others take a float32 graph, with the weights that it has when it is compiled.
NATIVE = ("tensorflow", "jax")
# The module that each needs.
_MODULES = {
    "tensorflow": "tensorflow",
    "jax": "jax",
    "openvino": "openvino",
    "onnx": "onnxruntime",
    "litert": "ai_edge_litert",
}
RUNTIMES = tuple(_MODULES)


def default_runtime(dtype="float32"):
    """The name of the backend that Keras runs on; for int8 the runtime that has it.

    Args:
        dtype: str, what it is to compute in.

    Raises:
        InputError: where it is neither TensorFlow nor JAX.
    """
    if dtype == "int8":
        return "openvino"
    backend = keras.config.backend()
    if backend not in NATIVE:
        raise InputError(
            f"Keras must run on one of {', '.join(NATIVE)} to compile a graph. "
            f"Received: KERAS_BACKEND={backend}"
        )
    return backend


def usable_modes():
    """What graphs can be compiled by here: dicts of `runtime`, `dtype` and `jit_compile`.

    Without float16 on a CPU, which has few products for it, and without int8, which takes texts to
    calibrate on.
    """
    backend = default_runtime()
    left_out = ("int8",) if has_accelerator() else ("int8", "float16")
    modes = []
    for name, module in _MODULES.items():
        if name != backend and (name in NATIVE or backend != "tensorflow"):
            continue
        if importlib.util.find_spec(module) is None:
            continue
        for dtype in load_runtime(name, "float32").DTYPES:
            if dtype not in left_out:
                modes.append({"runtime": name, "dtype": dtype, "jit_compile": name == "jax"})
        if name == "tensorflow":
            modes.append({"runtime": name, "dtype": "float32", "jit_compile": True})
    return modes


def mode_name(mode):
    """A mode in words."""
    return f"{mode['runtime']} {mode['dtype']}{' XLA' if mode['jit_compile'] else ''}"


def load_runtime(name, dtype):
    """The module of a runtime.

    Args:
        name: str, one of `RUNTIMES`.
        dtype: str, what it is to compute in.

    Raises:
        InputError: where there is no such runtime, it does not compute in `dtype`, or Keras
            runs on a backend whose graphs it cannot take.
    """
    if name not in RUNTIMES:
        raise InputError(
            f"`runtime` must be one of {', '.join(RUNTIMES)}. Received: runtime={name!r}"
        )
    backend = name if name in NATIVE else "tensorflow"
    if keras.config.backend() != backend:
        raise InputError(
            f"Keras must run on {backend} for the runtime {name}. "
            f"Received: KERAS_BACKEND={keras.config.backend()}"
        )
    module = importlib.import_module(f"{__name__}.{name}")
    if dtype not in module.DTYPES:
        raise InputError(
            f"`dtype` must be one of {', '.join(module.DTYPES)} with the runtime {name}. "
            f"Received: dtype={dtype!r}"
        )
    return module
