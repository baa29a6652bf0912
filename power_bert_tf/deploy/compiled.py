"""A model's graph at one length, compiled for the backend that Keras runs on."""

import keras
import numpy as np

from power_bert_tf.errors import InputError


def compile_graph(model, length, jit_compile=False):
    """Compiles inference for inputs of one length, over the variables of the model.

    Args:
        model: `BertClassifier`.
        length: int, the length of the inputs, static in the graph.
        jit_compile: bool, XLA; JAX always compiles by it.

    Returns:
        A function from a dict of int32 arrays of shape (batch, length) to a float32 array of
        shape (batch, outputs), on the host. It compiles anew for each batch size under XLA, so
        its first call is slow.

    Raises:
        InputError: where Keras runs on neither TensorFlow nor JAX.
    """
    backend = keras.config.backend()
    if backend not in _COMPILERS:
        raise InputError(
            f"Keras must run on one of {', '.join(_COMPILERS)} to compile a graph. "
            f"Received: KERAS_BACKEND={backend}"
        )
    graph = model if length == model.sequence_length else model.at_length(length)
    return _COMPILERS[backend](graph, length, jit_compile)


def _compile_tensorflow(graph, length, jit_compile):
    import tensorflow as tf

    inputs = {name: tf.TensorSpec((None, length), tf.int32) for name in graph.input}
    function = tf.function(
        lambda inputs: graph(inputs, training=False), jit_compile=jit_compile
    ).get_concrete_function(inputs)

    def run(inputs):
        return function({name: tf.constant(inputs[name]) for name in graph.input}).numpy()

    return run


def _compile_jax(graph, length, jit_compile):
    import jax

    def outputs(trainable, non_trainable, inputs):
        return graph.stateless_call(trainable, non_trainable, inputs, training=False)[0]

    function = jax.jit(outputs)

    def run(inputs):
        variables = (graph.trainable_variables, graph.non_trainable_variables)
        values = ([variable.value for variable in each] for each in variables)
        return np.asarray(function(*values, {name: inputs[name] for name in graph.input}))

    return run


_COMPILERS = {"tensorflow": _compile_tensorflow, "jax": _compile_jax}
