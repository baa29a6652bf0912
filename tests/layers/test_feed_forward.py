import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing

from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import randomize
from power_bert_tf.layers import FeedForward


class FeedForwardTest(testing.TestCase):
    # `run_layer_test` fits from a generator with the default `shuffle=True`.
    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
    def test_layer(self):
        self.run_layer_test(
            FeedForward,
            init_kwargs={"intermediate_dim": 5, "activation": "gelu_tanh", "dropout": 0.2},
            input_shape=(2, 3, 4),
            expected_output_shape=(2, 3, 4),
            expected_num_trainable_weights=6,
            expected_num_seed_generators=1,
        )


def test_rectifies_adds_and_normalises():
    layer = FeedForward(2, activation="relu")
    layer.build((1, 1, 2))
    layer.intermediate.kernel.assign([[1.0, -1.0], [0.0, 0.0]])
    layer.output_projection.kernel.assign([[0.0, 5.0], [50.0, 0.0]])
    # (1, 0) becomes (1, -1), rectified (1, 0), then (0, 5): with the input (1, 5).
    np.testing.assert_allclose(layer(np.array([[[1.0, 0.0]]])), [[[-1, 1]]], atol=1e-5)
    # (-1, 0) becomes (-1, 1), rectified (0, 1), then (50, 0): with the input (49, 0).
    np.testing.assert_allclose(layer(np.array([[[-1.0, 0.0]]])), [[[1, -1]]], atol=1e-5)


def test_normalises_with_its_epsilon():
    layer = FeedForward(2, layer_norm_epsilon=16.0)
    layer.build((1, 1, 2))
    layer.output_projection.kernel.assign(np.zeros((2, 2)))
    # The input alone, of variance 9: the deviation is 5 instead of 3.
    np.testing.assert_allclose(layer(np.array([[[4.0, 10.0]]])), [[[-0.6, 0.6]]], rtol=1e-6)


@functools.cache
def built_layer(activation):
    layer = FeedForward(5, activation=activation)
    layer.build((None, None, 4))
    return layer


@few_examples
@given(
    shape=st.sampled_from([(1, 1, 4), (2, 3, 4)]),
    activation=st.sampled_from(["gelu", "gelu_tanh", "relu"]),
    generator=generators(),
)
def test_agrees_with_numpy(shape, activation, generator):
    layer = built_layer(activation)
    randomize(layer, generator)
    hidden = generator.normal(size=shape).astype("float32")
    output = ops.convert_to_numpy(layer(hidden))
    weights = numpy_reference.weights_of(layer)
    for text in range(shape[0]):
        expected = numpy_reference.feed_forward(hidden[text], weights, activation)
        np.testing.assert_allclose(output[text], expected, rtol=1e-3, atol=1e-4)


def test_drops_out_in_training_only():
    keras.utils.set_random_seed(0)
    layer = FeedForward(4, dropout=0.5)
    hidden = np.random.default_rng(0).normal(size=(2, 8, 4)).astype("float32")
    layer.build(hidden.shape)
    randomize(layer, np.random.default_rng(0))
    plain = ops.convert_to_numpy(layer(hidden))
    np.testing.assert_array_equal(plain, layer(hidden))
    assert np.abs(ops.convert_to_numpy(layer(hidden, training=True)) - plain).max() > 0.1


def test_unknown_activation():
    with pytest.raises(ValueError, match="activation=swish"):
        FeedForward(4, activation="swish")
