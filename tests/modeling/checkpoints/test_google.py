"""Checkpoints that TensorFlow 1's own saver wrote, under Google's names."""

import builtins
import json
import re

import keras
import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import PRE_TRAINING
from modeling.checkpoints.test_huggingface import SIZES
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import hub_tensors
from modeling.checkpoints.test_huggingface import random_inputs
from modeling.checkpoints.test_huggingface import random_tensors
from modeling.checkpoints.test_huggingface import write

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint

tf = pytest.importorskip("tensorflow")


def google_name(name):
    """Google's name for a tensor of Hugging Face's layout."""
    name = name if name.startswith(("cls.", "bert.")) else f"bert.{name}"
    name = name.replace(".layer.", ".layer_").replace(".", "/")
    name = re.sub("LayerNorm/weight$", "LayerNorm/gamma", name)
    name = re.sub("LayerNorm/bias$", "LayerNorm/beta", name)
    name = name.replace("predictions/bias", "predictions/output_bias")
    name = re.sub("seq_relationship/(weight|bias)$", r"seq_relationship/output_\1", name)
    name = name.replace("relationship/output_weight", "relationship/output_weights")
    return re.sub("_embeddings/weight$", "_embeddings", name).replace("/weight", "/kernel")


def google_tensors(tensors):
    """Tensors of Hugging Face's layout in Google's, whose kernels are (in, out)."""
    named = {}
    for name, tensor in tensors.items():
        theirs = google_name(name)
        named[theirs] = tensor.T if theirs.endswith("/kernel") else tensor
    return named


def write_google(folder, named, prefix="bert_model.ckpt", **sizes):
    """A folder as Google hands them out."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {**SIZES, **sizes}
    del sizes["model_type"], sizes["layer_norm_eps"]
    (folder / "bert_config.json").write_text(json.dumps(sizes))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [
            tf.compat.v1.get_variable(name, initializer=np.asarray(tensor))
            for name, tensor in named.items()
        ]
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(variables)
        saver.save(session, str(folder / prefix), write_meta_graph=False)
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Tensors of Hugging Face's names, and Google's folder of them."""
    tensors = random_tensors()
    folder = tmp_path_factory.mktemp("google") / "cased_L-2_H-12_A-3"
    write_google(folder, google_tensors(tensors))
    (folder / "vocab.txt").write_text("".join(f"word{index}\n" for index in range(19)))
    return tensors, folder


