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
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs import sources
from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.sources import load_data
from power_bert_tf.runs.sources import own_data
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
    assert (len(data.train), len(data.dev)) == (86, 10)
    assert data.task.name == "train" and data.task.labels == toy.LABELS
    whole = toy.examples(96, seed=1)
    assert sorted([*data.train.texts, *data.dev.texts]) == sorted(whole.texts)
    again = load(checkpoint, train=train).dev
    other = load(checkpoint, TrainingOptions(seed=1), train=train).dev
    assert again.fingerprint() == data.dev.fingerprint() != other.fingerprint()


def labelled(*counts):
    """Examples of classes "0", "1" and so on, so many of each."""
    labels = np.repeat(np.arange(len(counts)), counts)
    names = tuple(map(str, range(len(counts))))
    return Examples([f"film {row}" for row in range(len(labels))], None, labels, names)


def test_what_is_held_out_is_a_tenth_of_each_class(checkpoint):
    training = TrainingOptions(sequence_length=12)
    data = own_data(labelled(119, 4, 1), None, "mine", training, checkpoint)
    assert np.bincount(data.dev.labels, minlength=3).tolist() == [12, 1, 0]
    assert np.bincount(data.train.labels).tolist() == [107, 3, 1]
    assert list(data.notes) == [
        "No dev examples are given: a tenth of each class is held out, 13 of 124.",
        "Classes of the 111 train examples: 0 107, 1 3, 2 1",
        "Classes of the 13 dev examples: 0 12, 1 1, 2 0",
        "Note: fewer than 10 train examples are of '1' (3), '2' (1)",
        "Note: no dev example is of '2'",
        "Note: fewer than 10 dev examples are of '1' (1)",
        "Note: 13 dev examples say little: one of them is 7.7 points",
    ]


def test_a_tenth_of_very_few(checkpoint):
    for counts in ((1, 1), (2, 1), (3, 3)):
        data = own_data(
            labelled(*counts), None, "mine", TrainingOptions(sequence_length=12), checkpoint
        )
        assert len(data.dev) >= 1 and len(data.train) + len(data.dev) == sum(counts)


def test_numbers_have_no_classes(checkpoint):
    numbers = Examples(["film"] * 2000, None, np.arange(2000) / 7, ())
    training = TrainingOptions(sequence_length=12)
    data = own_data(numbers, None, "mine", training, checkpoint)
    assert len(data.dev) == 200
    assert data.notes == ("No dev examples are given: a tenth is held out, 200 of 2,000.",)


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
    printed = capsys.readouterr().out.splitlines()
    assert re.search(line, printed[0]) and "N = " not in "".join(printed[1:])
    # It does not change with what is held out or left out, or with what is asked otherwise.
    training = TrainingOptions(seed=7, train_examples=3)
    assert load(checkpoint, training, train=path, dev=path).task.sequence_length == length
    assert capsys.readouterr().out.splitlines()[0] == printed[0]
    training = TrainingOptions(sequence_length=20)
    assert load(checkpoint, training, train=path).task.sequence_length == 20
    assert "N = " not in capsys.readouterr().out


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


# A set that gives the figures


def contents(examples):
    return sorted(examples.texts)


def test_test_examples_are_read_from_a_file(train, checkpoint, tmp_path):
    test = toy.examples(30, seed=8)
    data = load(checkpoint, train=train, test=write_tsv(tmp_path / "test.tsv", test))
    assert data.test.fingerprint() == test.fingerprint() and not data.held_out
    assert (len(data.train), len(data.dev)) == (86, 10)
    training = TrainingOptions(test_examples=7)
    data = load(checkpoint, training, train=train, test=tmp_path / "test.tsv")
    assert data.test.fingerprint() == test.take(7, 0).fingerprint()


def test_none_is_taken_from_ones_own_examples_unasked(train, checkpoint):
    data = load(checkpoint, TrainingOptions(train_examples=20), train=train)
    assert data.test is None and not data.held_out


def test_held_out_examples_are_not_trained_on(train, checkpoint):
    plain = load(checkpoint, train=train, dev=train)
    data = load(checkpoint, TrainingOptions(held_out=30), train=train, dev=train)
    assert data.held_out and (len(data.test), len(data.train)) == (30, 66)
    assert contents(plain.train) == sorted([*data.train.texts, *data.test.texts])


