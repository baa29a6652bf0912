"""Graphs by jax.jit."""

import jax
import numpy as np

DTYPES = ("float32", "bfloat16", "float16")
STATIC_BATCH = True
PACKS = False


def compile_graph(graph, dtype="float32", jit_compile=True, batch_size=None):
    """Compiles inference for the graph's length, in its own dtype and over its own variables.

    Args:
        graph: functional Keras model over a dict of int32 inputs of static length.
        dtype: str, the graph's own compute dtype.
        jit_compile: bool; JAX compiles by XLA in any case.
        batch_size: int, ignored.

    Returns:
        A function from a dict of int32 arrays (batch, length) to a float32 array
        (batch, outputs).
    """

    @jax.jit
    def outputs(trainable, non_trainable, inputs):
        return graph.stateless_call(trainable, non_trainable, inputs, training=False)[0]

    def run(inputs):
        variables = (graph.trainable_variables, graph.non_trainable_variables)
        values = ([variable.value for variable in each] for each in variables)
        return np.asarray(outputs(*values, {name: inputs[name] for name in graph.input}))

    return run
