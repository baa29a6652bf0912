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
from layers.strategies import scores
from power_bert_tf.layers import Extract
from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.methods.power_bert.static_score import StaticScore


def numbered(batch, rows, heads=2):
    """Word-vectors and attention in which each row carries its own number."""
    hidden = np.zeros((batch, rows, 3), "float32") + np.arange(rows)[:, None]
    probabilities = np.zeros((batch, heads, rows, rows), "float32") + np.arange(rows)[:, None]
    return hidden, probabilities


@pytest.mark.parametrize("length", [3, 9])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layer(length, policy):
    layer = Extract(length, dtype=policy, name="extract")
    hidden, probabilities = (ops.cast(x, layer.compute_dtype) for x in numbered(2, 5))
    check_without_weights(
        layer,
        hidden=hidden,
        by_query=probabilities,
        score=np.ones((2, 5), "float32"),
        padding_mask=np.ones((2, 5), "int32"),
        budget=np.array([4, 2], "int32"),
    )


def rows_kept(length, score, mask, budget=None, dtype=None):
    """The rows that `Extract` keeps of each text, and their masks."""
    mask = np.asarray(mask)
    hidden, probabilities = numbered(*mask.shape)
    layer = Extract(length, dtype=dtype)
    outputs = layer(hidden, probabilities, score, mask, budget)
    hidden, probabilities, mask = (ops.convert_to_numpy(output) for output in outputs)
    np.testing.assert_array_equal(probabilities[:, 1, :, 0], hidden[:, :, 0])
    return hidden[:, :, 0].astype(int).tolist(), mask.tolist()


def test_figure_4():
    # N = 6, l_1 = 4, l_2 = 2: the first encoder drops w2 and w4, the second w1 and w5. w1 is not
    # CLS in this figure, so CLS stands before the six and the lengths are one more.
    score = np.array([[0.0, 3.0, 1.0, 6.0, 2.0, 4.0, 5.0]])
    kept, mask = rows_kept(5, score, np.ones((1, 7), "int32"))
    assert kept == [[0, 1, 3, 5, 6]]
    score = np.array([[0.0, 1.0, 5.0, 2.0, 4.0]])
    kept_of_these, _ = rows_kept(3, score, mask)
    assert [kept[0][row] for row in kept_of_these[0]] == [0, 3, 6]


def test_each_text_by_itself():
    score = np.array([[9.0, 1, 2, 3], [9.0, 3, 2, 1], [0.0, 3, 2, 1], [9.0, 5, 5, 5]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    kept, kept_mask = rows_kept(2, score, mask)
    # CLS though it has the lowest score; a word before padding; the earlier one of three equals.
    assert kept == [[0, 3], [0, 1], [0, 3], [0, 1]]
    assert kept_mask == [[1, 1]] * 4


def test_a_budget_masks_what_the_longer_text_beside_it_may_keep():
    score = np.array([[0.0, 3, 2, 1], [0.0, 1, 2, 3]])
    kept, mask = rows_kept(3, score, np.ones((2, 4), "int32"), budget=np.array([3, 2]))
    assert kept == [[0, 1, 2], [0, 1, 3]]
    assert mask == [[1, 1, 1], [1, 0, 1]]
    kept, mask = rows_kept(4, score, np.ones((2, 4), "int32"), budget=np.array([4, 1]))
    assert kept == [[0, 1, 2, 3]] * 2
    assert mask == [[1, 1, 1, 1], [1, 0, 0, 0]]


def agrees(length, score, mask, budget=None):
    kept, kept_mask = rows_kept(length, score, mask, budget)
    for text in range(len(mask)):
        own = None if budget is None else budget[text]
        expected = numpy_reference.extracted_rows(score[text], mask[text], length, own)
        assert (kept[text], kept_mask[text]) == expected
        assert kept[text][0] == 0 and kept_mask[text][0] == 1
        assert kept[text] == sorted(set(kept[text]))


@few_examples
@given(mask=masks(), length=st.sampled_from([1, 3, 9]), data=st.data())
def test_agrees_with_numpy(mask, length, data):
    agrees(length, data.draw(scores(mask.shape)), mask)


@few_examples
@given(mask=masks(), length=st.sampled_from([3, 9]), data=st.data())
def test_agrees_with_numpy_within_budgets(mask, length, data):
    budget = data.draw(st.lists(st.integers(1, 8), min_size=len(mask), max_size=len(mask)))
    agrees(length, data.draw(scores(mask.shape)), mask, np.array(budget))


@few_examples
@given(
    mask=masks(),
    length=st.sampled_from([3]),
    selection=st.sampled_from(["attention", "head", "random"]),
    generator=generators(),
)
def test_the_three_selections_agree_with_numpy(mask, length, selection, generator):
    rows = mask.shape[1]
    probabilities = attention(generator, mask, 2)
    if selection == "attention":
        score = SignificanceScore()(probabilities, mask)
        expected = [
            numpy_reference.significance(*text) for text in zip(probabilities, mask, strict=True)
        ]
    else:
        score = StaticScore(selection, seed=7)(mask)
        drawn = np.random.default_rng(7).random(rows)
        by_position = -np.arange(rows) if selection == "head" else drawn
        expected = [numpy_reference.static_score(text, by_position) for text in mask]
    kept, _ = rows_kept(length, score, mask)
    for text in range(len(mask)):
        rows, _ = numpy_reference.extracted_rows(expected[text], mask[text], length)
        assert kept[text] == rows


@few_examples
@given(mask=masks(), more=st.sampled_from([0, 3]), generator=generators())
def test_keeping_all_changes_nothing(mask, more, generator):
    batch, rows = mask.shape
    hidden = generator.normal(size=(batch, rows, 3)).astype("float32")
    probabilities = attention(generator, mask, 2)
    score = generator.random(mask.shape)
    outputs = Extract(rows + more)(hidden, probabilities, score, mask, np.full(batch, rows))
    for output, given_ in zip(outputs, (hidden, probabilities, mask), strict=True):
        np.testing.assert_array_equal(output, given_)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_ranks_by_scores_that_16_bits_cannot_tell_apart(policy):
    score = np.array([[0.0, 1.0, 1.0001, 1.0002]], "float32")
    kept, _ = rows_kept(3, score, np.ones((1, 4), "int32"), dtype=policy)
    assert kept == [[0, 2, 3]]
    hidden, probabilities = (ops.cast(x, policy.removeprefix("mixed_")) for x in numbered(1, 4))
    outputs = Extract(3, dtype=policy)(hidden, probabilities, score, np.ones((1, 4), "int32"))
    assert [output.dtype for output in outputs[:2]] == [hidden.dtype, hidden.dtype]


def test_without_a_length_the_largest_budget_decides():
    score = np.array([[0, 5, 1, 4, 2, 3], [0, 1, 2, 3, 4, 5]], "float32")
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]], "int32")
    kept, kept_mask = rows_kept(None, score, mask, np.array([4, 2]))
    np.testing.assert_array_equal(kept[0], [0, 1, 3, 5])
    np.testing.assert_array_equal(kept[1], [0, 1, 2, 3])
    np.testing.assert_array_equal(kept_mask, [[1, 1, 1, 1], [1, 0, 0, 1]])


def test_length_below_one():
    with pytest.raises(ValueError, match="length=0"):
        Extract(0)
