"""The generated task: reproducible, disjoint, and not to be had from words alone."""

import itertools
import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from power_bert_tf.data import demo
from power_bert_tf.data.demo import demo_checkpoint
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.data.demo import demo_titled_texts
from power_bert_tf.errors import InputError

WORD = re.compile(r"\w+|[^\w\s]")


@pytest.fixture(scope="module")
def train():
    return demo_examples("train", 3000)


@pytest.fixture(scope="module")
def dev():
    return demo_examples("dev", 1000)


def test_examples_have_both_classes_and_no_text_twice(train, dev):
    for examples, count in ((train, 3000), (dev, 1000)):
        assert len(examples) == len(set(examples.texts)) == count
        assert examples.label_names == ("negative", "positive")
        assert 0.45 < examples.labels.mean() < 0.55


def test_same_arguments_give_the_same_examples_and_more_of_them_the_same_beginning():
    few, many = demo_examples("dev", 20, seed=5), demo_examples("dev", 50, seed=5)
    np.testing.assert_array_equal(few.texts, many.texts[:20])
    np.testing.assert_array_equal(few.labels, many.labels[:20])
    assert set(few.texts) != set(demo_examples("dev", 20, seed=6).texts)


def test_the_corpus_is_the_one_that_the_checkpoint_was_made_for(train):
    # Whoever changes the grammar makes the checkpoint again, and its README with it.
    assert train.fingerprint() == "87312a039c6436b194f30c48f54cb1c516e0added6c67bb551afe1336a308480"


@pytest.mark.parametrize("seed", [demo.DEMO_SEED, 1])
def test_splits_and_pretraining_share_no_text_whatever_the_seed(train, dev, seed):
    sentences = {text for _, text in itertools.islice(demo_titled_texts(seed), 3000)}
    other = set(demo_examples("dev", 1000, seed=seed + 1).texts)
    assert not sentences & set(train.texts)
    assert not sentences & (set(dev.texts) | other)
    assert not set(train.texts) & (set(dev.texts) | other)


def test_lengths_vary(train):
    lengths = np.array([len(WORD.findall(text)) + 2 for text in train.texts])
    assert lengths.min() <= 8
    assert 58 <= lengths.max() <= 62
    assert 25 <= lengths.mean() <= 31
    assert lengths.std() > 10


def test_vocabulary_is_small_but_not_tiny(train):
    words = {word for text in train.texts for word in WORD.findall(text.lower())}
    assert 700 < len(words) < 1000


def test_words_alone_do_not_decide(train, dev):
    bag_of_words = make_pipeline(
        CountVectorizer(token_pattern=WORD.pattern), LogisticRegression(max_iter=2000)
    )
    bag_of_words.fit(train.texts, train.labels)
    assert 0.65 < bag_of_words.score(dev.texts, dev.labels) < 0.80


def test_titles_are_single_words():
    titles = [title for title, _ in itertools.islice(demo_titled_texts(), 500)]
    assert all(re.fullmatch(r"\w+", title) for title in titles)
    assert 50 < len(set(titles)) < 200


def test_texts_are_whole(train):
    for text in train.texts:
        assert re.match(r"[A-Z]", text)
        assert text.endswith(".")
        assert not re.search(r"[{}|]|\s\s|,,|\b[XYF]\b| [,.;]|\ba [aeiou]", text), text


@pytest.mark.parametrize("arguments", [("test", 5), ("train", 0)])
def test_bad_arguments_are_named(arguments):
    with pytest.raises(InputError, match="Received"):
        demo_examples(*arguments)


def test_checkpoint_is_found():
    assert (demo_checkpoint() / "config.json").is_file()


def test_checkpoint_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    module = tmp_path / "site-packages" / "power_bert_tf" / "data" / "demo.py"
    monkeypatch.setattr(demo, "__file__", str(module))
    with pytest.raises(InputError, match="checkpoints/demo"):
        demo_checkpoint()
