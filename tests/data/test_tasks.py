import dataclasses

import pytest

from power_bert_tf.data import TASKS
from power_bert_tf.data import get_task
from power_bert_tf.errors import InputError


# Name, metric, N, batch size, learning rates and lambda: Table 1 of the paper and its supplement.
@pytest.mark.parametrize(
    "row",
    [
        ("cola", "matthews", 64, 32, 2e-5, 1.5e-3, 7e-3),
        ("rte", "accuracy", 256, 16, 3e-5, 3e-3, 1e-3),
        ("mrpc", "f1", 128, 64, 6e-5, 3e-3, 3e-3),
        ("sst2", "accuracy", 64, 64, 3e-5, 5e-4, 2e-4),
        ("stsb", "spearman", 64, 64, 3e-5, 3e-3, 1e-3),
        ("imdb", "accuracy", 512, 8, 3e-5, 2e-4, 7e-4),
    ],
)
def test_published_numbers(row):
    task = get_task(row[0])
    assert row == (
        task.name,
        task.metric,
        task.sequence_length,
        task.batch_size,
        task.learning_rate,
        task.retention_learning_rate,
        task.strength,
    )


def test_kinds():
    assert {name for name, task in TASKS.items() if task.is_pair} == {"mrpc", "rte", "stsb"}
    assert {name for name, task in TASKS.items() if task.is_regression} == {"stsb"}
    assert {name: task.num_classes for name, task in TASKS.items()} == {
        name: 1 if name == "stsb" else 2 for name in TASKS
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASKS["cola"].epochs = 1


def test_unknown_task():
    with pytest.raises(InputError, match="one of cola, imdb, mrpc, rte, sst2, stsb. .*'sst'"):
        get_task("sst")
