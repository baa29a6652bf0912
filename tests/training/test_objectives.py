"""The loss and the accuracy of questions, and training on them."""

import keras
import numpy as np
import pytest

from power_bert_tf.data import evaluation_dataset
from power_bert_tf.training.loop import evaluate
from power_bert_tf.training.loop import train
from power_bert_tf.training.objectives import MultipleChoiceAccuracy
from power_bert_tf.training.objectives import MultipleChoiceLoss
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.training_data import TrainingData
from training import toy

SCORES = np.array([1.0, 3.0, 2.0, -1.0, -4.0, 0.5, 7.0, 7.5, 7.0])
RIGHT = np.array([1, 0, 2])


def shares(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_loss_is_the_cross_entropy_over_a_questions_options(shape):
    expected = -np.log(shares(SCORES.reshape(3, 3))[np.arange(3), RIGHT])
    loss = MultipleChoiceLoss(3)(RIGHT.reshape(shape), SCORES.reshape(9, 1))
    assert float(loss) == pytest.approx(expected.mean(), abs=1e-6)
    each = MultipleChoiceLoss(3, reduction=None)(RIGHT.reshape(shape), SCORES.reshape(9, 1))
    np.testing.assert_allclose(each, expected, atol=1e-6)


def test_loss_does_not_change_with_a_questions_level():
    shifted = SCORES.reshape(3, 3) + np.array([[5.0], [-90.0], [0.0]])
    before, after = (
        float(MultipleChoiceLoss(3)(RIGHT, scores.reshape(9, 1))) for scores in (SCORES, shifted)
    )
    assert before == pytest.approx(after, abs=1e-5)


def test_accuracy_counts_questions():
    # Of two questions of two options and one more, the first and the last are right.
    metric = MultipleChoiceAccuracy(2)
    metric.update_state(np.array([1, 0]), np.array([[0.1], [0.9], [2.0], [3.0]]))
    assert float(metric.result()) == 0.5
    metric.update_state(np.array([[0]]), np.array([[0.0], [-1.0]]))
    assert float(metric.result()) == pytest.approx(2 / 3)
    metric.reset_state()
    metric.update_state(np.array([1]), np.array([[0.0], [-1.0]]))
    assert float(metric.result()) == 0.0


def step_data(**changes):
    truncating = toy.preprocessor(truncation="only_first")
    sizes = {"batch_size": 8, "group_by_length": True, **changes}
    return TrainingData(
        toy.questions(48, seed=1), toy.questions(16, seed=2), truncating, "accuracy", **sizes
    )


@pytest.fixture
def few_graphs():
    with toy.eagerly():
        yield


def test_a_compiled_model_is_saved_with_its_loss(tmp_path, few_graphs):
    model, data = toy.classifier(head="multiple_choice", seed=3), step_data()
    model.compile("sgd", MultipleChoiceLoss(3), metrics=[MultipleChoiceAccuracy(3)])
    dataset = evaluation_dataset(data.dev, data.preprocessor, 4)
    loss, accuracy = model.evaluate(dataset, verbose=0)
    outputs = model.predict(dataset, verbose=0)
    assert outputs.shape == (48, 1)
    scores = outputs.reshape(16, 3)
    assert accuracy == np.mean(scores.argmax(axis=1) == data.dev.labels)
    expected = -np.log(shares(scores)[np.arange(16), data.dev.labels]).mean()
    assert loss == pytest.approx(expected, abs=1e-5)
    assert accuracy == evaluate(model, data)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()
    assert loaded.evaluate(dataset, verbose=0) == pytest.approx([loss, accuracy])
    assert (loaded.head, loaded.label_names) == ("multiple_choice", ("A", "B", "C"))


@pytest.mark.slow
def test_fine_tuning_learns(tmp_path):
    keras.utils.set_random_seed(0)
    data, model = step_data(), toy.classifier(head="multiple_choice", seed=0, scale=0.2)
    assert data.steps_per_epoch == 6
    result = train(model, fine_tuning_optimizer(2e-2, 36), data, 6, tmp_path)
    assert set(result.history[0]) == {"loss", "accuracy", "dev_accuracy"}
    assert result.history[-1]["loss"] < 0.5 * result.history[0]["loss"]
    assert result.score >= 0.9
