import math

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layers.strategies import few_examples

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration

# Nothing compiles here, so there may be more of them.
many_examples = hypothesis.settings(few_examples, max_examples=100)

# Section 4.2 of the paper, for RTE and N = 256.
RTE = (153, 125, 111, 105, 85, 80, 72, 48, 35, 27, 22, 5)


@st.composite
def configurations(draw):
    lengths = draw(st.lists(st.integers(1, 600), min_size=1, max_size=24))
    lengths.sort(reverse=True)
    more = draw(st.none() | st.integers(0, 600))
    return RetentionConfiguration(tuple(lengths), None if more is None else lengths[0] + more)


@many_examples
@given(configurations())
def test_reads_what_it_prints(retention):
    assert RetentionConfiguration.parse(str(retention)) == retention
    assert RetentionConfiguration.from_json(retention.to_json()) == retention


@many_examples
@given(configurations(), st.integers(1, 1000))
def test_at_length(retention, length):
    lengths = retention.at_length(length)
    if retention.basis == "absolute":
        assert lengths == tuple(min(kept, length) for kept in retention.lengths)
    else:
        of = retention.reference_length
        for kept, given_ in zip(lengths, retention.lengths, strict=True):
            assert (kept - 1) * of < given_ * length <= kept * of
    assert list(lengths) == sorted(lengths, reverse=True)
    assert 1 <= lengths[-1] and lengths[0] <= length


@pytest.mark.parametrize(
    ("text", "lengths", "reference_length", "printed"),
    [
        ("153,125,111", (153, 125, 111), None, "153,125,111"),
        (" 8 , 3 ", (8, 3), None, "8,3"),
        ("8,3 of 16", (8, 3), 16, "8,3 of 16"),
        ("0.6,0.5,0.5", (6, 5, 5), 10, "6,5,5 of 10"),
        ("1,0.25", (4, 1), 4, "4,1 of 4"),
        ([8, 3], (8, 3), None, "8,3"),
        (RetentionConfiguration((8, 3), 9), (8, 3), 9, "8,3 of 9"),
    ],
)
def test_parse(text, lengths, reference_length, printed):
    retention = RetentionConfiguration.parse(text)
    assert (retention.lengths, retention.reference_length) == (lengths, reference_length)
    assert str(retention) == printed
    assert retention.basis == ("absolute" if reference_length is None else "relative")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must read like.*''"),
        ("eight", "must read like.*'eight'"),
        ("8,,3", "must read like.*'8,,3'"),
        ("8;3", "must read like.*'8;3'"),
        ("-8,-9", "must read like.*'-8,-9'"),
        ("8,3 of", "must read like"),
        ("7.5,3 of 8", "must read like"),
        ("8,0", "at least 1.*0 in"),
        ("0.5,0.0", "at least 1.*0 in"),
        ("8,9", r"must not increase.*9 after 8 in \[8, 9\]"),
        ("0.5,0.6", "must not increase"),
        ("9,8 of 8", "more than all.*9 of 8"),
        ("1.5,1", "more than all.*3 of 2"),
        ("0.1234567", "at most 1000000"),
        ([], "Received: none"),
        ([8, -1], "at least 1.*-1 in"),
        ([8.0, 3], "whole numbers.*8.0 in"),
        ([True], "whole numbers.*True"),
        (5, "a text or a sequence of lengths. Received: 5"),
    ],
)
def test_what_cannot_be_a_configuration(text, message):
    with pytest.raises(InputError, match=message) as caught:
        RetentionConfiguration.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reference_length", [8.5, "8", 1_000_001])
def test_reference_length_out_of_range(reference_length):
    with pytest.raises(InputError, match="`reference_length`"):
        RetentionConfiguration((3,), reference_length)


@pytest.mark.parametrize(
    "text", ["", "[8, 3]", '{"lengths": [8, 3]}', '{"lengths": 8, "reference_length": null}']
)
def test_what_is_no_json_of_a_configuration(text):
    with pytest.raises(InputError, match="`lengths` and `reference_length`"):
        RetentionConfiguration.from_json(text)


def test_from_the_masses_of_the_papers_configuration():
    masses = [length - 0.3 for length in RTE]
    assert RetentionConfiguration.from_masses(masses, 256).lengths == RTE
    assert sum(RTE) == 868
    assert RetentionConfiguration.parse(str(RTE)[1:-1].replace(" ", "")).lengths == RTE


def test_from_masses_that_increase():
    # 5.2 after 3.1 becomes 4, the ceiling before it; the mass of nothing still keeps CLS.
    retention = RetentionConfiguration.from_masses([7.0, 3.1, 5.2, 4.0, 0.0], 8)
    assert retention.lengths == (7, 4, 4, 4, 1)
    assert retention.basis == "absolute"


@pytest.mark.parametrize("mass", [math.nan, math.inf])
def test_masses_of_a_search_that_diverged(mass):
    with pytest.raises(InputError, match="`masses` must be finite"):
        RetentionConfiguration.from_masses([8.0, mass], 8)


@many_examples
@given(
    masses=st.lists(st.floats(0, 300), min_size=1, max_size=12),
    basis=st.sampled_from(["absolute", "relative"]),
    rounding=st.sampled_from([("up", math.ceil), ("down", math.floor)]),
)
def test_from_masses(masses, basis, rounding):
    direction, rounded = rounding
    retention = RetentionConfiguration.from_masses(masses, 256, basis, direction)
    assert retention.basis == basis
    for index, length in enumerate(retention.lengths):
        before = [rounded(mass) for mass in masses[: index + 1]]
        assert length == max(1, min(256, *before))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8,3,2", "each of the 2 encoders.*3 in 8,3,2"),
        ("8", "each of the 2 encoders.*1 in 8"),
        ("17,3", "sequence length 16.*17 in 17,3"),
    ],
)
def test_a_model_that_it_does_not_fit(text, message):
    with pytest.raises(InputError, match=message):
        RetentionConfiguration.parse(text).check(num_layers=2, sequence_length=16)


def test_models_that_it_fits():
    RetentionConfiguration.parse("16,3").check(num_layers=2, sequence_length=16)
    # Shares of a text fit any length.
    RetentionConfiguration.parse("17,3 of 32").check(num_layers=2, sequence_length=16)
    assert SoftExtraction(0.0).check(2, 16) is None
    with pytest.raises(InputError, match="17 in 17,3"):
        Extraction("17,3").check(2, 16)
