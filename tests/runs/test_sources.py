"""What a run trains on and measures by."""

import dataclasses
import re

import numpy as np
import pytest
from commands.conftest import write_checkpoint
from commands.conftest import write_tsv
from commands.conftest import write_weights
from training import toy

from power_bert_tf.data import Examples
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.sources import load_data
from power_bert_tf.runs.sources import tokenizer_for


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return open_checkpoint(write_checkpoint(tmp_path_factory.mktemp("bert") / "checkpoint"))


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.tsv"
    return write_tsv(path, toy.examples(96, seed=1))


def load(checkpoint, training=None, **options):
    return load_data(DataOptions(**options), training or TrainingOptions(), checkpoint)


def test_a_tenth_is_held_out_without_dev(train, checkpoint):
    data = load(checkpoint, train=train)
    assert (len(data.train), len(data.dev)) == (87, 9)
    assert data.task.name == "train" and data.task.labels == toy.LABELS
    whole = toy.examples(96, seed=1)
    assert sorted([*data.train.texts, *data.dev.texts]) == sorted(whole.texts)
    again = load(checkpoint, train=train).dev
    other = load(checkpoint, TrainingOptions(seed=1), train=train).dev
    assert again.fingerprint() == data.dev.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    ("words", "positions", "length", "line"),
    [
        (40, 512, 64, "N = 64: at most 1 % of the texts of long have more than 42 word-pieces"),
        (95, 512, 128, "N = 128: .* more than 97 .*the nearest of 64, 128, 256 and 512"),
        (900, 512, 512, "N = 512: .* more than 902 "),
        (900, 300, 300, "N = 300: .*no more positions; 512 would be the nearest"),
    ],
)
def test_n_is_proposed_and_said(tmp_path, capsys, words, positions, length, line):
    folder = write_checkpoint(tmp_path / "checkpoint", max_position_embeddings=positions)
    write_weights(folder, toy.config(max_sequence_length=positions))
    checkpoint = open_checkpoint(folder)
    texts = ["film " * words] * 2 + ["film"] * 150
    path = write_tsv(tmp_path / "long.tsv", Examples(texts, None, [0, 1] * 76, toy.LABELS))
    assert load(checkpoint, train=path).task.sequence_length == length
    printed = capsys.readouterr().out
    assert re.search(line, printed) and printed.count("\n") == 1
    # It does not change with what is held out or left out, or with what is asked otherwise.
    training = TrainingOptions(seed=7, train_examples=3)
    assert load(checkpoint, training, train=path, dev=path).task.sequence_length == length
    assert capsys.readouterr().out == printed
    training = TrainingOptions(sequence_length=20)
    assert load(checkpoint, training, train=path).task.sequence_length == 20
    assert capsys.readouterr().out == ""


def test_values_that_are_given_replace_the_tasks_own(train, checkpoint):
    task = load(checkpoint, train=train).task
    training = TrainingOptions(learning_rate=1.0, batch_size=3, metric="matthews", epochs=9)
    given = load(checkpoint, training, train=train).task
    expected = {"learning_rate": 1.0, "batch_size": 3, "metric": "matthews", "epochs": 9}
    assert given == dataclasses.replace(task, **expected)


def test_subsets_are_drawn_by_the_seed(train, checkpoint):
    training = TrainingOptions(train_examples=20, dev_examples=5, seed=2)
    data = load(checkpoint, training, train=train, dev=train)
    whole = toy.examples(96, seed=1)
    assert data.train.fingerprint() == whole.take(20, 2).fingerprint()
    assert data.dev.fingerprint() == whole.take(5, 2).fingerprint()


def test_labels_can_be_given_in_their_order(train, checkpoint):
    data = load(checkpoint, train=train, labels=["positive", "negative"])
    assert data.train.label_names == ("positive", "negative")
    by_text = dict(zip(data.train.texts, data.train.labels, strict=True))
    assert all(("good" in text) == (label == 0) for text, label in by_text.items())


def test_regression_reads_numbers(checkpoint, tmp_path):
    examples = toy.examples(20, regression=True)
    path = write_tsv(tmp_path / "scores.tsv", examples)
    data = load(checkpoint, train=path, dev=path, regression=True)
    assert data.task.is_regression and data.task.metric == "spearman"
    assert data.train.fingerprint() == data.dev.fingerprint()
    np.testing.assert_array_equal(data.dev.labels, examples.labels)


def test_where_data_is_from_holds_from_anywhere(train, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(train.parent)
    options = DataOptions(train=train.relative_to(train.parent))
    data = load_data(options, TrainingOptions(sequence_length=12), checkpoint)
    monkeypatch.chdir(tmp_path)
    again = DataOptions.from_source(data.source)
    assert again == DataOptions(train=train)


@pytest.mark.parametrize(
    ("said", "cased", "lowercase"),
    [
        (None, False, True),
        (None, True, False),
        (False, False, False),
        (True, False, True),
        (True, True, False),
    ],
)
def test_the_checkpoint_says_whether_it_is_cased(checkpoint, said, cased, lowercase):
    told = dataclasses.replace(checkpoint, lowercase=said)
    assert tokenizer_for(told, cased).lowercase == lowercase
