import functools

import keras
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing

from layers import numpy_reference
from layers.strategies import attention
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks
from layers.strategies import randomize
from power_bert_tf.layers import AttentionOutput


class AttentionOutputTest(testing.TestCase):
    def test_layer(self):
        # Three inputs: `run_layer_test` can train layers of one only.
        self.run_layer_test(
            AttentionOutput,
            init_kwargs={"dropout": 0.2, "attention_dropout": 0.3, "layer_norm_epsilon": 1e-6},
            input_shape={
                "hidden_shape": (2, 3, 6),
                "probabilities_shape": (2, 2, 3, 4),
                "values_shape": (2, 2, 4, 5),
            },
            expected_output_shape=(2, 3, 6),
            expected_num_trainable_weights=4,
            expected_num_seed_generators=2,
            run_training_check=False,
        )


def test_averages_projects_adds_and_normalises():
    layer = AttentionOutput()
    layer.build((1, 1, 2), (1, 2, 1, 2), (1, 2, 2, 1))
    layer.projection.kernel.assign([[1.0, 0.0], [0.0, 1.0]])
    probabilities = [[[[0.25, 0.75]], [[1.0, 0.0]]]]
    values = [[[[4.0], [8.0]], [[5.0], [100.0]]]]
    # Head by head 0.25 * 4 + 0.75 * 8 = 7 and 5; with (0, 1) added, 7 and 6, normalised 1 and -1.
    output = layer(np.array([[[0.0, 1.0]]]), np.array(probabilities), np.array(values))
    np.testing.assert_allclose(output, [[[1, -1]]], atol=1e-5)
    # With (0, 3) added, 7 and 8.
    output = layer(np.array([[[0.0, 3.0]]]), np.array(probabilities), np.array(values))
    np.testing.assert_allclose(output, [[[-1, 1]]], atol=1e-5)


def test_normalises_with_its_epsilon():
    layer = AttentionOutput(layer_norm_epsilon=16.0)
    layer.build((1, 1, 2), (1, 1, 1, 1), (1, 1, 1, 2))
    nothing = np.zeros((1, 1, 1, 2))
    # The residual alone, of variance 9: the deviation is 5 instead of 3.
    output = layer(np.array([[[4.0, 10.0]]]), np.ones((1, 1, 1, 1)), nothing)
    np.testing.assert_allclose(output, [[[-0.6, 0.6]]], rtol=1e-6)


@functools.cache
def built_layer(heads, value_dim):
    layer = AttentionOutput()
    layer.build((None, None, 6), (None, heads, None, None), (None, heads, None, value_dim))
    return layer


@few_examples
@given(mask=masks(), sizes=st.sampled_from([(1, 4), (3, 2)]), generator=generators())
def test_agrees_with_numpy_for_the_rows_that_are_left(mask, sizes, generator):
    heads, value_dim = sizes
    batch, rows = mask.shape
    queries = (rows + 1) // 2
    hidden = generator.normal(size=(batch, queries, 6)).astype("float32")
    probabilities = attention(generator, mask, heads)[:, :, :queries]
    values = generator.normal(size=(batch, heads, rows, value_dim)).astype("float32")
    layer = built_layer(*sizes)
    randomize(layer, generator)
    output = ops.convert_to_numpy(layer(hidden, probabilities, values))
    weights = numpy_reference.weights_of(layer)
    for text in range(batch):
        expected = numpy_reference.attention_output(
            hidden[text], probabilities[text], values[text], weights
        )
        np.testing.assert_allclose(output[text], expected, rtol=1e-3, atol=1e-4)


def test_both_dropouts_act_in_training_only():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(1, 8, 4)).astype("float32")
    probabilities = np.full((1, 1, 8, 8), 1 / 8, "float32")
    values = np.ones((1, 1, 8, 4), "float32")
    for rates in ((0.5, 0.0), (0.0, 0.5)):
        layer = AttentionOutput(*rates)
        layer.build(hidden.shape, probabilities.shape, values.shape)
        randomize(layer, generator)
        plain = ops.convert_to_numpy(layer(hidden, probabilities, values))
        np.testing.assert_array_equal(plain, layer(hidden, probabilities, values))
        trained = ops.convert_to_numpy(layer(hidden, probabilities, values, training=True))
        assert np.abs(trained - plain).max() > 0.1


def test_each_dropout_falls_on_its_own():
    """Values of zero are nothing to drop; what is projected from them is."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(1, 8, 4)).astype("float32")
    probabilities, values = np.full((1, 1, 8, 8), 1 / 8), np.zeros((1, 1, 8, 4))
    for rates, acts in (((0.5, 0.0), True), ((0.0, 0.5), False)):
        layer = AttentionOutput(*rates)
        layer.build(hidden.shape, probabilities.shape, values.shape)
        randomize(layer, generator)
        plain = ops.convert_to_numpy(layer(hidden, probabilities, values))
        trained = ops.convert_to_numpy(layer(hidden, probabilities, values, training=True))
        assert (np.abs(trained - plain).max() > 0.1) == acts
