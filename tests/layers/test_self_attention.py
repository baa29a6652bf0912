import functools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing

from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks
from layers.strategies import randomize
from power_bert_tf.layers import SelfAttention
from power_bert_tf.layers.self_attention import attention_probabilities
from power_bert_tf.layers.self_attention import split_heads


class SelfAttentionTest(testing.TestCase):
    def test_layer(self):
        # Two inputs: `run_layer_test` can train layers of one only.
        self.run_layer_test(
            SelfAttention,
            init_kwargs={"num_heads": 3, "key_dim": 2, "value_dim": 5},
            input_shape={"hidden_shape": (2, 4, 6), "padding_mask_shape": (2, 4)},
            input_dtype={"hidden_shape": "float32", "padding_mask_shape": "int32"},
            expected_output_shape=((2, 3, 4, 4), (2, 3, 4, 5)),
            expected_num_trainable_weights=6,
            run_training_check=False,
        )


def test_splits_heads_side_by_side():
    projected = np.arange(8.0).reshape(1, 2, 4)
    expected = [[[[0, 1], [4, 5]], [[2, 3], [6, 7]]]]
    np.testing.assert_array_equal(split_heads(projected, 2), expected)


def test_probabilities_of_two_words_and_padding():
    # Queries times keys over the root of 4: 0 and ln 3 for the first word, so 1/4 and 3/4.
    key = np.zeros((1, 1, 3, 4), "float32")
    key[0, 0, 1, 0] = 2.0
    key[0, 0, 2, 0] = 50.0
    query = np.zeros((1, 1, 3, 4), "float32")
    query[0, 0, 0, 0] = math.log(3)
    probabilities = attention_probabilities(
        ops.convert_to_tensor(query), ops.convert_to_tensor(key), np.array([[1, 1, 0]])
    )
    expected = [[[[0.25, 0.75, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]]]]
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


def test_a_word_that_is_alone():
    layer = SelfAttention(2, 3)
    probabilities, _ = layer(np.ones((1, 1, 4), "float32"), np.ones((1, 1), "int32"))
    np.testing.assert_array_equal(probabilities, np.ones((1, 2, 1, 1)))


def test_padding_gets_no_attention_in_16_bits():
    mask = np.array([[1, 1, 0, 0]], "int32")
    hidden = np.random.default_rng(0).normal(size=(1, 4, 4)).astype("float32")
    for policy in ("mixed_bfloat16", "mixed_float16"):
        probabilities, _ = SelfAttention(2, 2, dtype=policy)(hidden, mask)
        probabilities = ops.convert_to_numpy(ops.cast(probabilities, "float32"))
        np.testing.assert_array_equal(probabilities[..., 2:], 0)
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-2)


@functools.cache
def built_layer(num_heads, key_dim, value_dim):
    layer = SelfAttention(num_heads, key_dim, value_dim)
    layer.build((None, None, 6), (None, None))
    return layer


@few_examples
@given(mask=masks(), sizes=st.sampled_from([(1, 4, 4), (3, 1, 2)]), generator=generators())
def test_agrees_with_numpy(mask, sizes, generator):
    layer = built_layer(*sizes)
    hidden = generator.normal(size=(*mask.shape, 6)).astype("float32")
    randomize(layer, generator)
    probabilities, values = (ops.convert_to_numpy(out) for out in layer(hidden, mask))
    weights = numpy_reference.weights_of(layer)
    for text in range(len(mask)):
        expected = numpy_reference.self_attention(hidden[text], mask[text], weights, sizes[0])
        np.testing.assert_allclose(probabilities[text], expected[0], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(values[text], expected[1], rtol=1e-4, atol=1e-5)
    # Exactly nothing comes from padding, so nothing depends on what stands there.
    assert np.all(probabilities * (1 - mask)[:, None, None, :] == 0)
