"""A folder for transformers, read back by our own reader. transformers itself is a large test."""

import json

import keras
import numpy as np
import pytest
from every_second.method import EverySecond
from safetensors import safe_open
from training import toy

from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.deploy import huggingface
from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.modeling.heads import HEADS

TEXTS = ["the film was so good", "bad", "it was so bad a plot and we saw it"]


def classifier(**arguments):
    """A toy BERT whose weights are far from what they are made with."""
    keras.utils.set_random_seed(0)
    arguments = {"label_names": toy.LABELS, **arguments}
    config = arguments.pop("config", toy.config())
    model = BertClassifier(config, arguments.pop("num_classes", 2), toy.LENGTH, **arguments)
    random = np.random.default_rng(1)
    for weight in model.weights:
        value = keras.ops.convert_to_numpy(weight).astype("float32")
        weight.assign(value + random.normal(0, 0.4, weight.shape))
    return model


def logits(model):
    inputs = toy.preprocessor()(TEXTS)
    return keras.ops.convert_to_numpy(model.logits_model(inputs))


def test_the_round_trip_of_a_plain_bert(tmp_path):
    model = classifier()
    note = export_huggingface(model, toy.preprocessor(), tmp_path / "deep" / "folder")
    folder = tmp_path / "deep" / "folder"
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer_config.json",
        "vocab.txt",
    }
    checkpoint = open_checkpoint(folder)
    assert checkpoint.config == model.config and checkpoint.reduction is None
    assert checkpoint.lowercase is True and "same logits" in note
    assert WordPieceTokenizer.from_file(checkpoint.vocabulary).vocabulary == toy.VOCABULARY
    read = BertClassifier.from_checkpoint(checkpoint)
    assert read.label_names == toy.LABELS and read.sequence_length == toy.LENGTH
    np.testing.assert_array_equal(logits(read), logits(model))
    assert np.ptp(logits(read), axis=0).max() > 0.1
    own = json.loads((folder / "config.json").read_text())["power_bert_tf"]
    assert own == {"sequence_length": toy.LENGTH}
    # Who wants another length says so.
    assert BertClassifier.from_checkpoint(checkpoint, sequence_length=9).sequence_length == 9
    with safe_open(folder / "model.safetensors", framework="np") as file:
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("retention", ["7,3", "10,4 of 12"])
def test_a_power_bert_comes_back_with_its_retention(tmp_path, retention):
    power = classifier().with_reduction(Extraction(retention, count_self=True))
    note = export_huggingface(power, toy.preprocessor(), tmp_path)
    assert "does not know elimination" in note
    card = (tmp_path / "README.md").read_text()
    assert note in card and "from_checkpoint(checkpoint, reduction=checkpoint.reduction)" in card
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["power_bert_tf"] == {
        "sequence_length": toy.LENGTH,
        "reduction": keras.saving.serialize_keras_object(power.reduction),
    }
    checkpoint = open_checkpoint(tmp_path)
    assert type(checkpoint.reduction) is Extraction
    read = BertClassifier.from_checkpoint(checkpoint, reduction=checkpoint.reduction)
    assert read.reduction.get_config() == power.reduction.get_config()
    np.testing.assert_allclose(logits(read), logits(power), atol=1e-5)
    plain = BertClassifier.from_checkpoint(tmp_path, sequence_length=toy.LENGTH)
    assert np.abs(logits(plain) - logits(power)).max() > 1e-3


def test_config_says_what_transformers_needs(tmp_path):
    tokenizer = WordPieceTokenizer(toy.VOCABULARY, lowercase=False)
    changes = {"layer_norm_epsilon": 1e-5, "dropout": 0.2, "attention_dropout": 0.3}
    model = classifier(config=toy.config(activation="gelu_tanh", **changes))
    export_huggingface(model, Preprocessor(tokenizer, toy.LENGTH), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "bert"
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "negative", "1": "positive"}
    assert config["label2id"] == {"negative": 0, "positive": 1}
    assert config["hidden_act"] == "gelu_new" and config["layer_norm_eps"] == 1e-5
    assert config["hidden_dropout_prob"] == 0.2 and config["attention_probs_dropout_prob"] == 0.3
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "BertTokenizer" and settings["do_lower_case"] is False
    assert open_checkpoint(tmp_path).lowercase is False


