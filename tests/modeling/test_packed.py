"""Packed rows: one graph for every length and batch size, with the answers of the padded one."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling import models
from modeling.backbones_by_name import SMALL
from power_bert_tf.errors import InputError
from power_bert_tf.layers import Packing
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling.reduction import Reduction
from power_bert_tf.modeling.reduction import Selection

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="rows are packed on TensorFlow"
)
PACKED = [name for name in models.REDUCTIONS if not name.startswith("soft")]


class EvenRows(Reduction):
    """Before the second encoder, and after the first one's attention, each second row leaves.

    Attention prefers the first words, by a bias.
    """

    drops = True

    def before_encoder(self, layers, index, vectors):
        if index > 0:
            return vectors
        words = keras.ops.cumsum(vectors.padding_mask, axis=1)
        return vectors.replace(attention_bias=-0.5 * keras.ops.cast(words, "float32"))

    def select_before(self, layers, index, vectors):
        return self._selection(vectors) if index == 1 else None

    def select(self, layers, index, vectors, probabilities):
        return self._selection(vectors) if index == 0 else None

    @staticmethod
    def _selection(vectors):
        # Counts words alone: in the padded form masked rows may stand between them.
        words = keras.ops.cumsum(vectors.padding_mask, axis=1)
        return Selection.from_mask(vectors.padding_mask * keras.ops.mod(words, 2))


@functools.cache
def graphs(name):
    model = models.reduced_classifier(name, models.LONGER)
    return model, model.for_inference(packed=True)


@pytest.mark.parametrize("name", PACKED)
@models.few_examples
@given(batch=models.texts(max_words=models.LONGER, count=4), first=st.integers(0, 3))
def test_answers_are_the_models_whatever_stands_beside_a_text(name, batch, first):
    model, graph = graphs(name)
    expected = models.outputs(model, models.pad(batch, models.LONGER))
    longest = max(len(token_ids) for token_ids, _ in batch)
    for some, rows in ((batch, slice(None)), (batch[first:], slice(first, None))):
        inputs = models.pad(some, longest)
        np.testing.assert_allclose(models.outputs(graph, inputs), expected[rows], atol=1e-5)


@pytest.mark.parametrize("retention", [None, "5,5,2", "9,5,4 of 12"])
@pytest.mark.parametrize("name", SMALL)
def test_every_backbone(name, retention):
    reduction = None if retention is None else Extraction(retention)
    model = models.small_classifier(config=SMALL[name], reduction=reduction)
    generator = np.random.default_rng(0)
    batch = [models.random_text(generator, words) for words in (8, 3, 1, 6)]
    inputs = models.pad(batch, models.LENGTH)
    inputs = {each: inputs[each] for each in model.input}
    graph = model.for_inference(packed=True)
    answers = models.outputs(graph, inputs)
    np.testing.assert_allclose(answers, models.outputs(model, inputs), atol=1e-5)


def test_a_method_may_select_before_an_encoder_and_lower_its_attention():
    model = models.small_classifier(config=models.DEEP, reduction=EvenRows())
    generator = np.random.default_rng(0)
    batch = [models.random_text(generator, words) for words in (8, 3, 1, 6)]
    inputs = models.pad(batch, models.LENGTH)
    expected = models.outputs(model, inputs)
    plain = models.outputs(models.small_classifier(config=models.DEEP), inputs)
    assert np.abs(plain - expected).max() > 1e-2
    answers = models.outputs(model.for_inference(packed=True), inputs)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_no_padding_goes_through_the_feed_forward_blocks():
    model = models.reduced_classifier("attention relative", models.LONGER)
    graph = model.for_inference(packed=True)
    assert graph.input["token_ids"].shape == (None, None)
    assert sum(isinstance(layer, Packing) for layer in graph.layers) == 3
    seen = {
        layer.name: layer._inbound_nodes[-1].outputs[0].shape
        for layer in graph.layers
        if layer.name.endswith("_feed_forward")
    }
    # The last one is of CLS alone, by text.
    assert list(seen.values()) == [(None, 8), (None, 8), (None, None, 8)]
    assert {id(variable) for variable in graph.weights} == {
        id(variable) for variable in model.weights
    }


@pytest.mark.parametrize(
    "reduction", [SoftExtraction(0.1), Extraction("5,3", compat="ibm")], ids=["fades", "padding"]
)
def test_what_cannot_be_packed(reduction):
    model = models.small_classifier(reduction=reduction)
    assert not model.packs
    with pytest.raises(InputError, match=f"`packed` goes with .*{type(reduction).__name__}"):
        model.for_inference(packed=True)


def test_other_backends_do_not_pack(monkeypatch):
    model = models.small_classifier()
    assert model.packs
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(InputError, match="`packed` goes with .*KERAS_BACKEND=jax"):
        model.for_inference(packed=True)
