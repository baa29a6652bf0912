"""The three steps on a task that a tiny BERT learns."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from training import toy

from power_bert_tf.methods.method import FineTune
from power_bert_tf.methods.method import Work
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.methods.power_bert.steps import ReTrain
from power_bert_tf.methods.power_bert.steps import Search
from power_bert_tf.methods.power_bert.steps import reachable_retention
from power_bert_tf.modeling import NoReduction
from power_bert_tf.training.loop import evaluate
from power_bert_tf.training.schedules import WarmupLinearDecay

EPOCHS = 8


def run(step, model, data, folder):
    """What a step makes of the model before it, and the masses that it wrote, if any."""
    work = Work(lambda: model, lambda name: model, data, folder, folder / "progress")
    # As a run does before each step; otherwise the tests before would have a say in it.
    keras.utils.set_random_seed(2)
    result, findings = step.run(work)
    masses = folder / "masses.json"
    return result, json.loads(masses.read_text()) if masses.exists() else findings


@pytest.fixture(scope="module")
def fine_tuned(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model, data = toy.classifier(seed=0, scale=0.2), toy.step_data(train=96)
    before = evaluate(model, data)
    result = run(FineTune(EPOCHS, 2e-2), model, data, tmp_path_factory.mktemp("fine-tune"))[0]
    return data, before, result


@pytest.mark.slow
def test_fine_tuning_learns(fine_tuned):
    data, before, result = fine_tuned
    assert len(result.history) == EPOCHS
    assert set(result.history[0]) == {"loss", "accuracy", "dev_accuracy"}
    assert result.history[-1]["loss"] < 0.5 * result.history[0]["loss"]
    assert result.score >= max(0.9, before + 0.2)


@pytest.mark.slow
def test_fine_tuning_gives_back_the_best_epoch(fine_tuned):
    data, _, result = fine_tuned
    scores = [logs["dev_accuracy"] for logs in result.history]
    assert result.best_epoch == scores.index(max(scores)) + 1
    assert result.score == max(scores)
    assert evaluate(result.model, data) == result.score


@pytest.mark.slow
def test_search_lowers_the_masses(fine_tuned, tmp_path):
    data, _, result = fine_tuned
    before = toy.weights(result.model)
    searched, history = run(Search(5, 1e-3, 0.1, 1.0), result.model, data, tmp_path)
    masses = np.array(history["masses"])
    assert history["steps"][0] == 0 and history["steps"][-1] == 5 * data.steps_per_epoch
    assert masses.shape == (len(history["steps"]), 2)
    np.testing.assert_array_equal(masses[0], [toy.LENGTH, toy.LENGTH])
    assert (np.diff(masses, axis=0) <= 1e-5).all()
    assert (masses[-1] < 0.5 * toy.LENGTH).all()
    # The last epoch, whatever the scores are, and in another model than the one that came in.
    assert searched.best_epoch == 5
    np.testing.assert_allclose(searched.model.reduction.masses(searched.model), masses[-1])
    lengths = RetentionConfiguration.from_search(searched.model).lengths
    assert lengths == tuple(int(each) for each in np.minimum.accumulate(np.ceil(masses[-1])))
    assert isinstance(result.model.reduction, NoReduction)
    after = toy.weights(result.model)
    assert all(np.array_equal(before[path], after[path]) for path in before)


def test_search_without_penalty_and_gradient_keeps_everything(tmp_path):
    """A head of zeros that does not learn hands no gradient to the retention parameters."""
    data, model = toy.step_data(), toy.classifier(seed=0)
    classifier = model.get_layer("classifier")
    classifier.set_weights([np.zeros_like(each) for each in classifier.get_weights()])
    with toy.eagerly():
        searched, history = run(Search(1, 0.0, 0.1, 0.0), model, data, tmp_path)
    assert history["masses"] == [[toy.LENGTH, toy.LENGTH]] * len(history["steps"])
    assert RetentionConfiguration.from_search(searched.model).lengths == (toy.LENGTH,) * 2


@pytest.mark.slow
def test_re_training_recovers(fine_tuned, tmp_path):
    data, _, result = fine_tuned
    retention = RetentionConfiguration.parse("5,4 of 12")
    with toy.eagerly():
        retrained = run(ReTrain(3, 5e-3, retention), result.model, data, tmp_path)[0]
    assert retrained.model.reduction.retention == retention
    assert len(retrained.history) == 3
    assert retrained.score == max(logs["dev_accuracy"] for logs in retrained.history)
    assert retrained.score >= 0.8
    assert evaluate(retrained.model, data) == (retrained.score)
    # Given the same folder, what is finished is not repeated.
    again = run(ReTrain(3, 5e-3, retention), result.model, data, tmp_path)[0]
    assert again.history == retrained.history and again.score == retrained.score
    ours, theirs = toy.weights(retrained.model), toy.weights(again.model)
    assert all(np.array_equal(ours[path], theirs[path]) for path in ours)


@pytest.mark.slow
def test_re_training_gives_back_the_best_epoch(fine_tuned, tmp_path):
    """It is taught the opposite of what it knows: the first epoch is the best."""
    data, _, result = fine_tuned
    train = dataclasses.replace(data.train, labels=1 - data.train.labels)
    opposite = dataclasses.replace(data, train=train, batch_size=48)
    retention = RetentionConfiguration.parse("12,12")
    with toy.eagerly():
        retrained = run(ReTrain(3, 8e-3, retention), result.model, opposite, tmp_path)[0]
    scores = [logs["dev_accuracy"] for logs in retrained.history]
    assert scores[0] > scores[-1] + 0.1
    assert (retrained.best_epoch, retrained.score) == (1, scores[0])
    assert evaluate(retrained.model, data) == scores[0]


@pytest.mark.parametrize(("rates", "moved"), [((0.0, 0.1), "retention"), ((0.1, 0.0), "others")])
def test_search_gives_each_its_own_learning_rate(tmp_path, rates, moved):
    data, model = toy.step_data(train=16), toy.classifier(seed=0)
    before = toy.weights(model)
    with toy.eagerly():
        searched, history = run(Search(1, *rates, 1.0), model, data, tmp_path)
    after = toy.weights(searched.model)
    changed = {
        "retention": history["masses"][-1] != history["masses"][0],
        "others": any((before[path] != after[path]).any() for path in before if path in after),
    }
    assert changed == {"retention": False, "others": False, moved: True}


@pytest.mark.slow
def test_regression_learns(tmp_path):
    data = toy.step_data(train=96, regression=True)
    model = toy.classifier(head="regression", seed=0, scale=0.2)
    result = run(FineTune(EPOCHS, 2e-2), model, data, tmp_path)[0]
    assert set(result.history[0]) == {"loss", "dev_spearman"}
    assert result.history[-1]["loss"] < 0.5 * result.history[0]["loss"]
    assert result.score >= 0.7


def test_steps_per_epoch_leave_out_the_partial_batch():
    assert toy.step_data(train=50, batch_size=16).steps_per_epoch == 3
    assert toy.step_data(train=5, batch_size=16).steps_per_epoch == 1


@pytest.mark.parametrize(
    ("rate", "count", "lowest"), [(0.01, 100, 0.5), (1e-3, 40, 0.98), (0.01, 200, 0.0), (1, 50, 0)]
)
def test_reachable_retention_by_hand(rate, count, lowest):
    assert reachable_retention(rate, count) == pytest.approx(lowest)


def test_reachable_retention_is_the_area_under_the_schedule():
    schedule = WarmupLinearDecay(2e-3, 300)
    area = sum(float(schedule(step)) for step in range(300))
    assert reachable_retention(2e-3, 300) == pytest.approx(1 - area, abs=0.005)
