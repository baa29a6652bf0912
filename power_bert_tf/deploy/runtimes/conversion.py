"""What the converters of every runtime share."""

import contextlib
import importlib
import os
import pathlib
import tempfile
import warnings

import keras

from power_bert_tf.errors import InputError


def import_optional(module, extra):
    """Imports a package that an extra brings.

    Raises:
        InputError: where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"the package {error.name or module} is missing: pip install power-bert-tf[{extra}]"
        ) from error


def check(graph, dtype, dtypes):
    """Raises InputError unless a runtime can convert `graph` and compute in `dtype`."""
    if dtype not in dtypes:
        raise InputError(f"`dtype` must be one of {', '.join(dtypes)}. Received: dtype={dtype!r}")
    if keras.config.backend() != "tensorflow":
        raise InputError(
            "Keras must run on tensorflow to convert a graph. "
            f"Received: KERAS_BACKEND={keras.config.backend()}"
        )
    # The dtype is the runtime's business: casts within the graph would stand in its way.
    policy = graph.dtype_policy.name
    if policy != "float32":
        raise InputError(f"`graph` must have the dtype policy float32. Received: {policy}")


@contextlib.contextmanager
def quiet():
    """Keeps converters' messages off the terminal, those of their C++ parts too."""
    before = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def exported(graph, format, suffix):
    """What `graph.export` writes, as bytes."""
    signature = {
        name: keras.InputSpec("int32", (None, tensor.shape[1]), name=name)
        for name, tensor in graph.input.items()
    }
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = pathlib.Path(folder) / f"model{suffix}"
        graph.export(str(path), format=format, verbose=False, input_signature=[signature])
        return path.read_bytes()


def input_name(names, graph):
    """Which input of `graph` is meant by the names that a converter has made of it."""
    return next(name for name in graph.input if any(name in converted for converted in names))
