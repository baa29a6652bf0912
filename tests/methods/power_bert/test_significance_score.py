import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from layers import numpy_reference
from layers.strategies import attention
from layers.strategies import check_without_weights
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks

from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.methods.power_bert.significance_score import significance


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layer(policy):
    layer = SignificanceScore(count_self=True, dtype=policy, name="significance")
    probabilities = ops.ones((2, 3, 4, 4), dtype=layer.compute_dtype)
    check_without_weights(layer, probabilities=probabilities, padding_mask=np.ones((2, 4), "int32"))


# Figure 3: the score of w is its column of the attention matrix, summed; here in two heads.
PROBABILITIES = np.array(
    [
        [[0.50, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.50, 0.25]],
        [[0.25, 0.50, 0.25], [0.500, 0.25, 0.250], [0.00, 1.00, 0.00]],
    ],
    "float32",
)[None]


def test_attention_imposed_on_other_words():
    mask = np.ones((1, 3), "int32")
    score = SignificanceScore()(PROBABILITIES, mask)
    # Columns without their diagonal: 0.375 + 0.5, 0.75 + 1.5, 0.375 + 0.5.
    np.testing.assert_array_equal(score, np.array([[0.875, 2.25, 0.875]]))
    score = SignificanceScore(count_self=True)(PROBABILITIES, mask)
    np.testing.assert_array_equal(score, np.array([[1.625, 3.25, 1.125]]))


def test_padding_has_no_say():
    score = SignificanceScore()(PROBABILITIES, np.array([[1, 1, 0]], "int32"))
    # The last row of each head is left out: 0.125 + 0.5, 0.25 + 0.5, 0.375 + 0.5.
    np.testing.assert_array_equal(score, np.array([[0.625, 0.75, 0.875]]))


def test_the_score_of_the_authors_code():
    mask = np.array([[1, 1, 0]], "int32")
    score = SignificanceScore(count_padding=True)(PROBABILITIES, mask)
    # They average over heads, sum each column and subtract the diagonal, padding or not.
    average = PROBABILITIES[0].mean(axis=0)
    np.testing.assert_allclose(score[0], 2 * (average.sum(axis=0) - np.diag(average)))
    np.testing.assert_array_equal(score, np.array([[0.875, 2.25, 0.875]]))


@few_examples
@given(
    mask=masks(), heads=st.sampled_from([1, 3]), count_self=st.booleans(), generator=generators()
)
def test_agrees_with_numpy(mask, heads, count_self, generator):
    probabilities = attention(generator, mask, heads)
    score = ops.convert_to_numpy(SignificanceScore(count_self)(probabilities, mask))
    for text in range(len(mask)):
        expected = numpy_reference.significance(probabilities[text], mask[text], count_self)
        np.testing.assert_allclose(score[text], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_float32_under_mixed_precision(policy):
    mask = np.ones((1, 8), "int32")
    probabilities = ops.cast(
        attention(np.random.default_rng(0), mask, 4), keras.DTypePolicy(policy).compute_dtype
    )
    score = SignificanceScore(dtype=policy)(probabilities, mask)
    assert keras.backend.standardize_dtype(score.dtype) == "float32"
    # Rounded probabilities, but summed without rounding again.
    rounded = ops.convert_to_numpy(ops.cast(probabilities, "float32"))
    expected = numpy_reference.significance(rounded[0], mask[0])
    np.testing.assert_allclose(ops.convert_to_numpy(score)[0], expected, rtol=1e-6)


class _SumOfScores(keras.layers.Layer):
    """Its weight is attention, its output the sum of it and of its scores."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def build(self, mask_shape):
        self.probabilities = self.add_weight(shape=(1, 2, 3, 3), initializer="zeros")

    def call(self, mask):
        score = ops.sum(self.score(self.probabilities, mask), axis=1, keepdims=True)
        return score + ops.sum(self.probabilities)


@pytest.mark.parametrize(("score", "blocked"), [(SignificanceScore(), True), (significance, False)])
def test_no_gradient_through_the_score(score, blocked):
    mask = np.ones((1, 3), "int32")
    layer = _SumOfScores(score)
    model = keras.Sequential([keras.Input((3,), dtype="int32"), layer])
    model.compile(keras.optimizers.SGD(1.0), lambda y_true, y_pred: y_pred)
    model.fit(mask, np.zeros((1, 1)), verbose=0)
    step = -ops.convert_to_numpy(layer.probabilities)
    np.testing.assert_array_equal(np.all(step == 1.0), blocked)
