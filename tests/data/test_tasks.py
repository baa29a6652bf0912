import dataclasses

import pytest

from power_bert_tf.data import TASKS
from power_bert_tf.data import get_task
from power_bert_tf.errors import InputError

# The paper's spelling, metric, N, outputs, batch size and BERT's learning rate: Tables 1 and 2 of
# the paper, Table 1 of its supplement.
PUBLISHED = {
    "CoLA": ("matthews", 64, 2, 32, 2e-5),
    "RTE": ("accuracy", 256, 2, 16, 3e-5),
    "QQP": ("f1", 128, 2, 64, 3e-5),
    "MRPC": ("f1", 128, 2, 64, 6e-5),
    "SST-2": ("accuracy", 64, 2, 64, 3e-5),
    "MNLI-m": ("accuracy", 128, 3, 64, 3e-5),
    "MNLI-mm": ("accuracy", 128, 3, 64, 3e-5),
    "QNLI": ("accuracy", 128, 2, 16, 3e-5),
    "STS-B": ("spearman", 64, 1, 64, 3e-5),
    "IMDB": ("accuracy", 512, 2, 8, 3e-5),
    "RACE": ("accuracy", 512, 1, 4, 1e-5),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name):
    task = get_task(name)
    assert PUBLISHED[name] == (
        task.metric,
        task.sequence_length,
        task.num_classes,
        task.batch_size,
        task.learning_rate,
    )


def test_kinds():
    paper = {get_task(name).name for name in PUBLISHED}
    adapler = {"agnews", "dbpedia", "hatexplain", "movies", "multirc"}
    others = {"race-high", "race-middle", "wnli"} | adapler
    assert set(TASKS) - paper == others and paper < set(TASKS)
    single = {"cola", "sst2", "imdb", "agnews", "dbpedia", "hatexplain", "movies"}
    assert {name for name, task in TASKS.items() if not task.is_pair} == single
    races = {name for name, task in TASKS.items() if task.head == "multiple_choice"}
    assert races == {"race", "race-high", "race-middle"}
    for name in races:
        task = TASKS[name]
        assert (task.choices, len(task.labels), task.truncation) == (4, 4, "only_first")
        assert dataclasses.replace(task, name="race", tfds_name="race") == TASKS["race"]
    assert {name for name, task in TASKS.items() if task.is_regression} == {"stsb"}
    assert {name for name, task in TASKS.items() if task.head == "regression"} == {"stsb"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASKS["cola"].epochs = 1


def test_mnli_is_one_training_set_with_two_development_sets():
    matched, mismatched = TASKS["mnli-m"], TASKS["mnli-mm"]
    assert (matched.further_dev, mismatched.further_dev) == ("mnli-mm", "mnli-m")
    assert (matched.tfds_dev, mismatched.tfds_dev) == (
        "validation_matched",
        "validation_mismatched",
    )
    assert (matched.tfds_name, matched.tsv_folder) == (mismatched.tfds_name, mismatched.tsv_folder)
    assert {task.further_dev for task in TASKS.values()} == {"", "mnli-m", "mnli-mm"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mnli", "mnli-m"),
        ("AG News", "agnews"),
        ("SST2", "sst2"),
        ("sts-b", "stsb"),
        ("race-middle", "race-middle"),
    ],
)
def test_spellings(given, name):
    assert get_task(given) is TASKS[name]


def test_unknown_task():
    with pytest.raises(InputError, match="one of agnews, cola, dbpedia, hatexplain, imdb, .*'sst'"):
        get_task("sst")
