"""Every reduction on every backbone, and what makes one backbone differ from another."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops
from layers import numpy_reference

from modeling.backbones_by_name import SMALL
from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import REDUCTIONS
from modeling.models import logits
from modeling.models import outputs
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier
from modeling.models import small_config
from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.backbones import BACKBONES

TEXTS = [random_text(np.random.default_rng(5), words) for words in (LENGTH, 5, 1, 7)]
everyone = pytest.mark.parametrize("name", SMALL)


def inputs_of(length=LENGTH):
    return pad(TEXTS, length)


def inputs_for(model, length=LENGTH):
    given = inputs_of(length)
    return {name: given[name] for name in model.input}


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@everyone
@pytest.mark.parametrize(
    "reduction",
    ["none", "soft relative", "attention absolute", "random relative"],
)
def test_agrees_with_numpy(name, reduction):
    config = SMALL[name]
    model = small_classifier(
        config=config, sequence_length=LONGER, reduction=REDUCTIONS[reduction], num_classes=3
    )
    answers = logits(model, inputs_for(model, LONGER))
    for answer, (token_ids, segment_ids) in zip(answers, TEXTS, strict=True):
        segments = segment_ids if config.num_segments else None
        expected = numpy_reference.classify(model, token_ids, segments)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)


@everyone
@pytest.mark.parametrize(
    "reduction",
    [SoftExtraction(0.1), Extraction([LENGTH] * 3)],
    ids=["soft", "extract"],
)
def test_a_reduction_that_keeps_everything_changes_nothing(name, reduction):
    plain = small_classifier(config=SMALL[name])
    reduced = plain.with_reduction(reduction)
    close(logits(reduced, inputs_for(plain)), logits(plain, inputs_for(plain)))


@everyone
@pytest.mark.parametrize("reduction", ["soft absolute", "attention relative"])
def test_answers_depend_neither_on_padding_nor_on_the_graph(name, reduction, tmp_path):
    model = small_classifier(
        config=SMALL[name], sequence_length=LONGER, reduction=REDUCTIONS[reduction], num_classes=3
    )
    expected = outputs(model, inputs_for(model, LONGER))
    assert np.ptp(expected, axis=0).max() > 0.01
    plain = model.with_reduction(REDUCTIONS["none"])
    assert np.abs(outputs(plain, inputs_for(model, LONGER)) - expected).max() > 1e-3
    shorter = model.at_length(LENGTH)
    close(outputs(shorter, inputs_for(model)), expected)
    close(outputs(model.for_inference(LENGTH), inputs_for(model)), expected)
    assert {id(weight) for weight in shorter.weights} <= {id(weight) for weight in model.weights}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.config == SMALL[name]
    close(outputs(loaded, inputs_for(model, LONGER)), expected)


@everyone
def test_only_bert_and_albert_ask_for_segments(name):
    model = small_classifier(config=SMALL[name])
    expected = ["token_ids", "padding_mask"] + ["segment_ids"] * (name == "albert")
    assert sorted(model.input) == sorted(expected)
    whole = inputs_of()
    # Three inputs are what a preprocessor makes, whatever the backbone.
    close(ops.convert_to_numpy(model(whole)), outputs(model, inputs_for(model)))
    close(model.predict(whole, verbose=0), outputs(model, inputs_for(model)))


def test_shared_encoders_are_one_and_their_retention_is_not():
    search = small_classifier(config=SMALL["albert"], reduction=SoftExtraction(0.1))
    names = [layer.name for layer in search.layers if layer.weights]
    assert sorted(names) == sorted(
        [
            "embeddings",
            "embedding_projection",
            "encoder_self_attention",
            "encoder_attention_output",
            "encoder_feed_forward",
            *(f"encoder_{index}_soft_extract" for index in range(3)),
            "pooler",
            "classifier",
        ]
    )
    assert len(set(search.reduction.masses(search))) == 3
    # The same encoder three times is not the same as once.
    once = dataclasses.replace(SMALL["albert"], num_layers=1)
    shallow, deep = small_classifier(config=once), small_classifier(config=SMALL["albert"])
    shallow.take_weights(deep)
    difference = logits(shallow, inputs_of()) - logits(deep, inputs_of())
    assert np.abs(difference).max() > 0.1


def test_albert_with_three_encoders_of_the_same_weights_is_bert_with_a_projection():
    """The graph that shares an encoder, against one with three encoders of the same weights."""
    albert = small_classifier(config=SMALL["albert"], reduction=REDUCTIONS["attention absolute"])
    unshared = dataclasses.replace(SMALL["albert"], share_layers=False)
    copies = small_classifier(config=unshared, reduction=REDUCTIONS["attention absolute"])
    own = {weight.path: weight for weight in albert.weights}
    for weight in copies.weights:
        first, _, rest = weight.path.partition("_")
        is_encoder = first == "encoder" and rest[0].isdigit()
        weight.assign(own[f"encoder{rest[1:]}" if is_encoder else weight.path])
    close(logits(albert, inputs_of()), logits(copies, inputs_of()))


def test_positions_begin_after_the_offset():
    config = SMALL["roberta"]
    model = small_classifier(config=config)
    table = model.get_layer("embeddings").position_embedding
    assert table.embeddings.shape == (config.max_sequence_length + 2, config.hidden_dim)
    plain = small_classifier(config=dataclasses.replace(config, position_offset=0))
    for ours, theirs in zip(plain.weights, model.weights, strict=True):
        ours.assign(theirs[2:] if "position_embedding" in theirs.path else theirs)
    close(logits(plain, inputs_for(plain)), logits(model, inputs_for(model)))


@everyone
def test_the_head_has_a_dropout_of_its_own(name):
    model = small_classifier(config=SMALL[name])
    expected = {"albert": 0.1, "distilbert": 0.2, "roberta": SMALL[name].dropout}
    assert model.get_layer("classifier_dropout").rate == expected[name]


def test_the_hidden_layer_of_the_head_has_the_backbones_activation():
    model = small_classifier(config=SMALL["distilbert"])
    pooled = keras.Model(model.input, model.get_layer("pooler").output)
    values = outputs(pooled, inputs_for(model))
    assert values.min() == 0 and values.max() > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "gpt2"}, "`backbone` must be one of bert, albert.*'gpt2'"),
        ({"pooler_activation": "gelu"}, "`pooler_activation` must be one of tanh, relu.*'gelu'"),
        ({"embedding_dim": 0}, "`embedding_dim` must be .*embedding_dim=0"),
        ({"embedding_dim": 2.0}, "`embedding_dim` must be .*embedding_dim=2.0"),
        ({"num_segments": -1}, "`num_segments` must be .*num_segments=-1"),
        ({"position_offset": None}, "`position_offset` must be .*position_offset=None"),
        ({"head_dropout": 1.0}, "`head_dropout` must be a number.*head_dropout=1.0"),
        ({"share_layers": True, "num_heads": (2, 1)}, "must have the same sizes.*\\(2, 1\\)"),
    ],
)
def test_bad_options(changes, message):
    with pytest.raises(InputError, match=message):
        small_config(**changes)


ALBERT = {
    "model_type": "albert",
    "vocab_size": 30,
    "embedding_size": 4,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
}
DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 30,
    "dim": 8,
    "n_layers": 3,
    "n_heads": 2,
    "hidden_dim": 12,
    "max_position_embeddings": 16,
    "sinusoidal_pos_embds": True,
}
ROBERTA = {
    "model_type": "roberta",
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 18,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
}
_SIZES = {
    "vocabulary_size": 30,
    "num_layers": 3,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 12,
    "max_sequence_length": 16,
}
READ = {
    "albert": (
        ALBERT,
        EncoderConfig(
            **_SIZES,
            backbone="albert",
            embedding_dim=4,
            share_layers=True,
            dropout=0.0,
            attention_dropout=0.0,
            head_dropout=0.1,
            activation="gelu_tanh",
        ),
    ),
    "distilbert": (
        DISTILBERT,
        EncoderConfig(
            **_SIZES,
            backbone="distilbert",
            num_segments=0,
            head_dropout=0.2,
            pooler_activation="relu",
        ),
    ),
    "roberta": (
        ROBERTA,
        EncoderConfig(
            **_SIZES,
            backbone="roberta",
            num_segments=1,
            position_offset=2,
            layer_norm_epsilon=1e-5,
        ),
    ),
}


def read(folder, given):
    (folder / "config.json").write_text(json.dumps(given))
    return EncoderConfig.from_json(folder / "config.json")


@everyone
def test_reads_its_config(tmp_path, name):
    given, expected = READ[name]
    assert read(tmp_path, given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**ALBERT, "model_type": "gpt2"}, "one of bert, albert, distilbert, roberta.*'gpt2'"),
        ({**ALBERT, "model_type": ["bert"]}, r"`model_type` must be .*\['bert'\]"),
        ({**ALBERT, "num_hidden_groups": 2}, "`num_hidden_groups` must be 1. Received: 2"),
        ({**ALBERT, "inner_group_num": 2}, "`inner_group_num` must be 1. Received: 2"),
        ({**ROBERTA, "pad_token_id": 0}, "`pad_token_id` must be 1. Received: 0"),
        ({**DISTILBERT, "activation": "swish"}, "`activation` must be one of .*'swish'"),
        ({key: ALBERT[key] for key in ALBERT if key != "embedding_size"}, "'embedding_size'"),
        ({key: DISTILBERT[key] for key in DISTILBERT if key != "dim"}, "'dim'"),
    ],
)
def test_a_config_that_cannot_be_used(tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, given)


# Published numbers of parameters, in millions: of the encoder with its embeddings and pooler.
@pytest.mark.parametrize(
    ("size", "millions"),
    [
        ("bert-base", 109.5),
        ("albert-base", 11.7),
        ("distilbert-base", 66.4),
        ("roberta-base", 124.6),
    ],
)
def test_named_sizes_have_the_published_number_of_parameters(size, millions):
    config = EncoderConfig.of_size(size)
    backbone = BACKBONES[config.backbone]
    count = sum(np.prod(shape) for _, _, shape in backbone.encoder_table(config))
    # DistilBERT's 66.4 have no pooler.
    pooler = 0 if size == "distilbert-base" else config.hidden_dim * (config.hidden_dim + 1)
    assert (count + pooler) / 1e6 == pytest.approx(millions, abs=0.06)


def test_a_model_from_before_there_were_backbones_is_a_bert():
    model = small_classifier()
    saved = model.get_config()
    for name in ("backbone", "head_dropout", "pooler_activation", "position_offset"):
        del saved["config"][name]
    again = type(model).from_config(saved)
    assert again.config == model.config
    again.take_weights(model)
    close(logits(again, inputs_of()), logits(model, inputs_of()))
