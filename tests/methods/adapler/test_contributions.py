import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks

from methods.adapler import numpy_adapler
from power_bert_tf.methods.adapler import contributions
from power_bert_tf.methods.adapler.contributions import LOWEST_BIAS
from power_bert_tf.methods.adapler.contributions import Between

STEEPNESS = st.sampled_from([10.0, 300.0, 1e4, 1e6])
ETAS = st.sampled_from([0.01, 0.25, 0.7, 1.0])


def drawn(generator, mask, ties=False):
    """Contributions, 1 in all, of the words of each text."""
    powers = generator.choice([1.0, 2.0], mask.shape) if ties else generator.random(mask.shape)
    powers = (powers + 1e-3) * mask
    return (powers / powers.sum(axis=1, keepdims=True)).astype("float32")


def to_numpy(tensor):
    return ops.convert_to_numpy(tensor)


def words_of(mask):
    return [np.flatnonzero(row) for row in mask]


@few_examples
@given(generator=generators(), mask=masks(), fading=st.booleans(), ties=st.booleans())
def test_contributions_are_a_softmax_of_the_words_that_are_there(generator, mask, fading, ties):
    scores = generator.normal(scale=3, size=mask.shape).astype("float32")
    if ties:
        scores = np.round(scores)
    present = mask * (generator.random(mask.shape) if fading else 1.0)
    present[:, 0] = 1.0
    found = to_numpy(contributions.contributions(scores, present.astype("float32")))
    for row, words in enumerate(words_of(mask)):
        expected = numpy_adapler.predicted(scores[row, words], present[row, words])
        np.testing.assert_allclose(found[row, words], expected, atol=1e-6)
        assert not np.delete(found[row], words).any()


@few_examples
@given(generator=generators(), mask=masks(), eta=ETAS)
def test_the_threshold_counts_a_texts_own_words(generator, mask, eta):
    present = contributions.presence(mask)
    delta = to_numpy(contributions.threshold(eta, present))
    expected = [[numpy_adapler.threshold(eta, len(words))] for words in words_of(mask)]
    np.testing.assert_allclose(delta, expected, rtol=1e-6)


@few_examples
@given(
    generator=generators(),
    mask=masks(),
    eta=ETAS,
    steepness=STEEPNESS,
    ties=st.booleans(),
)
def test_soft_removal(generator, mask, eta, steepness, ties):
    contributed = drawn(generator, mask, ties)
    delta = to_numpy(contributions.threshold(eta, contributions.presence(mask)))
    bias = to_numpy(contributions.removal_bias(contributed, delta, steepness, mask))
    assert np.isfinite(bias).all()
    for row, words in enumerate(words_of(mask)):
        assert bias[row, 0] == 0
        for word in words[1:]:
            expected = numpy_adapler.soft_removal(contributed[row, word], delta[row, 0], steepness)
            expected = min(0.0, max(LOWEST_BIAS, expected))
            np.testing.assert_allclose(bias[row, word], expected, rtol=2e-3, atol=2e-4)
        assert not np.delete(bias[row], words).any()


@few_examples
@given(generator=generators(), mask=masks(), theta=st.sampled_from([0.2, 1.0, 5.0]))
def test_cls_is_amplified(generator, mask, theta):
    contributed = drawn(generator, mask)
    found = to_numpy(contributions.amplified(contributed, theta))
    for row, words in enumerate(words_of(mask)):
        expected = numpy_adapler.cls_amplified(contributed[row, words], theta)
        np.testing.assert_allclose(found[row, words], expected, atol=1e-6)


@few_examples
@given(generator=generators(), mask=masks())
def test_divergence_and_length(generator, mask):
    target, contributed = drawn(generator, mask, ties=True), drawn(generator, mask)
    target[:, -1] = 0.0  # A word without saliency.
    bias = -generator.exponential(size=mask.shape).astype("float32")
    found = to_numpy(contributions.divergence(target, contributed))
    lengths = to_numpy(contributions.soft_length(contributions.presence(mask, bias)))
    for row, words in enumerate(words_of(mask)):
        expected = numpy_adapler.divergence(target[row, words], contributed[row, words])
        np.testing.assert_allclose(found[row], expected, atol=1e-5)
        np.testing.assert_allclose(lengths[row], numpy_adapler.length(bias[row, words]), rtol=1e-5)


@few_examples
@given(generator=generators(), mask=masks(), eta=ETAS)
def test_words_stay_that_contribute_enough(generator, mask, eta):
    contributed = drawn(generator, mask)
    delta = to_numpy(contributions.threshold(eta, contributions.presence(mask)))
    stays = to_numpy(contributions.staying(contributed, delta, mask))
    for row, words in enumerate(words_of(mask)):
        expected = [word for word in words if word == 0 or contributed[row, word] >= delta[row, 0]]
        assert np.flatnonzero(stays[row]).tolist() == expected


@pytest.mark.parametrize("words", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("eta", [0.01, 1.0])
def test_even_contributions_drop_nothing(words, eta):
    mask = np.ones((1, words), "int32")
    present = contributions.presence(mask)
    even = contributions.contributions(np.full((1, words), 0.3, "float32"), present)
    stays = contributions.staying(even, contributions.threshold(eta, present), mask)
    assert to_numpy(stays).all()


def test_figure_2():
    # delta is 0.25: where the steep line meets the flat one, and at no contribution at all.
    contributed = np.array([[0.0, 0.25, 0.0, 1.0]], "float32")
    mask = np.ones((1, 4), "int32")
    bias = to_numpy(contributions.removal_bias(contributed, np.float32([[0.25]]), 27.0, mask))
    np.testing.assert_allclose(bias[0], [0, -0.1 / 27, -27 - 0.1 / 27, 0], rtol=1e-5)


@pytest.mark.parametrize("least,most,expected", [(0.01, 1.0, [0.01, 0.5, 1.0]), (0.1, None, None)])
def test_between(least, most, expected):
    values = np.array([-1.0, 0.5, 7.0], "float32")
    found = to_numpy(Between(least, most)(values))
    np.testing.assert_allclose(found, expected or [0.1, 0.5, 7.0])
    again = keras.constraints.deserialize(keras.constraints.serialize(Between(least, most)))
    assert (again.least, again.most) == (least, most)
