"""A test set that is drawn from a training set has the lengths of the dev set."""

import numpy as np
import pytest

from power_bert_tf.data import Examples
from power_bert_tf.data.held_out import held_out_rows
from power_bert_tf.data.held_out import without


def examples(lengths):
    return Examples(["x" * length for length in lengths], None, [0] * len(lengths), ("a", "b"))


# Nine of ten are phrases of up to nine characters; the dev set is of sentences.
TRAIN = examples([1 + row % 9 if row % 10 else 20 + row // 10 % 80 for row in range(8000)])
DEV = examples(range(20, 100))


@pytest.mark.parametrize("count", [1, 37, 400])
def test_lengths_are_those_of_the_other_examples(count):
    rows = held_out_rows(TRAIN, DEV, count)
    assert len(rows) == len(set(rows)) == count
    assert np.array_equal(rows, np.sort(rows))
    lengths = TRAIN.characters()[rows]
    if count > 10:
        assert np.mean(lengths < 20) < 0.02
        assert abs(lengths.mean() - DEV.characters().mean()) < 5


def test_there_are_no_more_than_lengths_allow():
    rows = held_out_rows(TRAIN, DEV, 8000)
    assert 750 < len(rows) <= 800
    # None is long enough.
    assert len(held_out_rows(examples([3] * 50), DEV, 10)) == 0


def test_where_all_are_of_one_length_any_will_do():
    assert len(held_out_rows(examples([5] * 50), examples([5] * 7), 20)) == 20


def test_the_draw_is_the_same_each_time():
    first, again = (held_out_rows(TRAIN, DEV, 100) for _ in range(2))
    assert np.array_equal(first, again)


def test_what_is_held_out_can_be_left_out():
    pairs = Examples(list("abcd"), list("wxyz"), [0, 1, 0, 1], ("a", "b"))
    others = Examples(["b", "c"], ["x", "w"], [1, 1], ("a", "b"))
    assert list(without(pairs, others).texts) == ["a", "c", "d"]
    questions = Examples(list("aabb"), list("wxyz"), [0, 1], ("A", "B"), 2)
    assert list(without(questions, questions.select([1])).text_pairs) == ["w", "x"]
