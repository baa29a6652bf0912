"""KerasHub's models in memory, and preset folders that KerasHub itself wrote."""

import json
import shutil
import sys

import h5py
import keras
import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import random_inputs

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint

keras_hub = pytest.importorskip("keras_hub")

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmno"]


def shake(weights):
    """Moves weights away from what they are made with, biases of zero and the like."""
    random = np.random.default_rng(2)
    for weight in weights:
        value = keras.ops.convert_to_numpy(weight).astype("float32")
        weight.assign(value + random.normal(0, 0.5, weight.shape))


def random_backbone(dtype=None):
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(PIECES),
        num_layers=2,
        num_heads=3,
        hidden_dim=12,
        intermediate_dim=20,
        max_sequence_length=16,
        dtype=dtype,
    )
    shake(backbone.weights)
    return backbone


def random_classifier(num_classes=3, **arguments):
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=PIECES, lowercase=False)
    classifier = keras_hub.models.BertTextClassifier(
        random_backbone(),
        num_classes=num_classes,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=8),
        **arguments,
    )
    shake(classifier.output_dense.weights)
    return classifier


@pytest.fixture(scope="module")
def classifier():
    return random_classifier()


@pytest.fixture(scope="module")
def preset(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras_hub") / "preset"
    classifier.save_to_preset(str(folder))
    return folder


def assert_logits_equal(model, classifier):
    inputs = random_inputs(len(PIECES), 8)
    logits = keras.ops.convert_to_numpy(model.logits_model(inputs))
    expected = keras.ops.convert_to_numpy(classifier(inputs))
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert np.ptp(logits, axis=0).max() > 0.1


def test_a_classifier_in_memory(classifier):
    model = BertClassifier.from_keras_hub(classifier, sequence_length=8)
    assert model.num_classes == 3 and model.config.activation == "gelu_tanh"
    assert_logits_equal(model, classifier)


def test_a_preset_folder_is_read_without_keras_hub(classifier, preset, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    checkpoint = open_checkpoint(preset)
    assert checkpoint.vocabulary == preset / "assets" / "tokenizer" / "vocabulary.txt"
    assert checkpoint.vocabulary.read_text().split() == PIECES
    assert checkpoint.lowercase is False
    assert_logits_equal(BertClassifier.from_checkpoint(checkpoint, sequence_length=8), classifier)


def test_word_vectors_of_a_backbone(tmp_path):
    backbone = random_backbone()
    backbone.save_to_preset(str(tmp_path / "preset"))
    inputs = random_inputs(len(PIECES), 8)
    expected = keras.ops.convert_to_numpy(backbone(inputs)["sequence_output"])
    words = inputs["padding_mask"].astype(bool)
    for model in (
        BertClassifier.from_keras_hub(backbone, 2, 8),
        BertClassifier.from_checkpoint(tmp_path / "preset", 2, 8),
    ):
        last = keras.Model(model.input, model.get_layer("encoder_1_feed_forward").output)
        hidden = keras.ops.convert_to_numpy(last(inputs))
        np.testing.assert_allclose(hidden[words], expected[words], atol=1e-4)


def test_weights_in_bfloat16(tmp_path):
    backbone = random_backbone("bfloat16")
    backbone.save_to_preset(str(tmp_path))
    weights = by_path(BertClassifier.from_checkpoint(tmp_path, 2, 8))
    expected = keras.ops.convert_to_numpy(backbone.token_embedding.embeddings).astype("float32")
    np.testing.assert_array_equal(weights["embeddings/token_embedding/embeddings"], expected)
    for path, weight in by_path(BertClassifier.from_keras_hub(backbone, 2, 8)).items():
        if not path.startswith("classifier"):
            np.testing.assert_array_equal(weight, weights[path])


def test_one_output_is_regression_and_other_activations_have_no_head_of_ours():
    model = BertClassifier.from_keras_hub(random_classifier(1), sequence_length=8)
    assert model.head == "regression" and model.num_classes == 1
    sigmoid = random_classifier(3, activation="sigmoid")
    assert "activation is sigmoid" in error_of(BertClassifier.from_keras_hub, sigmoid)
    assert BertClassifier.from_keras_hub(sigmoid, 2, 8, new_head=True).num_classes == 2


def test_other_models_are_refused():
    message = error_of(BertClassifier.from_keras_hub, keras.Sequential())
    assert "BertBackbone" in message and "Sequential" in message


def test_a_model_in_memory_without_keras_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    assert "power-bert-tf[keras-hub]" in error_of(BertClassifier.from_keras_hub, None)


# Preset folders that are refused


@pytest.fixture
def copy(preset, tmp_path):
    return shutil.copytree(preset, tmp_path / "preset")


def change_config(folder, name="config.json", **changes):
    config = json.loads((folder / name).read_text())
    config["config"] |= changes
    (folder / name).write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"hidden_dim": 3 * 10**9}, "word_embeddings"),
        ({"vocabulary_size": 10**12}, "word_embeddings"),
        ({"intermediate_dim": 10**9}, "encoder.layer.0.intermediate.dense"),
        ({"num_heads": 2}, "encoder.layer.0.attention.self.key"),
        ({"num_layers": 1}, "transformer_encoder_1"),
        ({"num_layers": 1000}, "1000 encoders"),
        ({"hidden_dim": "12"}, "`hidden_dim`"),
    ],
)
def test_arrays_that_disagree_with_the_config(copy, changes, name):
    change_config(copy, **changes)
    message = error_of(open_checkpoint, copy)
    assert "config.json" in message and name in message


