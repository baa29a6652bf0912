"""Graphs by tf.function, with or without XLA."""

import tensorflow as tf

DTYPES = ("float32", "bfloat16", "float16")
STATIC_BATCH = False  # Under XLA alone.
PACKS = True


def compile_graph(graph, dtype="float32", jit_compile=False, batch_size=None):
    """Compiles inference in the graph's own dtype and over its own variables.

    Args:
        graph: functional Keras model over a dict of int32 inputs.
        dtype: str, the graph's own compute dtype.
        jit_compile: bool, XLA, which compiles anew for each batch size.
        batch_size: int, ignored.

    Returns:
        A function from a dict of int32 arrays (batch, length) to a float32 array
        (batch, outputs).
    """
    inputs = {
        name: tf.TensorSpec(tensor.shape, tf.int32, name) for name, tensor in graph.input.items()
    }
    function = tf.function(
        lambda inputs: graph(inputs, training=False), jit_compile=jit_compile
    ).get_concrete_function(inputs)
    return lambda inputs: function(
        {name: tf.constant(inputs[name]) for name in graph.input}
    ).numpy()
