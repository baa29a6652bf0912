"""What a device can do at most, measured."""

import functools

import keras
import numpy as np
from keras import ops

from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.modeling.devices import has_accelerator


def matrix_product_peak(dtype="float32", runtime=None, sizes=None, count=8, runs=10):
    """Floating-point operations a second in products of large square matrices.

    By Keras' backend, and where `runtime` is OpenVINO by that too, whose products in 16 bits are
    faster; the fastest measurement of all counts.

    Args:
        dtype: str, of the matrices.
        runtime: str, one of `RUNTIMES`, or None for the backend.
        sizes: ints, rows and columns of the matrices to try; where None, 512 to 2,048, and on an
            accelerator 4,096 to 16,384, since smaller ones do not fill it.
        count: int, products in one compiled call.
        runs: int, how often each is measured.

    Returns:
        float.
    """
    if sizes is None:
        sizes = (4096, 8192, 16384) if has_accelerator() else (512, 1024, 2048)
    rates = []
    for size in sizes:
        random = np.random.default_rng(0)
        left, right = (
            random.normal(scale=size**-0.5, size=(size, size)).astype("float32") for _ in range(2)
        )
        functions = {"backend": _by_backend(left, right, dtype, count)}
        if runtime == "openvino":
            functions[runtime] = _by_openvino(left, right, dtype, count)
        seconds = interleaved_seconds(functions, budget_seconds=3.0, least_runs=3, most_runs=runs)
        operations = 2 * size**3 * count
        rates += [operations / float(each.min()) for each in seconds.values()]
    return max(rates)


def _products(left, right, matmul, count):
    # Each needs the one before, so that none can be left out.
    for _ in range(count):
        left = matmul(left, right)
    return left


def _by_backend(left, right, dtype, count):
    """A function without arguments that gives the sum of the last product."""
    left, right = (ops.cast(each, dtype) for each in (left, right))

    def total(left, right):
        return ops.sum(ops.cast(_products(left, right, ops.matmul, count), "float32"))

    if keras.config.backend() == "jax":
        import jax

        function = jax.jit(total)
    else:
        import tensorflow as tf

        function = tf.function(total)
    return lambda: ops.convert_to_numpy(function(left, right))


def _by_openvino(left, right, dtype, count):
    """As `_by_backend`; in `dtype` where the processor has products for it."""
    import openvino
    from openvino import opset13

    from power_bert_tf.deploy.openvino_options import compile_options

    given = opset13.parameter(left.shape, np.float32)
    matmul = functools.partial(opset13.matmul, transpose_a=False, transpose_b=False)
    last = _products(given, opset13.constant(right), matmul, count)
    total = opset13.reduce_sum(last, np.array([0, 1]), keep_dims=False)
    model = openvino.Model([total], [given])
    request = openvino.Core().compile_model(model, "CPU", compile_options(dtype))
    return lambda: request(left)[0]
