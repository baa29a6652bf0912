"""Texts in batches: buckets, the cheapest cut, and what stands where."""

import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.batching import cheapest_batches
from power_bert_tf.deploy.batching import make_batches
from power_bert_tf.deploy.batching import make_packed_batches


def test_lengths_by_hand():
    assert bucket_lengths(5) == (5,)
    assert bucket_lengths(8) == (8,)
    assert bucket_lengths(20) == (8, 16, 20)
    assert bucket_lengths(64) == (8, 16, 24, 32, 40, 48, 56, 64)
    assert bucket_lengths(160) == (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160)


@pytest.mark.parametrize("length", [1, 7, 9, 63, 65, 129, 257, 512, 1000])
def test_lengths_grow_and_end_at_the_whole(length):
    lengths = bucket_lengths(length)
    assert lengths[-1] == length
    steps = np.diff((0, *lengths))
    assert (steps > 0).all() and (steps <= np.maximum(8, np.array(lengths) // 4)).all()


@pytest.mark.parametrize(
    ("overhead", "expected"),
    # One text of 8 with three of 16: apart 56, together 64, and a batch costs the difference.
    [(7, [(0, 1), (1, 4)]), (9, [(0, 4)])],
)
def test_a_batch_is_split_where_that_saves_more_than_it_costs(overhead, expected):
    cut = cheapest_batches(np.array([8, 16, 16, 16]), np.arange(1, 5), overhead)
    assert [(part.start, part.stop) for part in cut] == expected


def cost_of(cut, lengths, batch_sizes, overhead):
    return sum(overhead + batch_sizes[stop - start - 1] * lengths[stop - 1] for start, stop in cut)


@hypothesis.given(
    lengths=st.lists(st.integers(1, 9), max_size=7).map(sorted),
    static=st.booleans(),
    overhead=st.integers(0, 20),
)
def test_no_other_cut_is_cheaper(lengths, static, overhead):
    most = 4
    batch_sizes = np.array([1, 2, 4, 4]) if static else np.arange(1, most + 1)
    cut = [
        (part.start, part.stop)
        for part in cheapest_batches(np.array(lengths, int), batch_sizes, overhead)
    ]
    assert list(itertools.chain(*(range(*part) for part in cut))) == list(range(len(lengths)))
    borders = range(1, len(lengths))
    others = []
    for chosen in itertools.chain(
        *(itertools.combinations(borders, count) for count in range(len(lengths)))
    ):
        other = list(itertools.pairwise((0, *chosen, len(lengths))))
        if all(stop - start <= most for start, stop in other):
            others.append(cost_of(other, lengths, batch_sizes, overhead))
    assert cost_of(cut, lengths, batch_sizes, overhead) == min(others, default=0)


def test_batches_by_hand():
    token_ids = [[2, 5, 3], [2] * 9, [2, 3], [2] * 8, [2, 6, 7, 3]]
    segment_ids = [[0, 0, 1], [1] * 9, [0, 0], [0] * 8, [0, 1, 1, 1]]
    batches = make_batches(token_ids, segment_ids, (8, 16), (1, 2), overhead=0.5)
    assert [batch.rows.tolist() for batch in batches] == [[2, 0], [4, 3], [1]]
    assert [batch.length for batch in batches] == [8, 8, 16]
    first = batches[0].inputs
    assert {values.dtype.name for values in first.values()} == {"int32"}
    assert first["token_ids"].tolist() == [[2, 3] + [0] * 6, [2, 5, 3] + [0] * 5]
    assert first["segment_ids"].tolist() == [[0] * 8, [0, 0, 1] + [0] * 5]
    assert first["padding_mask"].tolist() == [[1, 1] + [0] * 6, [1, 1, 1] + [0] * 5]


def test_a_batch_is_filled_up_to_the_size_that_is_compiled():
    batches = make_batches([[2, 3]] * 3, [[0, 0]] * 3, (8,), (1, 2, 4, 4), overhead=100)
    (batch,) = batches
    assert batch.rows.tolist() == [0, 1, 2]
    assert batch.inputs["padding_mask"].sum(axis=1).tolist() == [2, 2, 2, 0]


@hypothesis.given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 5), st.integers(1, 30))
def test_packed_batches_are_as_full_as_they_may_be(sizes, batch_size, most_words):
    token_ids = [[2] * size for size in sizes]
    batches = make_packed_batches(token_ids, token_ids, batch_size, most_words)
    order = [int(row) for batch in batches for row in batch.rows]
    assert order == sorted(range(len(sizes)), key=lambda row: sizes[row])

    def fits(count, longest):
        return count == 1 or (count <= batch_size and count * longest <= most_words)

    for batch in batches:
        assert batch.length == max(sizes[row] for row in batch.rows)
        assert fits(len(batch.rows), batch.length)
        assert batch.inputs["token_ids"].shape == (len(batch.rows), batch.length)
        assert batch.inputs["padding_mask"].sum() == sum(sizes[row] for row in batch.rows)
    for batch, following in itertools.pairwise(batches):
        assert not fits(len(batch.rows) + 1, sizes[following.rows[0]])


def test_no_texts_make_no_batches():
    assert make_batches([], [], (8, 16), (1, 2), overhead=1) == []
    assert make_packed_batches([], [], 2, 10) == []


@pytest.mark.parametrize("most", [1, 2, 3, 7, 20, 50])
def test_as_many_lengths_as_may_be(most):
    every, few = bucket_lengths(512), bucket_lengths(512, most)
    assert len(few) == min(most, len(every)) and few[-1] == 512
    assert set(few) <= set(every) and list(few) == sorted(set(few))