def test_a_text_that_is_held_out_is_nowhere_trained_on(checkpoint):
    once, twice = toy.examples(40, seed=1), toy.examples(10, seed=2)
    texts = [*(f"{text} {row}" for row, text in enumerate(once.texts)), *twice.texts, *twice.texts]
    labels = [*once.labels, *twice.labels, *twice.labels]
    train = dataclasses.replace(once, texts=texts, labels=labels)
    training = TrainingOptions(sequence_length=12, held_out=30)
    data = own_data(train, train, "mine", training, checkpoint)
    assert len(data.test) == 30 and not set(data.train.texts) & set(data.test.texts)
    assert set(data.test.texts) & set(twice.texts)


def test_what_training_leaves_over_is_held_out_first(train, checkpoint):
    plain = load(checkpoint, TrainingOptions(train_examples=50), train=train, dev=train)
    training = TrainingOptions(train_examples=50, held_out=12)
    data = load(checkpoint, training, train=train, dev=train)
    assert data.train.fingerprint() == plain.train.fingerprint()
    assert len(data.test) == 12
    with pytest.raises(InputError, match="`held_out` must be at most .* of the 46 training"):
        load(checkpoint, dataclasses.replace(training, held_out=47), train=train, dev=train)


@pytest.mark.parametrize(
    ("training", "test", "expected"),
    [
        ({"held_out": 96}, False, "`held_out` must leave training examples over"),
        ({"held_out": -1}, False, "`held_out` must be at least 0"),
        ({"held_out": 5}, True, "give `test` or `held_out`, not both"),
        ({"test_examples": 0}, True, "`test_examples` must be positive"),
    ],
)
def test_what_cannot_be_held_out(train, checkpoint, training, test, expected):
    training = TrainingOptions(**training)
    with pytest.raises(InputError, match=expected):
        training.check()
        load(checkpoint, training, train=train, dev=train, test=train if test else None)


def test_a_test_file_has_the_classes_of_the_others(train, checkpoint, tmp_path):
    examples = dataclasses.replace(toy.examples(8), label_names=("positive", "negative"))
    data = own_data(toy.examples(20), None, "mine", TrainingOptions(sequence_length=12), None)
    assert data.test is None
    with pytest.raises(InputError, match="`test` must have the classes of `train`"):
        own_data(
            toy.examples(20), None, "mine", TrainingOptions(sequence_length=12), None, examples
        )
    with pytest.raises(InputError, match="`test` goes with `train`. Received: task='sst2'"):
        load(checkpoint, task="sst2", test=train)


@pytest.fixture
def glue(monkeypatch):
    """Stands for the datasets: 3,000 training examples, 96 of dev, 9,000 of test."""
    sizes = {"train": 3000, "dev": 96, "test": 9000}

    def load_split(options, task, part):
        examples = toy.examples(sizes[part], seed=len(part))
        texts = [f"{text} {row}" for row, text in enumerate(examples.texts)]
        return dataclasses.replace(examples, texts=texts, label_names=task.labels)

    monkeypatch.setattr(sources, "_load", load_split)


def test_a_task_of_hidden_test_labels_holds_out_what_training_leaves(glue, checkpoint):
    data = load(checkpoint, TrainingOptions(train_examples=500), task="sst2")
    assert data.held_out and 1000 <= len(data.test) <= 2500
    again = load(checkpoint, TrainingOptions(train_examples=500), task="sst2")
    assert again.test.fingerprint() == data.test.fingerprint()
    none = load(checkpoint, TrainingOptions(train_examples=500, held_out=0), task="sst2")
    assert none.test is None and none.train.fingerprint() == data.train.fingerprint()
    # Fewer than a thousand are left over, or none.
    for training in (TrainingOptions(train_examples=2500), TrainingOptions()):
        data = load(checkpoint, training, task="sst2")
        assert data.test is None
        assert len(data.train) == (training.train_examples or 3000)


def test_a_task_with_a_public_test_set_is_measured_by_it(glue, checkpoint):
    data = load(checkpoint, TrainingOptions(train_examples=500), task="imdb")
    assert not data.held_out and len(data.test) == 8000
    data = load(checkpoint, TrainingOptions(test_examples=100), task="imdb")
    assert len(data.test) == 100
    data = load(checkpoint, TrainingOptions(held_out=40), task="imdb")
    assert data.held_out and (len(data.test), len(data.train)) == (40, 2960)


def test_a_test_set_that_is_not_there_is_said(glue, checkpoint, monkeypatch, capsys):
    whole = sources._load

    def load_split(options, task, part):
        if part == "test":
            raise InputError("there is no test split")
        return whole(options, task, part)

    monkeypatch.setattr(sources, "_load", load_split)
    assert load(checkpoint, task="imdb").test is None
    assert "no test set, so the report is of the dev examples" in capsys.readouterr().out
