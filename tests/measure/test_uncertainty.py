"""How sure a score and a drop are, against closed forms and figures by hand."""

import numpy as np
import pytest
from scipy import stats

from power_bert_tf.measure.uncertainty import drop_uncertainty
from power_bert_tf.measure.uncertainty import standard_error

COUNT = 2000


def outputs(labels, right):
    """Two classes' outputs of a model that is right where `right` says so."""
    return np.eye(2)[np.where(right, labels, 1 - labels)]


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(1).integers(0, 2, COUNT)


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_the_standard_error_of_accuracy_is_the_binomials(labels, share):
    right = np.arange(COUNT) < share * COUNT
    expected = np.sqrt(share * (1 - share) / COUNT)
    assert standard_error("accuracy", labels, outputs(labels, right)) == pytest.approx(
        expected, rel=0.1
    )


def test_that_of_a_correlation_is_fishers():
    generator = np.random.default_rng(2)
    values = generator.normal(size=400)
    answers = values + generator.normal(size=400)
    correlation = stats.spearmanr(values, answers).statistic
    expected = (1 - correlation**2) / np.sqrt(400 - 3)
    found = standard_error("spearman", values.astype("float32"), answers[:, None])
    assert found == pytest.approx(expected, rel=0.25)


def test_the_drop_is_of_pairs(labels):
    """Two models that are wrong on the same texts are told apart by fewer than two that are not."""
    rows = np.arange(COUNT)
    bert = outputs(labels, rows >= 200)
    nested, elsewhere = outputs(labels, rows >= 240), outputs(labels, rows < COUNT - 240)
    near = drop_uncertainty("accuracy", labels, bert, nested)
    far = drop_uncertainty("accuracy", labels, bert, elsewhere)
    # McNemar's variance: (b + c) / n^2 less the square of the drop.
    for found, only_bert, only_reduced in ((near, 40, 0), (far, 240, 200)):
        assert (found["only_bert_right"], found["only_reduced_right"]) == (only_bert, only_reduced)
        error = 100 * np.sqrt((only_bert + only_reduced) / COUNT**2 - 0.02**2 / COUNT)
        assert found["standard_error"] == pytest.approx(error, rel=0.1)
        low, high = found["interval"]
        assert low == pytest.approx(2.0 - 1.96 * error, abs=0.2)
        assert high == pytest.approx(2.0 + 1.96 * error, abs=0.2)
    assert near["p_value"] == pytest.approx(2 * 0.5**40)
    assert far["p_value"] == pytest.approx(stats.binomtest(240, 440).pvalue)


def test_the_drop_has_its_sign(labels):
    better, worse = (outputs(labels, np.arange(COUNT) >= wrong) for wrong in (100, 200))
    found = drop_uncertainty("accuracy", labels, worse, better)
    assert found["interval"][0] < found["interval"][1] < 0
    assert (found["only_bert_right"], found["only_reduced_right"]) == (0, 100)


def test_equal_answers_differ_nowhere(labels):
    answers = outputs(labels, np.arange(COUNT) >= 100)
    assert drop_uncertainty("f1", labels, answers, answers) == {
        "interval": [0.0, 0.0],
        "standard_error": 0.0,
        "only_bert_right": 0,
        "only_reduced_right": 0,
        "p_value": 1.0,
    }


def test_options_of_a_question_stay_together():
    labels = np.random.default_rng(3).integers(0, 4, 300)
    right = np.eye(4)[labels].reshape(-1, 1)
    wrong = np.eye(4)[(labels + 1) % 4].reshape(-1, 1)
    found = drop_uncertainty("accuracy", labels, right, wrong)
    assert found["interval"] == [100.0, 100.0] and found["only_bert_right"] == 300
    assert standard_error("accuracy", labels, right) == 0.0


def test_numbers_are_not_right_or_wrong():
    values = np.linspace(0, 1, 50).astype("float32")
    found = drop_uncertainty("spearman", values, values[:, None], -values[:, None])
    assert found["interval"] == pytest.approx([200.0, 200.0])
    assert set(found) == {"interval", "standard_error"}


def test_one_example_says_nothing():
    answers = np.array([[0.2, 0.8]])
    assert standard_error("accuracy", [1], answers) is None
    assert drop_uncertainty("accuracy", [1], answers, answers)["interval"] is None


def test_the_same_figures_each_time(labels):
    answers = outputs(labels, np.arange(COUNT) >= 100)
    assert standard_error("f1", labels, answers) == standard_error("f1", labels, answers)