def test_regression_and_half_precision(tmp_path):
    model = classifier(num_classes=1, head="regression", label_names=(), dtype="bfloat16")
    export_huggingface(model, toy.preprocessor(), tmp_path)
    read = BertClassifier.from_checkpoint(tmp_path, sequence_length=toy.LENGTH)
    assert read.head == "regression"
    kernels = [each.get_layer("classifier").kernel for each in (read, model)]
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(each) for each in kernels))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"config": toy.config(pooler=False)}, "pooler=False"),
        ({"config": toy.config(num_segments=0)}, "segments=False"),
        ({"config": toy.config(num_heads=(2, 1))}, "different sizes=True"),
        ({"config": toy.config(key_dim=3)}, "width of all heads=6"),
        ({"config": toy.config(value_dim=3)}, "value_dim=3"),
        ({"reduction": SoftExtraction(0.1)}, "reduction='SoftExtraction'"),
        ({"reduction": Removal()}, "reduction='Removal'"),
    ],
)
def test_models_that_transformers_has_not(tmp_path, arguments, said):
    with pytest.raises(InputError, match=said):
        export_huggingface(classifier(**arguments), toy.preprocessor(), tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="must be new or empty"):
        export_huggingface(classifier(), toy.preprocessor(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def serialized(**changes):
    """An extraction as config.json has it, with changes."""
    given = keras.saving.serialize_keras_object(Extraction("7,3"))
    return {"reduction": {**given, **changes}}


@pytest.mark.parametrize(
    "given",
    [
        3,
        {"sequence_length": 0},
        {"sequence_length": "12"},
        {"reduction": 3},
        {"reduction": {}},
        serialized(config={"retention": "7,3", "x": 1}),
        serialized(config={"retention": "3,7"}),
        serialized(config={"retention": {}}),
        serialized(config=None),
        # A class that is registered and no reduction, and one that is not.
        serialized(registered_name="power_bert_tf>Extract", config={"length": 3}),
        serialized(registered_name="builtins>eval"),
    ],
)
def test_a_reduction_that_cannot_be_read(tmp_path, given):
    export_huggingface(classifier(), toy.preprocessor(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "power_bert_tf": given}))
    with pytest.raises(InputError, match="`power_bert_tf` must describe a model"):
        open_checkpoint(tmp_path)


def examples():
    return Examples(np.array(TEXTS), None, np.zeros(len(TEXTS), int), toy.LABELS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [{}, *({"num_classes": 1, "head": head} for head in HEADS[1:])]
)
def test_it_is_checked_in_another_process(tmp_path, arguments):
    model = classifier(**arguments, **({"label_names": ()} if arguments else {}))
    faster = model.with_reduction(Extraction("7,3"))
    export_huggingface(faster, toy.preprocessor(), tmp_path / "hub", examples(), "# A card")
    card = (tmp_path / "hub" / "README.md").read_text()
    assert card.startswith("# A card\n") and "does not know elimination" in card


def test_what_a_notebook_defines_is_not_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(EverySecond, "__module__", "__main__")
    faster = classifier().with_reduction(EverySecond())
    export_huggingface(faster, toy.preprocessor(), tmp_path / "hub", examples())
    assert (tmp_path / "hub" / "model.safetensors").exists()


@pytest.mark.slow
def test_another_answer_removes_it(tmp_path, monkeypatch):
    array = huggingface._array
    monkeypatch.setattr(huggingface, "_array", lambda weight: array(weight) * 1.1)
    with pytest.raises(InputError, match="of 3 dev texts one differs by"):
        export_huggingface(classifier(), toy.preprocessor(), tmp_path / "hub", examples())
    assert list(tmp_path.iterdir()) == []


def test_another_methods_reduction_comes_back(tmp_path):
    faster = classifier().with_reduction(EverySecond())
    export_huggingface(faster, toy.preprocessor(), tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert type(checkpoint.reduction) is EverySecond
    read = BertClassifier.from_checkpoint(
        checkpoint, sequence_length=toy.LENGTH, reduction=checkpoint.reduction
    )
    np.testing.assert_allclose(logits(read), logits(faster), atol=1e-5)
