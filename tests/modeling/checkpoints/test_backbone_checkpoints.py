"""Checkpoints of each backbone written by hand: every tensor is used once, and lands where it must.

That the answers are the reference implementation's is for the large tests.
"""

import json

import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.test_backbones import ALBERT
from modeling.test_backbones import DISTILBERT
from modeling.test_backbones import ROBERTA
from safetensors.numpy import save_file

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling.checkpoints import huggingface

# Vocabulary 30, hidden 8, intermediate 12, 16 positions of use, embeddings of 4 in ALBERT.
_ALBERT = "albert.encoder.albert_layer_groups.0.albert_layers.0"
_DISTILBERT = "distilbert.transformer.layer"
NAMES = {
    "albert": {
        "albert.embeddings.word_embeddings.weight": (30, 4),
        "albert.embeddings.position_embeddings.weight": (16, 4),
        "albert.embeddings.token_type_embeddings.weight": (2, 4),
        "albert.embeddings.LayerNorm": 4,
        "albert.encoder.embedding_hidden_mapping_in": (8, 4),
        f"{_ALBERT}.attention.query": (8, 8),
        f"{_ALBERT}.attention.key": (8, 8),
        f"{_ALBERT}.attention.value": (8, 8),
        f"{_ALBERT}.attention.dense": (8, 8),
        f"{_ALBERT}.attention.LayerNorm": 8,
        f"{_ALBERT}.ffn": (12, 8),
        f"{_ALBERT}.ffn_output": (8, 12),
        f"{_ALBERT}.full_layer_layer_norm": 8,
        "albert.pooler": (8, 8),
        "classifier": (3, 8),
    },
    "distilbert": {
        "distilbert.embeddings.word_embeddings.weight": (30, 8),
        "distilbert.embeddings.position_embeddings.weight": (16, 8),
        "distilbert.embeddings.LayerNorm": 8,
        **{
            f"{_DISTILBERT}.{index}.{name}": shape
            for index in range(3)
            for name, shape in {
                "attention.q_lin": (8, 8),
                "attention.k_lin": (8, 8),
                "attention.v_lin": (8, 8),
                "attention.out_lin": (8, 8),
                "sa_layer_norm": 8,
                "ffn.lin1": (12, 8),
                "ffn.lin2": (8, 12),
                "output_layer_norm": 8,
            }.items()
        },
        "pre_classifier": (8, 8),
        "classifier": (3, 8),
    },
    "roberta": {
        "roberta.embeddings.word_embeddings.weight": (30, 8),
        "roberta.embeddings.position_embeddings.weight": (18, 8),
        "roberta.embeddings.token_type_embeddings.weight": (1, 8),
        "roberta.embeddings.LayerNorm": 8,
        **{
            f"roberta.encoder.layer.{index}.{name}": shape
            for index in range(3)
            for name, shape in {
                "attention.self.query": (8, 8),
                "attention.self.key": (8, 8),
                "attention.self.value": (8, 8),
                "attention.output.dense": (8, 8),
                "attention.output.LayerNorm": 8,
                "intermediate.dense": (12, 8),
                "output.dense": (8, 12),
                "output.LayerNorm": 8,
            }.items()
        },
        "classifier.dense": (8, 8),
        "classifier.out_proj": (3, 8),
    },
}
CONFIGS = {"albert": ALBERT, "distilbert": DISTILBERT, "roberta": ROBERTA}
# What pre-training leaves in a file beside the encoder.
OTHERS = {
    "albert": ("predictions.bias", "predictions.dense.weight", "sop_classifier.classifier.bias"),
    "distilbert": ("vocab_transform.weight", "vocab_layer_norm.bias", "vocab_projector.bias"),
    "roberta": ("lm_head.bias", "lm_head.layer_norm.weight", "roberta.pooler.dense.weight"),
}
LANDS = {
    "albert": {
        "embedding_projection/kernel": "albert.encoder.embedding_hidden_mapping_in.weight",
        "encoder_self_attention/key/kernel": f"{_ALBERT}.attention.key.weight",
        "encoder_feed_forward/intermediate/kernel": f"{_ALBERT}.ffn.weight",
        "encoder_feed_forward/layer_norm/gamma": f"{_ALBERT}.full_layer_layer_norm.weight",
        "pooler/bias": "albert.pooler.bias",
        "classifier/kernel": "classifier.weight",
    },
    "distilbert": {
        "encoder_1_self_attention/key/kernel": f"{_DISTILBERT}.1.attention.k_lin.weight",
        "encoder_2_attention_output/layer_norm/beta": f"{_DISTILBERT}.2.sa_layer_norm.bias",
        "pooler/kernel": "pre_classifier.weight",
        "classifier/bias": "classifier.bias",
    },
    "roberta": {
        "embeddings/position_embedding/embeddings": "roberta.embeddings.position_embeddings.weight",
        "encoder_2_feed_forward/output/kernel": "roberta.encoder.layer.2.output.dense.weight",
        "pooler/kernel": "classifier.dense.weight",
        "classifier/kernel": "classifier.out_proj.weight",
    },
}
everyone = pytest.mark.parametrize("name", NAMES)


