"""Models as they were saved, reduction and all; and what is refused, with its reason."""

import json
import zipfile

import keras
import numpy as np
import pytest

from modeling.models import DEEP
from modeling.models import REDUCTIONS
from modeling.models import outputs
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import load_classifier


@pytest.mark.parametrize("name", ["none", "soft relative", "attention relative"])
def test_loads_what_was_saved(tmp_path, name):
    model = small_classifier(reduction=REDUCTIONS[name], config=DEEP)
    model.save(tmp_path / "model.keras")
    loaded = load_classifier(tmp_path / "model.keras")
    assert vars(loaded.reduction) == vars(model.reduction)
    assert loaded.get_config() == model.get_config() and not loaded.compiled
    inputs = pad([random_text(np.random.default_rng(0), words) for words in (8, 3)], 8)
    np.testing.assert_array_equal(outputs(loaded, inputs), outputs(model, inputs))


def changed(path, change):
    """The same file with another configuration."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(contents["config.json"])
    change(config["config"])
    contents["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda config: config["reduction"].update(registered_name="power_bert_tf>Other"),
            "one of a method of this package. Received: 'power_bert_tf>Other'",
        ),
        (
            lambda config: config["reduction"].update(registered_name="power_bert_tf>Extract"),
            "one of a method of this package",
        ),
        (
            lambda config: config["reduction"]["config"].update(retention="2,8,1"),
            "cannot be made: `retention` must not increase",
        ),
        (
            lambda config: config["reduction"]["config"].update(unheard_of=1),
            "cannot be made: .*unheard_of",
        ),
        (
            lambda config: config["reduction"]["config"].update(retention="5,3"),
            "each of the 3 encoders. Received: 2",
        ),
    ],
)
def test_a_reduction_that_cannot_be_made_says_why(tmp_path, change, expected):
    model = small_classifier(reduction=REDUCTIONS["attention absolute"], config=DEEP)
    model.save(tmp_path / "model.keras")
    path = changed(tmp_path / "model.keras", change)
    with pytest.raises(InputError, match=f"model.keras: .*{expected}"):
        load_classifier(path)


def test_every_array_must_be_there(tmp_path):
    model = small_classifier()
    model.save(tmp_path / "model.keras")

    def wider(config):
        config["config"]["vocabulary_size"] = 9

    with pytest.raises(InputError, match=r"weights of its configuration: .* of shape \(9, 8\)"):
        load_classifier(changed(tmp_path / "model.keras", wider))


def test_another_models_file(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="must hold a `BertClassifier` of this package"):
        load_classifier(tmp_path / "other.keras")
