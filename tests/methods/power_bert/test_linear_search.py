"""Linear configurations, and the one that is as fast as was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modeling.models import small_config

from power_bert_tf.methods.power_bert.linear_search import linear
from power_bert_tf.methods.power_bert.linear_search import linear_search
from power_bert_tf.methods.power_bert.linear_search import operations_ratio
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops

SIX = small_config(num_layers=6, hidden_dim=64, intermediate_dim=256)
SIZES = np.array([60, 41, 40, 33, 27, 22, 20, 18, 15, 12, 7])


def test_each_keeps_as_many_fewer():
    assert linear(4, 40, 64).lengths == (30, 20, 10, 1)
    assert linear(4, 40, 64, 64) == RetentionConfiguration((30, 20, 10, 1), 64)
    assert linear(4, 100, 64).lengths == (64, 50, 25, 1)
    assert linear(4, 10.5, 64).lengths == (8, 6, 3, 1)
    assert linear(3, 0.0, 64).lengths == (1, 1, 1)


@pytest.mark.parametrize("text", ["30,20,12,8,4,1", "30,20,12,8,4,1 of 64"])
def test_operations_are_those_of_texts_one_by_one(text):
    retention = RetentionConfiguration.parse(text)
    kept = [Extraction(retention).kept(6, int(size)) for size in SIZES]
    whole = sum(encoders_flops(SIX, int(size)) for size in SIZES)
    reduced = sum(
        encoders_flops(SIX, int(size), each) for size, each in zip(SIZES, kept, strict=True)
    )
    assert operations_ratio(SIX, SIZES, retention) == pytest.approx(whole / reduced)


@given(st.floats(1.2, 3.0), st.sampled_from(["absolute", "relative"]))
def test_it_is_as_fast_as_was_asked_for_and_hardly_faster(times, basis):
    found = linear_search(SIX, SIZES, 64, times, basis)
    assert found.basis == basis and found.lengths[-1] == 1
    assert times <= operations_ratio(SIX, SIZES, found) <= 1.1 * times
    # The lengths that are less than everything lie on a line, which ends at none.
    below = [length for length in found.lengths[:-1] if length < 64]
    step = below[-1]
    assert below == pytest.approx([step * (index + 1) for index in range(len(below))][::-1], abs=5)


def test_a_speed_that_no_configuration_has():
    assert linear_search(SIX, SIZES, 64, 1e6).lengths == (1,) * 6


def test_one_encoder_keeps_cls():
    assert linear_search(small_config(num_layers=1), SIZES, 64, 1.1).lengths == (1,)
