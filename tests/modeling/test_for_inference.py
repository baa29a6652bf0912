"""The graph for inference: the same answers over the same variables, from less work."""

import functools

import hypothesis
import keras
import numpy as np
import pytest

from modeling import models
from power_bert_tf.layers import Extract
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.modeling import encoder


@functools.cache
def graphs(name, length):
    """The model and its graph for inference."""
    model = models.reduced_classifier(name, length)
    return model, model.for_inference()


@pytest.mark.parametrize("length", [models.LENGTH, models.LONGER])
@pytest.mark.parametrize("name", models.REDUCTIONS)
@hypothesis.given(batch=models.texts())
@models.few_examples
def test_answers_are_the_models(name, length, batch):
    model, graph = graphs(name, length)
    inputs = models.pad(batch, length)
    expected = models.outputs(model, inputs)
    np.testing.assert_allclose(models.outputs(graph, inputs), expected, rtol=0, atol=1e-5)


def test_another_length():
    model = models.reduced_classifier("attention absolute", models.LONGER)
    batch = [models.random_text(np.random.default_rng(0), words) for words in (3, 8)]
    graph = model.for_inference(models.LENGTH)
    assert graph.input["token_ids"].shape == (None, models.LENGTH)
    expected = models.outputs(model, models.pad(batch, models.LONGER))
    answers = models.outputs(graph, models.pad(batch, models.LENGTH))
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-5)


def test_variables_are_the_models():
    model = models.small_classifier()
    ours = {id(variable) for variable in model.weights}
    graph = model.for_inference()
    assert {id(variable) for variable in graph.weights} == ours


@pytest.mark.parametrize("retention", [None, "5,3,2"])
def test_the_last_encoder_works_for_cls_alone(retention):
    reduction = Extraction(retention) if retention else None
    model = models.small_classifier(config=models.DEEP, reduction=reduction)

    def rows(graph):
        widths = {}
        for operation in graph.operations:
            if operation.name.endswith("_feed_forward"):
                widths[operation.name] = operation._inbound_nodes[-1].outputs[0].shape[1]
        return [widths[f"encoder_{index}_feed_forward"] for index in range(3)]

    kept = [5, 3, 2] if retention else [8, 8, 8]
    assert rows(model) == kept
    assert rows(model.for_inference()) == [*kept[:2], 1]


@pytest.mark.parametrize(
    ("retention", "scoring"),
    [
        ("8,5,5", [1]),
        ("5,5,5", [0]),
        ("6,5,4", [0, 1]),
        ("8,5,5 of 8", [1]),
        ("6,6,4 of 8", [0]),
    ],
)
def test_only_encoders_that_eliminate_are_scored(retention, scoring):
    model = models.small_classifier(config=models.DEEP, reduction=Extraction(retention))
    graph = model.for_inference()
    for kind in (Extract, SignificanceScore):
        found = [layer.name for layer in graph.layers if isinstance(layer, kind)]
        assert [int(name.split("_")[1]) for name in found] == scoring


def fused(graph):
    """Whether each of three encoders fuses its attention."""
    return [
        graph.get_layer(f"encoder_{index}_self_attention")
        ._inbound_nodes[-1]
        .arguments.kwargs["fused"]
        for index in range(3)
    ]


def test_attention_that_nobody_looks_at_can_be_fused(monkeypatch):
    monkeypatch.setattr(encoder, "fuses_attention", lambda: True)
    model = models.small_classifier(config=models.DEEP, reduction=Extraction("8,5,5"))
    graph = model.for_inference()
    assert fused(graph) == [True, False, True]
    random = np.random.default_rng(0)
    inputs = models.pad([models.random_text(random, words) for words in (2, 5, 8)], models.LENGTH)
    expected = models.outputs(model, inputs)
    np.testing.assert_allclose(models.outputs(graph, inputs), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("backend", "devices", "fuses"),
    [
        ("tensorflow", ["gpu:0"], False),
        ("jax", ["cpu:0"], False),
        ("jax", ["gpu:0", "gpu:1"], True),
        ("jax", ["tpu:0"], True),
    ],
)
def test_it_is_fused_by_jax_on_accelerators(monkeypatch, backend, devices, fuses):
    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    assert encoder.fuses_attention() == fuses


@pytest.mark.parametrize(
    ("retention", "averaged"),
    [("5,3,2", [True, True]), ("4,3,1", [False, True]), ("6,2,1 of 8", [True, False])],
)
def test_values_are_averaged_first_where_most_queries_stay(retention, averaged):
    model = models.small_classifier(config=models.DEEP, reduction=Extraction(retention))

    def probabilities(graph):
        layers = [graph.get_layer(f"encoder_{index}_attention_output") for index in range(2)]
        return [layer._inbound_nodes[-1].arguments.args[1] for layer in layers]

    assert None not in probabilities(model)
    assert [each is None for each in probabilities(model.for_inference())] == averaged


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16"])
def test_with_dtype(dtype):
    model = models.small_classifier(reduction=Extraction("5,3"))
    other = model.with_dtype(dtype)
    assert other.compute_dtype == dtype.removeprefix("mixed_")
    assert other.reduction is model.reduction
    batch = [models.random_text(np.random.default_rng(0), 8)]
    inputs = models.pad(batch, models.LENGTH)
    for own, its in zip(model.weights, other.weights, strict=True):
        assert own is not its
        np.testing.assert_allclose(np.array(its, "float32"), np.array(own), rtol=0.01)
    assert models.outputs(other, inputs).dtype == "float32"


def test_take_weights_leaves_what_the_other_has_not():
    search = models.reduced_classifier("soft absolute", models.LONGER)
    plain = models.small_classifier(
        seed=9, config=models.DEEP, sequence_length=models.LONGER, num_classes=3
    )
    before = [np.array(layer) for layer in search.reduction.retention_parameters(search)]
    kernel = np.array(search.get_layer("classifier").kernel)
    copy = search.with_reduction(search.reduction)
    copy.take_weights(plain)
    np.testing.assert_array_equal(
        copy.get_layer("classifier").kernel, plain.get_layer("classifier").kernel
    )
    assert np.abs(kernel - np.array(copy.get_layer("classifier").kernel)).max() > 0.1
    for own, kept in zip(copy.reduction.retention_parameters(copy), before, strict=True):
        np.testing.assert_array_equal(own, kept)