def test_a_head_that_disagrees_with_its_task(copy):
    change_config(copy, "task.json", num_classes=10**12)
    assert "'classifier.weight' of shape (3, 12)" in error_of(open_checkpoint, copy)
    change_config(copy, "task.json", num_classes="3")
    assert "`num_classes` must be positive" in error_of(open_checkpoint, copy)


@pytest.mark.parametrize("name", ["keras_hub>RobertaBackbone", "builtins>exec", None])
def test_classes_that_are_not_known_are_refused(copy, name):
    config = json.loads((copy / "config.json").read_text()) | {"registered_name": name}
    (copy / "config.json").write_text(json.dumps(config))
    assert repr(name) in error_of(open_checkpoint, copy)


def test_missing_and_truncated_weights(copy):
    path = copy / "model.weights.h5"
    content = path.read_bytes()
    for kept in (0, 100, len(content) // 2):
        path.write_bytes(content[:kept])
        assert str(path) in error_of(open_checkpoint, copy)
    path.unlink()
    assert "has no model.weights.h5" in error_of(open_checkpoint, copy)


def replace(folder, make):
    """Has `make(file, name)` write the pooler's kernel in its own way."""
    with h5py.File(folder / "model.weights.h5", "a") as file:
        name = "layers/dense/vars/0"
        del file[name]
        make(file, name)


HOSTILE = {
    "an external link": lambda file, name: file.__setitem__(
        name, h5py.ExternalLink("/etc/passwd", "/a")
    ),
    "a soft link": lambda file, name: file.__setitem__(name, h5py.SoftLink("/layers/x")),
    "external storage": lambda file, name: file.create_dataset(
        name, (12, 12), "f4", external=[("/etc/passwd", 0, 576)]
    ),
    "chunks that were never written": lambda file, name: file.create_dataset(
        name, (10**6, 10**6), "f4", chunks=(100, 100)
    ),
    "compression": lambda file, name: file.create_dataset(
        name, data=np.zeros((12, 12), "f4"), compression="gzip"
    ),
    "a size that was never written": lambda file, name: file.create_dataset(
        name, (10**6, 10**6), "f4"
    ),
    "an array under two names": lambda file, name: file["layers"].__setitem__(
        "twice", file["layers/embedding/vars/0"]
    ),
    "a group that holds itself": lambda file, name: file["layers"].__setitem__(
        "again", file["layers"]
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_hdf5(copy, name):
    replace(copy, HOSTILE[name])
    message = error_of(open_checkpoint, copy)
    assert str(copy / "model.weights.h5") in message and "missing" not in message