def random_tensors(name):
    """A tensor of each name; a width alone is a layer normalisation."""
    shapes = {}
    for tensor, shape in NAMES[name].items():
        if tensor.endswith(".weight"):
            shapes[tensor] = shape
        else:
            width = shape if isinstance(shape, int) else shape[0]
            shapes[f"{tensor}.weight"] = (shape,) if isinstance(shape, int) else shape
            shapes[f"{tensor}.bias"] = (width,)
    random = np.random.default_rng(0)
    return {tensor: random.normal(size=shape).astype("float32") for tensor, shape in shapes.items()}


def write(folder, name, tensors, **changes):
    (folder / "config.json").write_text(json.dumps({**CONFIGS[name], **changes}))
    save_file(tensors, folder / "model.safetensors")
    return folder


@everyone
def test_every_weight_lands_where_it_belongs(tmp_path, name):
    tensors = random_tensors(name)
    model = BertClassifier.from_checkpoint(write(tmp_path, name, tensors), 3, 8)
    weights = by_path(model)
    for ours, theirs in LANDS[name].items():
        expected = tensors[theirs].T if ours.endswith("kernel") else tensors[theirs]
        np.testing.assert_array_equal(weights[ours], expected)
    loaded = sorted(weight.sum() for weight in weights.values())
    np.testing.assert_allclose(loaded, sorted(tensor.sum() for tensor in tensors.values()), 1e-5)


@everyone
def test_an_encoder_saved_alone_and_heads_of_pre_training(tmp_path, name):
    tensors = random_tensors(name)
    expected = by_path(BertClassifier.from_checkpoint(write(tmp_path, name, tensors), 3, 8))
    bare = {
        tensor.removeprefix(f"{name}."): value
        for tensor, value in tensors.items()
        if tensor.startswith(f"{name}.")
    }
    others = {each.removeprefix(f"{name}."): np.ones(2, "float32") for each in OTHERS[name]}
    model = BertClassifier.from_checkpoint(write(tmp_path, name, {**bare, **others}), 3, 8)
    head = {"classifier/kernel", "classifier/bias"}
    head |= set() if name == "albert" else {"pooler/kernel", "pooler/bias"}
    for path, weight in by_path(model).items():
        if path in head:
            assert np.abs(weight).max() < 0.1
        else:
            np.testing.assert_array_equal(weight, expected[path])


@everyone
def test_what_does_not_fit_is_named(tmp_path, name):
    tensors = random_tensors(name)
    *_, wrong = (each for each in tensors if each.startswith(f"{name}.") and each.endswith("bias"))
    bare = {each: tensors[each] for each in tensors if each != wrong}
    message = error_of(huggingface.read_config, write(tmp_path, name, bare))
    assert f"missing '{wrong}'" in message
    message = error_of(
        huggingface.read_config,
        write(tmp_path, name, {**tensors, f"{name}.encoder.extra": np.ones(2, "float32")}),
    )
    assert f"unknown '{name}.encoder.extra'" in message
    folder = write(tmp_path, name, tensors)
    message = error_of(BertClassifier.from_checkpoint, folder, 2, 8)
    assert "num_classes=3 takes as many as the checkpoint has" in message
    bigger = {"vocab_size": 31}
    message = error_of(huggingface.read_config, write(tmp_path, name, tensors, **bigger))
    assert "of shape (30, " in message and "expected (31, " in message


def test_an_albert_may_have_more_encoders_than_tensors(tmp_path):
    tensors = random_tensors("albert")
    folder = write(tmp_path, "albert", tensors, num_hidden_layers=len(tensors) + 1)
    assert huggingface.read_config(folder).num_layers == len(tensors) + 1


@everyone
def test_a_keras_file_gives_the_same_weights(tmp_path, name):
    model = BertClassifier.from_checkpoint(write(tmp_path, name, random_tensors(name)), 3, 8)
    model.with_reduction(Extraction("5,2,2")).save(tmp_path / "model.keras")
    read = BertClassifier.from_checkpoint(tmp_path / "model.keras", sequence_length=8)
    assert read.config == model.config
    for path, weight in by_path(read).items():
        np.testing.assert_array_equal(weight, by_path(model)[path])
