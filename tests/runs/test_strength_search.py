"""The order in which strengths are tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from power_bert_tf.runs.strength_search import StrengthSearch


def found(start, limit, most=40):
    search = StrengthSearch(start)
    while (strength := search.next()) is not None and len(search.strengths) < most:
        search.record(strength, too_much=strength > limit)
    return search.strengths


def test_up_then_between():
    assert found(1e-3, 3e-3) == pytest.approx([1e-3, 4e-3, 2e-3, 8**0.5 * 1e-3])


def test_down_then_between():
    assert found(8.0, 1.5) == pytest.approx([8.0, 2.0, 0.5, 1.0, 2**0.5])


@given(st.floats(1e-6, 1e-1), st.floats(1e-6, 1e-1))
def test_it_ends_just_below_the_limit(start, limit):
    tried = found(start, limit)
    assert limit / 1.42 <= max(strength for strength in tried if strength <= limit) <= limit
    assert len(tried) == len(set(tried)) <= 14


def test_nothing_at_or_below_the_least_is_tried():
    search = StrengthSearch(1.6, step=1.3, narrow=1.08, least=1.05)
    while (strength := search.next()) is not None:
        search.record(strength, too_much=True)
    assert search.strengths == pytest.approx([1.6, 1.6 / 1.3])


def test_a_noisy_failure_below_a_success_is_left_aside():
    search = StrengthSearch(1.0)
    search.record(1.0, too_much=True)
    search.record(2.0, too_much=False)
    assert search.next() == 8.0
    search.record(8.0, too_much=True)
    assert search.next() == pytest.approx(4.0)
