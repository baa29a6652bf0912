"""The paper's own values for each task, and what replaces them."""

import dataclasses

import pytest

from power_bert_tf.data import get_task
from power_bert_tf.errors import InputError
from power_bert_tf.methods.method import Plan
from power_bert_tf.methods.power_bert.method import METHOD
from power_bert_tf.methods.power_bert.options import PowerBertOptions

# The learning rate of the soft-extract layers, and lambda: Table 1 of the paper's supplement.
PUBLISHED = {
    "cola": (1.5e-3, 7e-3),
    "rte": (3e-3, 1e-3),
    "qqp": (1e-4, 3e-4),
    "mrpc": (3e-3, 3e-3),
    "sst2": (5e-4, 2e-4),
    "mnli-m": (2e-4, 1e-4),
    "mnli-mm": (1e-4, 1e-4),
    "qnli": (2e-4, 1.5e-4),
    "stsb": (3e-3, 1e-3),
    "imdb": (2e-4, 7e-4),
    "race": (2e-4, 1e-4),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name):
    options = PowerBertOptions().with_published(name)
    assert (options.retention_learning_rate, options.strength) == PUBLISHED[name]


def test_tasks_of_ones_own_have_the_middle_of_the_ranges():
    options = PowerBertOptions().with_published("reviews")
    assert (options.retention_learning_rate, options.strength) == (3e-3, 1e-3)


def test_the_linear_search_has_a_speed_in_place_of_lambda():
    assert PowerBertOptions(search="linear").with_published("sst2").strength == 1.6


def test_what_is_given_stays():
    given = PowerBertOptions(retention_learning_rate=0.5, strength=0.0)
    assert given.with_published("cola") == given
    one = dataclasses.replace(given, strength=None).with_published("cola")
    assert (one.retention_learning_rate, one.strength) == (0.5, 7e-3)


@pytest.mark.parametrize(
    ("given", "steps_per_epoch", "rate"),
    # The paper's for SST-2 is 5e-4: in 300 steps it would bring a parameter from 1 to 0.93.
    [(None, 100, 2.5 / 300), (None, 2000, 5e-4), (1e-5, 100, 1e-5)],
)
def test_a_short_search_has_a_rate_that_reaches(given, steps_per_epoch, rate):
    options = PowerBertOptions(retention_learning_rate=given)
    plan = Plan(get_task("sst2"), options, 3, steps_per_epoch, 6)
    assert METHOD.resolve(plan).retention_learning_rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"strength": -1.0}, "`strength` must be at least 0. Received: strength=-1.0"),
        ({"search_epochs": 0}, "`search_epochs` must be positive. Received: search_epochs=0"),
        ({"search": "best"}, "`search` must be one of paper, linear. Received: search='best'"),
        (
            {"search": "linear", "strength": 1.0},
            "`strength` must be above 1 for the linear search.* Received: strength=1.0",
        ),
        ({"retention_learning_rate": float("nan")}, "`retention_learning_rate` must be positive"),
    ],
)
def test_options_out_of_range(changes, expected):
    with pytest.raises(InputError, match=expected):
        PowerBertOptions(**changes).check()
