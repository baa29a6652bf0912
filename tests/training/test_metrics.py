import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from sklearn import metrics as sklearn_metrics

from power_bert_tf.errors import InputError
from power_bert_tf.training.metrics import METRICS
from power_bert_tf.training.metrics import DevScore
from power_bert_tf.training.metrics import check_metric
from power_bert_tf.training.metrics import constant_score
from power_bert_tf.training.metrics import task_score
from training import toy

# Classes 1, 0, 1, 1, 0, 1 by the higher output.
OUTPUTS = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7], [0.9, 0.1], [0.2, 0.8]])
LABELS = np.array([1, 0, 0, 1, 1, 1])


def test_by_hand():
    # 3 true positives, 1 false positive, 1 true negative, 1 false negative.
    assert task_score("accuracy", LABELS, OUTPUTS) == pytest.approx(4 / 6)
    assert task_score("f1", LABELS, OUTPUTS) == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert task_score("matthews", LABELS, OUTPUTS) == pytest.approx(
        (3 * 1 - 1 * 1) / np.sqrt(4 * 4 * 2 * 2)
    )
    # Ranks 1, 2, 4, 3: one minus 6 * (1 + 1) / (4 * 15).
    assert task_score("spearman", [0.0, 1.0, 2.0, 3.0], [[-5], [0], [9], [1]]) == pytest.approx(0.8)


def test_agrees_with_scikit_learn_and_scipy():
    generator = np.random.default_rng(0)
    labels, outputs = generator.integers(2, size=200), generator.random((200, 2))
    classes = outputs.argmax(axis=1)
    for metric, expected in {
        "accuracy": sklearn_metrics.accuracy_score(labels, classes),
        "f1": sklearn_metrics.f1_score(labels, classes),
        "matthews": sklearn_metrics.matthews_corrcoef(labels, classes),
    }.items():
        assert task_score(metric, labels, outputs) == pytest.approx(expected)
    values, numbers = generator.random((200, 1)), generator.integers(6, size=200) / 2
    assert task_score("spearman", numbers, values) == pytest.approx(
        stats.spearmanr(numbers, values[:, 0]).statistic
    )


def test_accuracy_of_more_classes():
    assert task_score("accuracy", [2, 0, 1], np.eye(3)[[2, 1, 1]]) == pytest.approx(2 / 3)


def test_accuracy_over_questions():
    """Three questions of two options: the second, the first and the first score higher."""
    scores = np.array([[0.1], [0.9], [-3.0], [-4.0], [2.0], [1.9]])
    assert task_score("accuracy", [1, 0, 1], scores) == pytest.approx(2 / 3)
    assert task_score("accuracy", [1, 0, 0], scores) == 1.0
    check_metric("accuracy", 1, choices=2)
    for metric in ("spearman", "f1", "matthews"):
        with pytest.raises(InputError, match=f"one of accuracy for multiple choice.*{metric}"):
            check_metric(metric, 1, choices=2)


@pytest.mark.parametrize("labels", [[0, 1, 1], [1, 1, 1], [0, 0, 0]])
@pytest.mark.parametrize("column", [0, 1])
def test_constant_classes_score_without_a_warning(labels, column):
    outputs = np.eye(2)[[column] * 3]
    assert task_score("matthews", labels, outputs) == 0.0
    assert task_score("accuracy", labels, outputs) == np.mean(np.array(labels) == column)
    positives = sum(labels)
    expected = 2 * positives / (3 + positives) if column else 0.0
    assert task_score("f1", labels, outputs) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "outputs"),
    [([1.0, 2.0, 3.0], [2, 2, 2]), ([1.0, 1.0, 1.0], [1, 2, 3]), ([1.0, 2.0], [np.nan, np.nan])],
)
def test_constants_and_nan_are_correlated_with_nothing(labels, outputs):
    assert task_score("spearman", labels, np.array(outputs, "float32")[:, None]) == 0.0


def test_unknown_metric():
    with pytest.raises(InputError, match="`metric` must be one of.*'bleu'"):
        task_score("bleu", [0], [[1.0, 0.0]])


def test_check_metric_lets_pass_what_can_be_measured():
    generator = np.random.default_rng(0)
    for num_classes in (1, 2, 3):
        labels = generator.random(9) if num_classes == 1 else np.arange(9) % num_classes
        outputs = generator.random((9, num_classes))
        for metric in METRICS:
            try:
                check_metric(metric, num_classes)
            except InputError as error:
                assert repr(metric) in str(error)
                assert metric == "spearman" or num_classes != 2
            else:
                assert np.isfinite(task_score(metric, labels, outputs))


def test_dev_score_is_over_the_whole_set():
    """The mean of the batches' F1 would be another number."""
    data = toy.step_data(dev=7)
    model, inputs = toy.classifier(seed=3), data.preprocessor(data.dev.texts)
    outputs = np.asarray(model(inputs))
    # Labels that the model meets with one error of each kind.
    labels = outputs.argmax(axis=1)
    flipped = [int(np.argmax(labels == kind)) for kind in (0, 1)]
    labels[flipped] = 1 - labels[flipped]
    score = DevScore(tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(2), labels, "f1")
    score.set_model(model)
    logs = {"loss": 1.0}
    score.on_epoch_end(0, logs)
    expected = sklearn_metrics.f1_score(labels, outputs.argmax(axis=1))
    assert logs == {"loss": 1.0, "dev_f1": pytest.approx(expected)}
    parts = [slice(start, start + 2) for start in range(0, 7, 2)]
    of_batches = [task_score("f1", labels[part], outputs[part]) for part in parts]
    assert abs(np.mean(of_batches) - expected) > 1e-3


@pytest.mark.parametrize(
    ("metric", "labels", "count", "expected"),
    [
        ("accuracy", [0, 1, 1, 2], 3, 0.5),
        ("f1", [0, 1, 1, 1], 2, 6 / 7),
        ("matthews", [0, 1, 1, 1], 2, 0.0),
        ("spearman", [0.1, 0.5], 1, 0.0),
    ],
)
def test_what_one_answer_for_all_scores(metric, labels, count, expected):
    assert constant_score(metric, np.array(labels), count) == pytest.approx(expected)


def test_always_the_same_option():
    labels = np.array([3, 3, 0, 1])
    outputs = np.tile(np.eye(4)[3], 4)[:, None]
    assert task_score("accuracy", labels, outputs) == constant_score("accuracy", labels, 4) == 0.5