def test_logits_equal_those_of_keras_hub(tmp_path):
    keras_hub = pytest.importorskip("keras_hub")
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=50,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=24,
        max_sequence_length=20,
    )
    random = np.random.default_rng(2)
    for weight in backbone.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + random.normal(0, 0.3, weight.shape))
    named = google_tensors(hub_tensors(backbone))
    named |= {"output_weights": random.normal(size=(3, 16)).astype("float32")}
    named |= {"output_bias": random.normal(size=3).astype("float32")}
    folder = write_google(
        tmp_path,
        named,
        prefix="model.ckpt-300",
        vocab_size=50,
        num_attention_heads=2,
        hidden_size=16,
        intermediate_size=24,
        max_position_embeddings=20,
        hidden_act="gelu_new",
    )
    model = BertClassifier.from_checkpoint(folder, sequence_length=12)
    inputs = random_inputs(50, 12)
    pooled = keras.ops.convert_to_numpy(backbone(inputs)["pooled_output"])
    logits = keras.ops.convert_to_numpy(model.logits_model(inputs))
    expected = pooled @ named["output_weights"].T + named["output_bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert np.ptp(logits, axis=0).max() > 0.1 and logits.shape == (3, 3)


def test_every_weight_is_that_of_the_same_tensors_in_hugging_faces_layout(tmp_path, written):
    tensors, folder = written
    expected = by_path(BertClassifier.from_checkpoint(write(tmp_path, tensors), 2, 8))
    for path, weight in by_path(BertClassifier.from_checkpoint(folder, 2, 8)).items():
        if not path.startswith("classifier"):
            np.testing.assert_array_equal(weight, expected[path])


def test_what_training_leaves_beside_the_weights_is_ignored(tmp_path):
    tensors = random_tensors()
    named = google_tensors(
        tensors | {name: np.ones(shape, "float32") for name, shape in PRE_TRAINING.items()}
    )
    # Google ties the decoder to the embeddings, and has no bias of its own there.
    for name in ("kernel", "bias"):
        named.pop(f"cls/predictions/decoder/{name}")
    assert "cls/seq_relationship/output_weights" in named
    slots = {
        f"{name}/{slot}": np.zeros_like(tensor)
        for name, tensor in named.items()
        for slot in ("adam_m", "adam_v")
    }
    folder = write_google(tmp_path, named | slots | {"global_step": np.int64(7)})
    checkpoint = open_checkpoint(folder)
    assert checkpoint.head is None
    model = BertClassifier.from_checkpoint(checkpoint, 2, 8)
    np.testing.assert_array_equal(
        by_path(model)["pooler/kernel"], tensors["bert.pooler.dense.weight"].T
    )


@pytest.mark.parametrize(
    ("name", "lowercase"),
    [
        ("uncased_L-12_H-768_A-12", True),
        ("multi_cased_L-12_H-768_A-12", False),
        ("chinese_L-12_H-768_A-12", None),
    ],
)
def test_the_name_of_the_folder_says_whether_it_is_cased(tmp_path, written, name, lowercase):
    folder = tmp_path / name
    folder.symlink_to(written[1], target_is_directory=True)
    assert open_checkpoint(written[1]).lowercase is False
    # The name is that of the folder itself, not of a link to it.
    assert open_checkpoint(folder).lowercase is False
    folder.unlink()
    folder.mkdir()
    for path in written[1].iterdir():
        (folder / path.name).symlink_to(path)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.lowercase is lowercase
    assert checkpoint.vocabulary == folder / "vocab.txt"


# What is refused


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"hidden_size": 3 * 10**9}, "word_embeddings"),
        ({"vocab_size": 10**12}, "word_embeddings"),
        ({"intermediate_size": 10**9}, "encoder.layer.0.intermediate.dense"),
        ({"max_position_embeddings": 512}, "position_embeddings"),
        ({"num_hidden_layers": 1}, "encoder.layer.1"),
        ({"num_hidden_layers": 1000}, "1000 encoders"),
    ],
)
def test_an_index_that_disagrees_with_the_config(tmp_path, written, sizes, name):
    for path in written[1].glob("bert_model*"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "bert_config.json").write_text(json.dumps({**SIZES, **sizes}))
    message = error_of(open_checkpoint, tmp_path)
    assert "bert_config.json" in message and name in message


def test_an_index_that_claims_more_than_the_data_has(tmp_path, written):
    for path in written[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (data,) = tmp_path.glob("bert_model.ckpt.data-*")
    data.write_bytes(data.read_bytes()[:100])
    message = error_of(open_checkpoint, tmp_path)
    assert data.name in message and "Received: 100 bytes" in message
    data.unlink()
    assert "bert_model.ckpt.data-*" in error_of(open_checkpoint, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"version https://git-lfs\n" * 9])
def test_an_index_that_is_none(tmp_path, written, content):
    for path in written[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "bert_model.ckpt.index").write_bytes(content)
    assert "bert_model.ckpt" in error_of(open_checkpoint, tmp_path)


def test_two_names_that_mean_the_same(tmp_path):
    named = google_tensors(random_tensors())
    folder = write_google(tmp_path, named | {"bert/pooler/dense/weight": np.ones((12, 12), "f4")})
    assert "two names that mean the same" in error_of(open_checkpoint, folder)


def test_missing_files_and_several_checkpoints(tmp_path, written):
    (tmp_path / "bert_config.json").write_text(json.dumps(SIZES))
    assert "has no bert_model.ckpt.index" in error_of(open_checkpoint, tmp_path)
    for name in ("model.ckpt-1.index", "model.ckpt-2.index"):
        (tmp_path / name).write_bytes(b"")
    message = error_of(open_checkpoint, tmp_path)
    assert "must hold one checkpoint" in message and "model.ckpt-2" in message


def test_without_tensorflow(written, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "tensorflow":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "needs TensorFlow" in error_of(open_checkpoint, written[1])
