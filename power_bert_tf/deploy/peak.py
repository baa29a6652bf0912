"""What a device can do at most, measured."""

import keras
import numpy as np
from keras import ops

from power_bert_tf.deploy.timing import interleaved_seconds


def matrix_product_peak(dtype="float32", size=2048, count=8, runs=10):
    """Floating-point operations a second in products of large square matrices.

    Args:
        dtype: str, of the matrices.
        size: int, rows and columns of each.
        count: int, products in one compiled call.
        runs: int, how often it is measured; the fastest counts.

    Returns:
        float.
    """
    random = np.random.default_rng(0)
    left, right = (
        ops.cast(random.normal(scale=size**-0.5, size=(size, size)), dtype) for _ in range(2)
    )

    def products(left, right):
        # Each needs the one before, so that none can be left out.
        for _ in range(count):
            left = ops.matmul(left, right)
        return ops.sum(ops.cast(left, "float32"))

    if keras.config.backend() == "jax":
        import jax

        function = jax.jit(products)
    else:
        import tensorflow as tf

        function = tf.function(products)
    seconds = interleaved_seconds(
        {"products": lambda: ops.convert_to_numpy(function(left, right))}, most_runs=runs
    )["products"]
    return 2 * size**3 * count / float(seconds.min())
