"""A text's answer does not depend on its padding, nor on what stands beside it."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import REDUCTIONS
from modeling.models import few_examples
from modeling.models import logits
from modeling.models import pad
from modeling.models import random_text
from modeling.models import reduced_classifier
from modeling.models import small_classifier
from modeling.models import texts
from power_bert_tf.modeling import Reduction

TOLERANCE = 1e-4


def logits_of_first_text(model, first, others, place):
    """The logits of `first` where it stands at `place` among the others, padded to the model."""
    batch = [*others[:place], first, *others[place:]]
    return logits(model, pad(batch, model.sequence_length))[place]


@pytest.mark.parametrize("name", REDUCTIONS)
@few_examples
@given(
    batch=texts(),
    longer_neighbours=texts(max_words=LONGER, count=2),
    place=st.integers(0, 2),
)
def test_padding_and_neighbours(name, batch, longer_neighbours, place):
    first, *neighbours = batch
    here = logits_of_first_text(reduced_classifier(name, LENGTH), first, neighbours, 0)
    longer = reduced_classifier(name, LONGER)
    padded = logits_of_first_text(longer, first, neighbours, 0)
    np.testing.assert_allclose(padded, here, rtol=0, atol=TOLERANCE)
    moved = logits_of_first_text(longer, first, longer_neighbours, place)
    np.testing.assert_allclose(moved, here, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_graph_of_any_length(name):
    model = reduced_classifier(name, LONGER)
    any_length = model.at_length(None).logits_model
    for sequence_length in (LENGTH, LONGER):
        inputs = pad(some_texts(), sequence_length)
        expected = logits(model, pad(some_texts(), LONGER))
        np.testing.assert_allclose(any_length(inputs), expected, rtol=0, atol=TOLERANCE)


def some_texts():
    generator = np.random.default_rng(0)
    return [random_text(generator, LENGTH) for _ in range(3)]


@pytest.mark.parametrize("name", REDUCTIONS)
def test_texts_differ_by_far_more_than_the_tolerance(name):
    answers = logits(reduced_classifier(name, LENGTH), pad(some_texts(), LENGTH))
    distances = [np.abs(answers[one] - answers[other]).max() for one, other in ((0, 1), (1, 2))]
    assert min(distances) > 0.1 > 100 * TOLERANCE


@pytest.mark.parametrize("name", [name for name in REDUCTIONS if name != "none"])
def test_reductions_change_the_answer(name):
    inputs = pad(some_texts(), LENGTH)
    plain = logits(reduced_classifier("none", LENGTH), inputs)
    reduced = logits(reduced_classifier(name, LENGTH), inputs)
    assert np.abs(reduced - plain).max() > 100 * TOLERANCE


class _MeanOverPadding(keras.layers.Layer):
    def call(self, hidden):
        return hidden + ops.mean(hidden, axis=1, keepdims=True)


class _Dependent(Reduction):
    def fade(self, layers, index, vectors, probabilities):
        mean = layers(_MeanOverPadding, f"encoder_{index}_mean")
        return vectors.replace(hidden=mean(vectors.hidden))


def test_the_check_finds_a_reduction_that_looks_at_padding():
    model = small_classifier(sequence_length=LONGER, reduction=_Dependent())
    first, *neighbours = [(text[0][:5], text[1][:5]) for text in some_texts()]
    here = logits_of_first_text(model.at_length(LENGTH), first, neighbours, 0)
    padded = logits_of_first_text(model, first, neighbours, 0)
    assert np.abs(padded - here).max() > 10 * TOLERANCE
