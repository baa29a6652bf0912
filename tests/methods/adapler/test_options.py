import dataclasses
import math

import pytest

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.method import METHOD
from power_bert_tf.methods.adapler.options import AdaplerOptions
from power_bert_tf.methods.method import Plan


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("sst2", (5e-3, 5e-4, 5, 2e-5)),
        ("mrpc", (3e-2, 5e-2, 10, 3e-5)),
        ("mnli-m", (5e-3, 5e-4, 3, 2e-5)),
        ("one's own", (5e-3, 5e-3, 5, 1e-3)),
    ],
)
def test_the_papers_values(task, expected):
    found = AdaplerOptions().with_published(task, 1e-3, is_given=False)
    assert (
        found.gamma,
        found.phi,
        found.adapting_epochs,
        found.adapting_learning_rate,
    ) == expected


def test_the_limit_of_a_tuning_is_that_of_its_epochs():
    plan = Plan(None, AdaplerOptions(), 5, 10, 6)
    assert METHOD.for_tuning(plan, max_drop=0.5).epoch_limit == 0.5
    assert METHOD.for_tuning(plan, times=2.0).epoch_limit is None
    given = Plan(None, AdaplerOptions(epoch_limit=2.0), 5, 10, 6)
    assert METHOD.for_tuning(given, max_drop=0.5).epoch_limit == 2.0
    assert AdaplerOptions().with_published("sst2", 1e-5, is_given=False).epoch_limit == 1.0


def test_what_is_given_holds():
    given = AdaplerOptions(gamma=0.0, phi=1.0, adapting_epochs=2)
    found = given.with_published("sst2", 1e-3, is_given=True)
    assert (found.gamma, found.phi, found.adapting_epochs) == (0.0, 1.0, 2)
    assert found.adapting_learning_rate == 1e-3


def test_a_tuning_tries_several_gammas():
    options = AdaplerOptions(gammas=[0.005, 0.1])
    assert METHOD.variants(AdaplerOptions()) == ("",)
    assert METHOD.chosen_variants(options) == METHOD.variants(options)
    assert METHOD.variants(options) == ("gamma-0.005", "gamma-0.1")
    assert METHOD.with_variant(options, "gamma-0.1").gamma == 0.1
    assert METHOD.with_variant(AdaplerOptions(), "") == AdaplerOptions()
    with pytest.raises(InputError, match=r"`gammas` goes with a tuning.*gammas=\[0.005, 0.1\]"):
        METHOD.resolve(Plan(None, options, 5, 10, 6))


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (5, [10, 100, 1e3, 1e4, 1e5]),
        (3, [50, 2500, 125_000]),
        (10, [10 * 3**epoch for epoch in range(10)]),
        (2, [10, 1e5]),
        (1, [1e5]),
    ],
)
def test_lambda_by_epoch(epochs, expected):
    start, factor = AdaplerOptions(adapting_epochs=epochs).steepness
    found = [start * factor**epoch for epoch in range(epochs)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("steps_per_epoch", "predictors", "thresholds"), [(250, 8e-4, 2e-3), (100_000, 2e-5, 5e-4)]
)
def test_rates_fit_the_number_of_steps(steps_per_epoch, predictors, thresholds):
    options = AdaplerOptions(adapting_epochs=5, adapting_learning_rate=2e-5)
    fitting = options.with_fitting_rates(steps_per_epoch)
    assert fitting.predictor_learning_rate == pytest.approx(predictors)
    assert fitting.threshold_learning_rate == pytest.approx(thresholds)
    names = ("predictor_learning_rate", "threshold_learning_rate")
    given = dataclasses.replace(options, **dict.fromkeys(names, 0.1))
    assert given.with_fitting_rates(steps_per_epoch) == given


@pytest.mark.parametrize(
    "given",
    [
        {"gamma": -1.0},
        {"gammas": [0.1, -1.0]},
        {"phi": math.nan},
        {"epoch_limit": math.inf},
        {"adapting_epochs": 0},
        {"adapting_learning_rate": -1e-3},
        {"predictor_learning_rate": 0.0},
        {"threshold_learning_rate": 0.0},
    ],
)
def test_what_is_out_of_range(given):
    (name,) = given
    with pytest.raises(InputError, match=f"`{name}` must be .*Received: {name}="):
        AdaplerOptions(**given).check()
