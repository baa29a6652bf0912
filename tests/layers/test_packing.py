"""Packed rows lead back to where they came from, and are those that `Extract` keeps."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from layers import strategies
from power_bert_tf.layers import Extract
from power_bert_tf.layers import Packing
from power_bert_tf.layers import StayingRows

# Their number is not known beforehand.
pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="rows are packed on TensorFlow"
)


def masks(batch=3, rows=6):
    """Masks in which each text has its first row, and others anywhere."""

    def of(generator):
        mask = (generator.random((batch, rows)) < 0.6).astype("int32")
        mask[:, 0] = 1
        return mask

    return strategies.generators().map(of)


@strategies.few_examples
@given(mask=masks())
def test_there_and_back(mask):
    batch, rows = mask.shape
    before, flat, places, padding_mask, own = (np.asarray(each) for each in Packing()(mask))
    np.testing.assert_array_equal(before, np.flatnonzero(mask))
    np.testing.assert_array_equal(own, before % rows)
    np.testing.assert_array_equal(flat, np.flatnonzero(padding_mask))
    assert places.shape == padding_mask.shape == (batch, mask.sum(axis=1).max())
    np.testing.assert_array_equal(padding_mask.sum(axis=1), mask.sum(axis=1))
    packed = (np.arange(batch * rows) + 100.0)[before]
    for text in range(batch):
        expected = 100.0 + text * rows + np.flatnonzero(mask[text])
        np.testing.assert_array_equal(packed[places[text]][padding_mask[text] == 1], expected)


@strategies.few_examples
@given(
    mask=masks(),
    generator=strategies.generators(),
    length=st.none() | st.integers(1, 7),
    ties=st.booleans(),
)
def test_the_rows_that_stay_are_those_that_extract_keeps(mask, generator, length, ties):
    batch, rows = mask.shape
    score = generator.integers(0, 3, mask.shape) if ties else generator.random(mask.shape)
    score = score.astype("float32")
    budget = generator.integers(1, rows + 1, batch).astype("int32") if length is None else None
    numbers = np.arange(batch * rows, dtype="float32").reshape(batch, rows, 1) + 1
    hidden, left = Extract(length)(numbers, None, score, mask, budget)
    expected = [
        set(ops.convert_to_numpy(hidden)[text, :, 0][ops.convert_to_numpy(left)[text] == 1])
        for text in range(batch)
    ]
    stays = np.asarray(StayingRows(length)(score, mask, budget))
    found = [set(numbers[text, stays[text] == 1, 0]) for text in range(batch)]
    assert found == expected
    assert (stays[:, 0] == 1).all()


def test_sixteen_bits_do_not_tie_what_the_priority_tells_apart():
    layer = StayingRows(2, dtype="mixed_bfloat16")
    score = np.array([[0.0, 1.0, 1.0001, 0.9999]], "float32")
    stays = layer(score, np.ones((1, 4), "int32"))
    assert np.asarray(stays).tolist() == [[1, 0, 1, 0]]


def test_configurations_come_back():
    for layer in (StayingRows(None), StayingRows(3), Packing()):
        copy = type(layer).from_config(layer.get_config())
        assert copy.get_config() == layer.get_config()
