"""What only the runtime TensorFlow has; that it answers as Keras does is in test_compiled.py."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from power_bert_tf.deploy.runtimes import tensorflow


class _AsText(keras.layers.Layer):
    """Its numbers, by way of text, of which XLA knows nothing."""

    def call(self, numbers):
        return tf.strings.to_number(tf.strings.as_string(numbers))


def test_xla_is_what_compiles_where_it_is_asked_for():
    inputs = {"token_ids": keras.Input((3,), dtype="int32", name="token_ids")}
    graph = keras.Model(inputs, _AsText()(inputs["token_ids"]))
    given = {"token_ids": np.array([[1, 2, 3]], "int32")}
    np.testing.assert_array_equal(tensorflow.compile_graph(graph)(given), [[1.0, 2.0, 3.0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="XLA"):
        tensorflow.compile_graph(graph, jit_compile=True)(given)
