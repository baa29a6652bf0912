"""The script that makes the embedded checkpoint, on a few steps."""

import importlib.util
import itertools
import pathlib

import numpy as np
import pytest

from power_bert_tf.data.demo import demo_checkpoint
from power_bert_tf.data.demo import demo_titled_texts
from power_bert_tf.modeling import BertClassifier

SCRIPT = pathlib.Path(__file__).parents[2] / "checkpoints" / "make_demo.py"


@pytest.fixture(scope="module")
def make_demo():
    specification = importlib.util.spec_from_file_location("make_demo", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.large
def test_makes_a_checkpoint(make_demo, tmp_path, capsys):
    stages = (make_demo.Stage(1, 2, 1e-3), make_demo.Stage(2, 2, 1e-9))
    make_demo.make(tmp_path / "demo", 1000, stages)
    assert {file.name for file in (tmp_path / "demo").iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    }
    assert "2 encoders: 2 steps" in capsys.readouterr().out
    model = BertClassifier.from_checkpoint(tmp_path / "demo", sequence_length=64)
    assert model.config.num_layers == 2
    # The second encoder is a copy of the first, but for two tiny steps.
    first, second = (
        model.get_layer(f"encoder_{index}_feed_forward").get_weights() for index in range(2)
    )
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
    assert np.abs(first[0]).max() > 0.01


def test_what_is_masked(make_demo):
    vocabulary = [*make_demo.SPECIALS, *(f"word{index}" for index in range(20))]
    tokenizer = make_demo.WordPieceTokenizer(vocabulary)
    generator = np.random.default_rng(0)
    token_ids = np.zeros((256, 64), int)
    lengths = generator.integers(5, 64, 256)
    for row, length in enumerate(lengths):
        words = generator.integers(len(make_demo.SPECIALS), len(vocabulary), length - 2)
        token_ids[row, :length] = [tokenizer.cls_id, *words, tokenizer.sep_id]
    title_ids = np.arange(256) + 1000
    batches = make_demo.MaskedTexts(token_ids, title_ids, tokenizer, 6)
    assert len(batches) == 6
    for inputs, answers, weights in (batches[index] for index in range(6)):
        positions = inputs["positions"]
        assert (positions[:, 0] == 0).all()
        assert (weights[:, 0] == make_demo.TITLE_WEIGHT).all()
        rows = answers[:, 0] - 1000
        true = token_ids[rows, : inputs["token_ids"].shape[1]]
        np.testing.assert_array_equal(np.take_along_axis(true, positions, 1)[:, 1:], answers[:, 1:])
        asked = weights[:, 1:] > 0
        assert (answers[:, 1:][asked] >= len(make_demo.SPECIALS)).all()
        words = inputs["padding_mask"].sum(axis=1) - 2
        np.testing.assert_array_equal(asked.sum(axis=1), np.maximum(1, np.round(0.2 * words)))
        shown = np.take_along_axis(inputs["token_ids"], positions, 1)[:, 1:][asked]
        assert 0.7 < (shown == make_demo.SPECIALS.index("[MASK]")).mean() < 0.9
        changed = (inputs["token_ids"] != true).sum()
        assert changed <= asked.sum()


def test_the_embedded_checkpoint_is_small_and_knows_the_corpus():
    size = sum(file.stat().st_size for file in demo_checkpoint().iterdir())
    assert size <= 12e6
    config = BertClassifier.from_checkpoint(demo_checkpoint(), sequence_length=64).config
    assert config.num_layers == 12
    vocabulary = set((demo_checkpoint() / "vocab.txt").read_text().split())
    for title, _ in itertools.islice(demo_titled_texts(), 300):
        assert title.lower() in vocabulary
