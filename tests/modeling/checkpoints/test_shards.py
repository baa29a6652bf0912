"""Hugging Face's layout in shards: several safetensors files and an index."""

import json

import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import random_tensors
from modeling.checkpoints.test_huggingface import write
from safetensors.numpy import save_file

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint

INDEX = "model.safetensors.index.json"


def write_shards(folder, tensors, count=3):
    write(folder, {})
    (folder / "model.safetensors").unlink()
    shards = {}
    for number, names in enumerate(np.array_split(sorted(tensors), count), start=1):
        shard = f"model-{number:05}-of-{count:05}.safetensors"
        save_file({name: tensors[name] for name in names}, folder / shard)
        shards |= dict.fromkeys(map(str, names), shard)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": shards}))
    return folder


def change_index(folder, **changes):
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"] |= changes
    (folder / INDEX).write_text(json.dumps(index))


def test_shards_give_the_weights_of_the_whole(tmp_path):
    tensors = random_tensors(3)
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    whole.mkdir(), shards.mkdir()
    expected = by_path(BertClassifier.from_checkpoint(write(whole, tensors), 3, 8))
    checkpoint = open_checkpoint(write_shards(shards, tensors))
    assert len(checkpoint.files) == 3
    for path, weight in by_path(BertClassifier.from_checkpoint(checkpoint, 3, 8)).items():
        np.testing.assert_array_equal(weight, expected[path])


@pytest.mark.parametrize(
    "shard",
    ["../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..\\x.safetensors", "x.bin", 3],
)
def test_a_shard_outside_of_the_folder_is_refused(tmp_path, shard):
    write_shards(tmp_path, random_tensors())
    save_file({"x": np.ones(1, "float32")}, tmp_path.parent / "x.safetensors")
    change_index(tmp_path, x=shard)
    message = error_of(open_checkpoint, tmp_path)
    assert INDEX in message and repr(shard) in message


def test_an_index_and_headers_that_disagree(tmp_path):
    write_shards(tmp_path, random_tensors())
    shard = tmp_path / "model-00001-of-00003.safetensors"
    change_index(tmp_path, **{"bert.more": shard.name})
    assert "names what no shard has: 'bert.more'" in error_of(open_checkpoint, tmp_path)
    write_shards(tmp_path, random_tensors())
    index = json.loads((tmp_path / INDEX).read_text())
    name = next(iter(index["weight_map"]))
    del index["weight_map"][name]
    (tmp_path / INDEX).write_text(json.dumps(index))
    assert f"does not name '{name}'" in error_of(open_checkpoint, tmp_path)


def test_a_tensor_in_two_shards(tmp_path):
    write_shards(tmp_path, random_tensors())
    path = tmp_path / "model-00003-of-00003.safetensors"
    save_file({"bert.embeddings.LayerNorm.bias": np.ones(12, "float32")}, path)
    assert "which another shard has too" in error_of(open_checkpoint, tmp_path)


@pytest.mark.parametrize("kept", [None, 0, 100, -1])
def test_missing_and_truncated_shards(tmp_path, kept):
    path = write_shards(tmp_path, random_tensors()) / "model-00002-of-00003.safetensors"
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content[:kept])
    assert str(path) in error_of(open_checkpoint, tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": 3}'])
def test_an_index_that_is_none(tmp_path, content):
    write_shards(tmp_path, random_tensors())
    (tmp_path / INDEX).write_text(content)
    assert INDEX in error_of(open_checkpoint, tmp_path)


def test_a_config_that_claims_more(tmp_path):
    write_shards(tmp_path, random_tensors())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_size": 3 * 10**9}))
    message = error_of(open_checkpoint, tmp_path)
    assert INDEX in message and "'bert.embeddings.LayerNorm.bias' of shape (12,)" in message
