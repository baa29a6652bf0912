"""Checkpoints by their id on the Hugging Face hub. No test reaches for a network."""

import builtins
import json

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import errors
from modeling.checkpoints.test_huggingface import SIZES
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import random_tensors
from modeling.checkpoints.test_huggingface import write

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What `snapshot_download` is asked; it answers with `tmp_path`."""
    calls = []

    def snapshot_download(name, **named):
        calls.append((name, named))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


def fail_with(monkeypatch, error):
    def snapshot_download(name, **named):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)


def test_an_id_gives_what_its_folder_does(tmp_path, asked):
    tensors = random_tensors(3)
    expected = by_path(BertClassifier.from_checkpoint(write(tmp_path, tensors, 19), 3, 8))
    model = BertClassifier.from_checkpoint("hf://owner/some.name-2", 3, 8)
    for path, weight in by_path(model).items():
        np.testing.assert_array_equal(weight, expected[path])
    (first, before), (second, after) = asked
    assert first == second == "owner/some.name-2" and before["revision"] is None
    assert before["allow_patterns"] == ["config.json"]
    patterns = after["allow_patterns"]
    assert {"config.json", "vocab.txt", "tokenizer_config.json", "*.safetensors"} <= set(patterns)
    assert not any("bin" in pattern or ".py" in pattern or "pt" in pattern for pattern in patterns)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bert-base-uncased", "hf://google-bert/bert-base-uncased"),
        ("roberta-base", "hf://FacebookAI/roberta-base"),
        ("owner/some.name-2", "hf://owner/some.name-2"),
    ],
)
def test_a_name_without_a_prefix_is_told_it(name, meant):
    assert f"such as {meant}. Received: {name}" in error_of(open_checkpoint, name)


@pytest.mark.parametrize("name", ["./bert-base", "/none/here", "mine", "my.keras", "a/b/c"])
def test_a_path_that_is_not_there_is_none(name):
    assert "hf://" not in error_of(open_checkpoint, name)


def test_a_revision(tmp_path, asked):
    write(tmp_path, random_tensors())
    assert open_checkpoint("hf://bert-tiny@refs/pr/1").head is None
    assert [(name, named["revision"]) for name, named in asked] == [("bert-tiny", "refs/pr/1")] * 2


def test_weights_of_other_architectures_are_not_downloaded(tmp_path, asked):
    (tmp_path / "config.json").write_text(json.dumps({**SIZES, "model_type": "gpt2"}))
    message = error_of(open_checkpoint, "hf://owner/name")
    assert message.startswith("hf://owner/name: ") and "'gpt2'" in message
    (tmp_path / "config.json").write_text(json.dumps({"registered_name": "keras_hub>GPT2Backbone"}))
    assert "GPT2Backbone" in error_of(open_checkpoint, "hf://owner/name")
    (tmp_path / "config.json").unlink()
    assert "it has no config.json" in error_of(open_checkpoint, "hf://owner/name")
    assert len(asked) == 3


@pytest.mark.parametrize("address", ["hf://", "hf://a/b/c", "hf://a b", "hf://a/b@", "hf:///etc"])
def test_ids_that_are_none(asked, address):
    assert f"hf://owner/name. Received: {address}" in error_of(open_checkpoint, address)
    assert asked == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.LocalEntryNotFoundError("no\nroute"), "is there a network?"),
        (errors.OfflineModeIsEnabled("offline"), "is there a network?"),
        (ConnectionError("refused"), "is there a network?"),
        (OSError(28, "No space\nleft"), "No space left"),
        (ValueError("malformed"), "malformed"),
    ],
)
def test_what_goes_wrong_is_one_line(monkeypatch, error, said):
    fail_with(monkeypatch, error)
    message = error_of(open_checkpoint, "hf://owner/name")
    assert message.startswith("hf://owner/name ") and said in message


@pytest.mark.parametrize(
    ("name", "said"),
    [("RepositoryNotFoundError", "does not exist"), ("RevisionNotFoundError", "revision 'v9'")],
)
def test_what_is_not_there(monkeypatch, name, said):
    error = getattr(errors, name)
    # Its constructor differs from version to version.
    fail_with(monkeypatch, error.__new__(error))
    assert said in error_of(open_checkpoint, "hf://owner/name@v9")


def test_without_huggingface_hub(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "huggingface_hub":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert 'pip install "power-bert-tf[hub]"' in error_of(open_checkpoint, "hf://owner/name")
