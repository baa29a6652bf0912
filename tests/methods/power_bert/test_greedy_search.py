"""Greedy elimination: what it takes out, and that it stops where it should."""

import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modeling.models import DEEP
from modeling.models import LONGER
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier
from modeling.models import small_config

from power_bert_tf.methods.power_bert.greedy_search import Answers
from power_bert_tf.methods.power_bert.greedy_search import eliminate
from power_bert_tf.methods.power_bert.greedy_search import operations_ratio
from power_bert_tf.methods.power_bert.greedy_search import shorten
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops

FOUR = small_config(num_layers=4)
SIZES = np.array([12, 9, 9, 5])


def priced(*prices):
    """Answers that move by a price for each word that an encoder leaves out."""

    def loss(retention):
        longest = retention.reference_length or SIZES.max()
        out = [longest - length for length in retention.lengths[: len(prices)]]
        return float(np.dot(prices, out))

    return types.SimpleNamespace(loss=loss)


def test_shorter_lengths_never_increase():
    assert shorten((12, 12, 8, 1), 1) == (12, 9, 8, 1)
    assert shorten((12, 12, 8, 1), 0) == (9, 9, 8, 1)
    assert shorten((12, 12, 8, 1), 1, 4) == (12, 4, 4, 1)
    assert shorten((3, 2, 1, 1), 2) is None
    assert shorten((3, 2, 1, 1), 1) == (3, 1, 1, 1)


def test_operations_are_those_of_texts_one_by_one():
    retention = RetentionConfiguration.parse("8,4,2,1 of 12")
    whole = sum(encoders_flops(FOUR, size) for size in SIZES)
    reduced = sum(encoders_flops(FOUR, size, Extraction(retention).kept(4, size)) for size in SIZES)
    assert operations_ratio(FOUR, SIZES, retention) == pytest.approx(whole / reduced)


@given(st.floats(1.05, 2.5), st.sampled_from(["absolute", "relative"]), st.permutations(range(3)))
def test_it_is_just_as_fast_as_was_asked_for(times, basis, prices):
    path = eliminate(priced(*prices), FOUR, SIZES, 16, times, basis)
    speeds = [found.times for found in path]
    assert speeds == sorted(speeds) and speeds[-1] >= times
    found = path[-1].retention
    assert found.basis == basis and found.lengths[-1] == 1
    assert path[-1].times == pytest.approx(operations_ratio(FOUR, SIZES, found))
    # One word-vector more in the encoder that was shortened last would be too slow, unless the
    # first step of all was fast enough.
    if len(path) > 1:
        before = path[-2].retention.lengths
        last = next(i for i in range(4) if before[i] != found.lengths[i])
        longer = shorten(before, last, found.lengths[last] + 1)
        if longer is not None:
            slower = RetentionConfiguration(longer, found.reference_length)
            assert operations_ratio(FOUR, SIZES, slower) < times


def test_what_costs_least_goes_first():
    dear_at_first = eliminate(priced(100.0, 1.0, 1.0), FOUR, SIZES, 16, 1.4)[-1].retention.lengths
    dear_at_last = eliminate(priced(0.0, 0.0, 100.0), FOUR, SIZES, 16, 1.4)[-1].retention.lengths
    assert dear_at_first[0] == 12 > dear_at_first[1]
    assert dear_at_last[2] > dear_at_first[2]


def test_a_speed_that_no_configuration_has():
    found = eliminate(priced(1.0, 1.0, 1.0), FOUR, SIZES, 16, 1e6)[-1]
    assert found.retention.lengths == (1, 1, 1, 1) and found.times < 1e6


@pytest.mark.parametrize(("head", "classes"), [("classification", 3), ("regression", 1)])
def test_the_loss_is_how_far_the_answers_are_from_berts(head, classes):
    bert = small_classifier(config=DEEP, sequence_length=LONGER, num_classes=classes, head=head)
    generator = np.random.default_rng(0)
    batches = [
        pad([random_text(generator, words) for words in sizes], LONGER)
        for sizes in ((12, 7, 3), (9, 5))
    ]
    answers = Answers(bert, batches)
    assert answers.loss(RetentionConfiguration((12, 12, 1))) == pytest.approx(0, abs=1e-6)
    reduced = bert.with_reduction(Extraction("4,2,1"))
    p, q = (
        np.concatenate([model.predict_on_batch(batch) for batch in batches]).astype("float64")
        for model in (bert, reduced)
    )
    expected = (
        (p * np.log(p / q)).sum(axis=1).mean()
        if head == "classification"
        else ((p - q) ** 2).mean() / p.var()
    )
    assert expected > 1e-3
    loss = answers.loss(RetentionConfiguration((4, 2, 1)))
    assert loss == pytest.approx(expected, rel=1e-3)
