"""A compiled classifier answers as its model does, in the order of the texts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training import toy

from power_bert_tf.deploy import compiled as module
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import load_runtime
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction

LENGTH = 16
REDUCTIONS = {
    "bert": None,
    "absolute": Extraction("9,4"),
    "relative": Extraction("9,4 of 16"),
    "adapler": Removal(),
    "soft": SoftExtraction(0.1),
}


@pytest.fixture(scope="module", params=REDUCTIONS)
def model(request):
    return toy.classifier(LENGTH, seed=3, reduction=REDUCTIONS[request.param])


def padded_answers(model, preprocessor, examples):
    inputs = preprocessor(examples.texts, examples.text_pairs)
    return np.asarray(model(inputs))


def compile_toy(model, **options):
    return CompiledClassifier(model, toy.preprocessor(LENGTH), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"lean": False},
        {"packed": False},
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
    ],
)
def test_answers_in_buckets_are_those_of_the_padded_model(model, options):
    compiled = compile_toy(model, batch_size=8, **options)
    examples = toy.examples(37, seed=3)
    expected = padded_answers(model, compiled.preprocessor, examples)
    assert np.ptp(expected[:, 0]) > 0.1
    answers = compiled.predict(examples.texts)
    assert answers.dtype == "float32"
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    # Both buckets were used, each by a function of its own.
    assert sorted(compiled._functions) == [8, LENGTH]


@pytest.mark.parametrize("model", ["bert", "absolute", "relative", "adapler"], indirect=True)
def test_packed_rows_take_one_graph(model):
    compiled = compile_toy(model, batch_size=8)
    examples = toy.examples(37, seed=3)
    expected = padded_answers(model, compiled.preprocessor, examples)
    np.testing.assert_allclose(compiled.predict(examples.texts), expected, atol=1e-5)
    assert compiled.packed and len(compiled._functions) == 1
    ids = compiled.preprocessor.encode(examples.texts)
    assert max(len(batch.rows) for batch in compiled.batches(*ids)) == 8
    small = compile_toy(model, most_words=20)
    assert max(batch.inputs["token_ids"].size for batch in small.batches(*ids)) <= 20
    # Padding changes nothing.
    padded = compiled.batches(*ids, padded=True)
    assert {batch.length for batch in padded} == {LENGTH}
    np.testing.assert_allclose(compiled.run(padded), expected, atol=1e-5)


@pytest.mark.parametrize("model", ["absolute"], indirect=True)
def test_batches_run_one_by_one(model):
    compiled = compile_toy(model, batch_size=8)
    batches = compiled.batches(*compiled.preprocessor.encode(toy.examples(20, seed=3).texts))
    expected = compiled.run(batches)
    steps = compiled.run_each(batches)
    first, answers = next(steps)
    assert first is batches[0] and len(batches) > 2
    np.testing.assert_array_equal(answers, expected[first.rows])
    rest = list(steps)
    assert [batch for batch, _ in rest] == batches[1:]
    assert [len(answers) for _, answers in rest] == [len(batch.rows) for batch in batches[1:]]


@pytest.mark.parametrize("model", ["bert", "relative"], indirect=True)
@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.06), ("float16", 0.008)])
def test_sixteen_bits_answer_nearly_alike(model, dtype, tolerance):
    compiled = compile_toy(model, batch_size=8, dtype=dtype)
    examples = toy.examples(37, seed=3)
    expected = padded_answers(model, compiled.preprocessor, examples)
    answers = compiled.predict(examples.texts)
    # A word whose score ties in 16 bits may make another answer; most are the same.
    error = np.abs(answers - expected).max(axis=1)
    # More than float32 would: the dtype is not ignored.
    assert 1e-4 < np.quantile(error, 0.8) < tolerance


@pytest.mark.parametrize("model", ["bert", "relative"], indirect=True)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_answers_follow_the_model(model, dtype):
    compiled = compile_toy(model, batch_size=4, dtype=dtype)
    examples = toy.examples(12, seed=3)
    before = compiled.predict(examples.texts)
    kernel = model.get_layer("classifier").kernel
    kernel.assign(-1.5 * kernel)
    try:
        answers = compiled.predict(examples.texts)
        expected = padded_answers(model, compiled.preprocessor, examples)
    finally:
        kernel.assign(kernel / -1.5)
    assert np.abs(answers - before).max() > 0.1
    tolerance = 1e-5 if dtype == "float32" else 0.1
    assert np.quantile(np.abs(answers - expected), 0.8) < tolerance


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runtime", "module"),
    [("openvino", "openvino"), ("onnx", "onnxruntime"), ("litert", "ai_edge_litert")],
)
def test_other_runtimes_answer_alike(runtime, module):
    pytest.importorskip(module)
    model = toy.classifier(LENGTH, seed=3, reduction=REDUCTIONS["absolute"])
    compiled = compile_toy(model, batch_size=8, runtime=runtime)
    examples = toy.examples(21, seed=3)
    expected = padded_answers(model, compiled.preprocessor, examples)
    np.testing.assert_allclose(compiled.predict(examples.texts), expected, atol=1e-4)


def test_pairs_and_regression():
    model = toy.classifier(LENGTH, seed=2, head="regression")
    compiled = compile_toy(model, batch_size=4)
    examples = toy.examples(9, seed=5, pairs=True)
    answers = compiled.predict(examples.texts, examples.text_pairs)
    assert answers.shape == (9, 1)
    expected = padded_answers(model, compiled.preprocessor, examples)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_word_pieces_as_lists_or_ragged():
    compiled = compile_toy(toy.classifier(LENGTH, seed=3))
    texts = toy.examples(5, seed=3).texts
    ragged, segments = compiled.preprocessor.ragged(tf.constant(texts))
    expected = compiled.predict(texts)
    np.testing.assert_array_equal(compiled.predict_tokens(ragged, segments), expected)
    np.testing.assert_array_equal(compiled.predict_tokens(ragged.to_list()), expected)
    assert compiled.predict_tokens([]).shape == (0, 2)


def test_padding_to_the_whole_uses_one_graph():
    compiled = compile_toy(toy.classifier(LENGTH), batch_overhead=1, packed=False)
    texts = [[2, 3], [2] * 12]
    assert [batch.length for batch in compiled.batches(texts)] == [8, LENGTH]
    assert [batch.length for batch in compiled.batches(texts, padded=True)] == [LENGTH]


def test_a_score_that_counts_padding_is_given_all_of_it():
    model = toy.classifier(LENGTH, seed=3, reduction=Extraction("5,2", compat="ibm"))
    compiled, examples = compile_toy(model, lengths=(8, LENGTH)), toy.examples(20, seed=3)
    expected = padded_answers(model, compiled.preprocessor, examples)
    np.testing.assert_allclose(compiled.predict(examples.texts), expected, atol=1e-5)
    assert compiled.lengths == (LENGTH,)


def test_after_warm_up_nothing_is_compiled(monkeypatch):
    compiled = compile_toy(toy.classifier(LENGTH, seed=3), batch_size=4)
    assert compiled.warm_up() is compiled

    def fail(*arguments):
        raise AssertionError("compiled anew")

    monkeypatch.setattr(compiled._module, "compile_graph", fail)
    examples = toy.examples(9, seed=3)
    assert compiled.predict(examples.texts).shape == (9, 2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 5]),
        ({"runtime": "openvino"}, [1, 5]),
        ({"jit_compile": True}, [1, 2, 4, 5]),
        ({"runtime": "litert"}, [1, 2, 4, 5]),
    ],
)
def test_warm_up_compiles_each_batch_size_that_is_compiled_for_itself(
    monkeypatch, options, expected
):
    compiled = compile_toy(toy.classifier(LENGTH), batch_size=5, packed=False, **options)
    shapes = []

    def compile_graph(*arguments):
        return lambda inputs: shapes.append(inputs["token_ids"].shape)

    monkeypatch.setattr(compiled._module, "compile_graph", compile_graph)
    compiled.warm_up()
    assert shapes == [(rows, length) for length in (8, LENGTH) for rows in expected]
    shapes.clear()
    compiled.warm_up([3])
    assert shapes == [(3, 8), (3, LENGTH)]


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float32", "jit_compile": True, "batch_size": 5},
        {"dtype": "bfloat16", "jit_compile": False, "batch_size": 6},
    ],
)
def test_the_runtime_is_told_what_to_compile_for(monkeypatch, options):
    compiled, told, graphs = compile_toy(toy.classifier(LENGTH), **options), [], []

    def compile_graph(graph, *given):
        graphs.append(graph)
        told.append(given)
        return lambda inputs: None

    monkeypatch.setattr(load_runtime("tensorflow", "float32"), "compile_graph", compile_graph)
    compiled.warm_up()
    # Two buckets under XLA, and one graph of packed rows.
    assert told == [tuple(options.values())] * len(graphs)
    assert [graph.input["token_ids"].shape[1] for graph in graphs] == (
        [8, LENGTH] if options["jit_compile"] else [None]
    )


def test_batch_sizes():
    assert module._batch_sizes(5, static=False) == (1, 2, 3, 4, 5)
    assert module._batch_sizes(9, static=True) == (1, 2, 4, 4, 8, 8, 8, 8, 9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be an int of at least 1. Received: batch_size=0"),
        ({"batch_size": "8"}, "`batch_size` must be an int .*'8'"),
        ({"batch_overhead": float("nan")}, "`batch_overhead` must be a number .*nan"),
        ({"batch_overhead": -1}, "`batch_overhead` must be a number of at least 0"),
        ({"jit_compile": True, "runtime": "openvino"}, "`jit_compile` goes with .*'openvino'"),
        ({"most_words": 0}, "`most_words` must be an int of at least 1. Received: most_words=0"),
        ({"packed": True, "lengths": (16,)}, r"`packed` goes without `lengths`.*lengths=\(16,\)"),
        ({"packed": True, "jit_compile": True}, "`packed` goes without .*jit_compile=True"),
        ({"packed": True, "lean": False}, "`packed` goes without .*lean=False"),
        ({"lengths": ()}, r"`lengths` must be .* Received: lengths=\(\)"),
        ({"lengths": (8, 17)}, "`lengths` must be from 1 to the model's sequence length 16"),
        ({"dtype": "float64"}, "`dtype` must be one of float32, .*'float64'"),
        ({"runtime": "abacus"}, "`runtime` must be one of tensorflow, .*'abacus'"),
        ({"runtime": "jax"}, "Keras must run on jax .*KERAS_BACKEND=tensorflow"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(InputError, match=message):
        CompiledClassifier(toy.classifier(LENGTH), **options)


@pytest.mark.parametrize(
    ("token_ids", "segment_ids", "message"),
    [
        ([[2, 3], []], None, "from 1 to 16 word-pieces a text. Received: 0 to 2"),
        ([[2] * 17], None, "Received: 17 to 17"),
        ([[2, 3]], [[0]], "`segment_ids` must have the shape of `token_ids`"),
        ([[2, 3]], [[0, 2]], "`segment_ids` must be from 0 to 1. Received: 0 to 2 in text 0"),
        ([[2], [2, -1]], None, "`token_ids` must be from 0 to .* Received: -1 to 2 in text 1"),
        ([[2, 10**6]], None, "`token_ids` must be from 0 to .* Received: 2 to 1000000"),
        ([[2, 3.5]], None, r"`token_ids` must be a list .* Received: \[2, 3.5\] for text 0"),
        (["good"], None, "`token_ids` must be a list of lists of int, .* Received: 'good'"),
        ([[[2], [3, 4]]], None, "`token_ids` must be a list of lists of int, .* for text 0"),
        ([3, 4], None, "`token_ids` must be a list of lists of int, .* Received: 3 for text 0"),
        ("good", None, "`token_ids` must be a list of lists of int. Received: 'good'"),
        (3, None, "`token_ids` must be a list of lists of int. Received: 3"),
    ],
)
def test_refuses_word_pieces(token_ids, segment_ids, message):
    with pytest.raises(InputError, match=message):
        CompiledClassifier(toy.classifier(LENGTH)).predict_tokens(token_ids, segment_ids)


def test_strings_need_a_preprocessor():
    with pytest.raises(InputError, match="`preprocessor` must be given"):
        CompiledClassifier(toy.classifier(LENGTH)).predict(["good"])


def test_one_string_is_not_several():
    compiled = compile_toy(toy.classifier(LENGTH))
    with pytest.raises(InputError, match="`texts` must be a sequence of strings. .*'good film'"):
        compiled.predict("good film")
    with pytest.raises(InputError, match="`text_pairs` must be a sequence of strings"):
        compiled.predict(["good"], "film")


def test_other_backends_are_named(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(InputError, match="tensorflow, jax.*KERAS_BACKEND=torch"):
        CompiledClassifier(toy.classifier(LENGTH))


@pytest.mark.parametrize("model", ["bert"], indirect=True)
def test_what_its_graphs_keep(model):
    pytest.importorskip("openvino")
    weights = 4 * model.count_params()
    # TensorFlow's graphs stand over the model's own weights.
    assert compile_toy(model).weight_bytes == 0
    assert compile_toy(model, runtime="openvino").weight_bytes == weights
    buckets = compile_toy(model, runtime="openvino", packed=False)
    assert buckets.lengths == (8, LENGTH) and buckets.weight_bytes == 4 * weights
    limited = compile_toy(model, runtime="openvino", packed=False, most_bucket_bytes=3 * weights)
    assert limited.lengths == (LENGTH,) and limited.weight_bytes == 2 * weights
    # One there must be.
    assert compile_toy(model, runtime="openvino", packed=False, most_bucket_bytes=1).lengths == (
        LENGTH,
    )
