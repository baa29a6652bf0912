"""Our own `.keras` files and run folders as checkpoints."""

import json
import shutil
import zipfile

import keras
import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import random_inputs
from modeling.checkpoints.test_huggingface import small_model

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling import open_checkpoint

LABELS = ("no", "yes", "maybe")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = small_model(label_names=LABELS)
    random = np.random.default_rng(1)
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight)
        weight.assign(value + random.normal(0, 0.3, weight.shape))
    return model


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "model.keras"
    model.save(path)
    return path


@pytest.mark.parametrize(
    "reduction",
    [NoReduction(), Extraction("5,2"), SoftExtraction(0.1)],
    ids=lambda it: str(type(it)),
)
def test_plain_weights_and_head_of_a_file(tmp_path, model, reduction):
    model.with_reduction(reduction).save(tmp_path / "model.keras")
    read = BertClassifier.from_checkpoint(tmp_path / "model.keras", sequence_length=8)
    assert isinstance(read.reduction, NoReduction) and read.label_names == LABELS
    for path, weight in by_path(read).items():
        np.testing.assert_array_equal(weight, by_path(model)[path])
    inputs = random_inputs()
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(read.logits_model(inputs)),
        keras.ops.convert_to_numpy(model.logits_model(inputs)),
        atol=1e-4,
    )


def test_other_classes_need_a_new_head(saved):
    assert "3 outputs" in error_of(BertClassifier.from_checkpoint, saved, 2, 8)
    read = BertClassifier.from_checkpoint(saved, 2, 8, new_head=True)
    assert read.num_classes == 2


def test_a_model_of_half_the_precision(tmp_path, model):
    half = model.with_dtype("bfloat16")
    half.save(tmp_path / "model.keras")
    read = by_path(BertClassifier.from_checkpoint(tmp_path / "model.keras", sequence_length=8))
    for path, weight in by_path(half).items():
        np.testing.assert_array_equal(read[path], np.asarray(weight).astype("float32"))


def test_a_run_gives_its_fine_tuned_model_and_vocabulary(tmp_path, saved):
    for step in ("fine-tune", "re-train"):
        (tmp_path / step).mkdir()
        shutil.copy(saved, tmp_path / step / "model.keras")
    (tmp_path / "settings.json").write_text(json.dumps({"identity": {"lowercase": False}}))
    (tmp_path / "vocab.txt").write_text("".join(f"word{index}\n" for index in range(19)))
    for path, step in (
        (tmp_path, "fine-tune"),
        (tmp_path / "re-train" / "model.keras", "re-train"),
    ):
        checkpoint = open_checkpoint(path)
        assert checkpoint.files == (tmp_path / step / "model.keras",)
        assert checkpoint.lowercase is False
        assert checkpoint.vocabulary.samefile(tmp_path / "vocab.txt")
        assert checkpoint.head.label_names == LABELS
    (tmp_path / "fine-tune" / "model.keras").unlink()
    assert "there is no model" in error_of(open_checkpoint, tmp_path)


def test_a_file_alone_is_silent_on_its_vocabulary(saved):
    checkpoint = open_checkpoint(saved)
    assert checkpoint.vocabulary is None and checkpoint.lowercase is None


# What is refused


def rewrite(source, target, change=None, compression=zipfile.ZIP_STORED):
    """A copy of a `.keras` file whose configuration went through `change`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json" and change is not None:
                config = json.loads(content)
                change(config)
                content = json.dumps(config)
            new.writestr(name, content)
    return target


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_dim": 3 * 10**9},
        {"vocabulary_size": 10**12},
        {"num_layers": 1000},
        {"max_sequence_length": 10**9},
        {"intermediate_dim": 10**9},
    ],
)
def test_a_configuration_that_claims_more_than_the_file_has(tmp_path, saved, sizes):
    path = rewrite(
        saved, tmp_path / "m.keras", lambda config: config["config"]["config"].update(sizes)
    )
    message = error_of(open_checkpoint, path)
    assert str(path) in message and "must hold the weights" in message


def test_more_classes_than_the_file_has(tmp_path, saved):
    def change(config):
        config["config"] |= {"num_classes": 10**9, "label_names": []}

    path = rewrite(saved, tmp_path / "m.keras", change)
    assert "must hold the weights" in error_of(open_checkpoint, path)


def test_weights_of_other_shapes(tmp_path, saved):
    def change(config):
        config["config"]["config"] |= {"vocabulary_size": 10, "hidden_dim": 9}

    path = rewrite(saved, tmp_path / "m.keras", change)
    checkpoint = open_checkpoint(path)
    message = error_of(BertClassifier.from_checkpoint, checkpoint, sequence_length=8)
    assert "must hold the weights of its configuration" in message


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(registered_name="builtins>exec"),
        lambda config: config.update(registered_name=None, class_name="Functional"),
        lambda config: config["config"].pop("config"),
        lambda config: config["config"].update(num_classes="3"),
        lambda config: config["config"].update(label_names=[1, 2, 3]),
        lambda config: config["config"]["config"].update(unknown=1),
        lambda config: config["config"]["config"].update(num_layers=-1),
    ],
)
def test_configurations_of_something_else(tmp_path, saved, change):
    path = rewrite(saved, tmp_path / "m.keras", change)
    assert str(path) in error_of(open_checkpoint, path)


def test_the_reduction_in_a_file_is_never_built(tmp_path, saved):
    def change(config):
        config["config"]["reduction"] = {
            "module": "os",
            "class_name": "system",
            "config": {"command": f"touch {tmp_path / 'sprung'}"},
            "registered_name": "system",
        }

    path = rewrite(saved, tmp_path / "m.keras", change)
    assert BertClassifier.from_checkpoint(path, sequence_length=8)
    assert not (tmp_path / "sprung").exists()


def test_a_lambda_layer_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: 2 * x)])
    path = tmp_path / "m.keras"
    model.save(path)
    assert "must hold a `BertClassifier`" in error_of(open_checkpoint, path)


def test_files_that_cannot_be_read(tmp_path, saved):
    path = tmp_path / "m.keras"
    assert "there is no model" in error_of(open_checkpoint, path)
    for content in (b"", b"PK\x03\x04", saved.read_bytes()[:2000]):
        path.write_bytes(content)
        assert str(path) in error_of(open_checkpoint, path)
    rewrite(saved, path, compression=zipfile.ZIP_DEFLATED)
    assert "uncompressed" in error_of(open_checkpoint, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{")
    assert "must be a JSON file" in error_of(open_checkpoint, path)
    (tmp_path / "m.bin").write_bytes(b"")
    assert "a folder or a .keras file" in error_of(open_checkpoint, tmp_path / "m.bin")
