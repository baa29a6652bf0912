"""Compiled inference on JAX answers as the model does, in a process without TensorFlow."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("jax")
# JAX compiles for most of a minute.
pytestmark = pytest.mark.slow

NAMES = ("bert", "absolute", "relative")

ANSWER = """
import sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None

import numpy as np
from power_bert_tf import BertClassifier, CompiledClassifier, EncoderConfig, Extraction

LENGTH, random = 16, np.random.default_rng(3)
config = EncoderConfig(
    vocabulary_size=50, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16
)
# Batches of four, and one of three that is computed as four.
sizes = random.permutation([3, 5, 7, 8, *range(9, 17), 10, 12, 14])
texts = [random.integers(1, 50, size) for size in sizes]
segments = [np.arange(size) // (size // 2 + 1) for size in sizes]
inputs = {name: np.zeros((len(texts), LENGTH), "int32") for name in (
    "token_ids", "segment_ids", "padding_mask"
)}
for row, size in enumerate(sizes):
    inputs["token_ids"][row, :size] = texts[row]
    inputs["segment_ids"][row, :size] = segments[row]
    inputs["padding_mask"][row, :size] = 1

answers = {}
for name, reduction in {
    "bert": None, "absolute": Extraction("9,4"), "relative": Extraction("9,4 of 16")
}.items():
    model = BertClassifier(config, 2, LENGTH, reduction)
    for variable in model.trainable_variables:
        # So large that texts differ in their answers.
        noise = random.normal(0.0, 0.7, variable.shape)
        if variable.path.endswith(("gamma", "beta", "bias")):
            noise *= 0.3
        variable.assign(noise + float(variable.path.endswith("gamma")))
    compiled = {
        dtype: CompiledClassifier(model, batch_size=4, dtype=dtype)
        for dtype in ("float32", "bfloat16")
    }
    batches = compiled["float32"].batches(texts)
    answers[f"{name}_batches"] = [(batch.length, len(batch.rows)) for batch in batches]
    for when in ("before", "after"):
        answers[f"{name}_{when}_padded"] = np.asarray(model(inputs))
        for dtype, each in compiled.items():
            answers[f"{name}_{when}_{dtype}"] = each.predict_tokens(texts, segments)
        kernel = model.get_layer("classifier").kernel
        kernel.assign(-1.5 * kernel)
np.savez(sys.argv[1], **answers)
"""


@pytest.fixture(scope="module")
def all_answers(tmp_path_factory):
    """What models and their compiled graphs answered, before and after a weight changed."""
    path = tmp_path_factory.mktemp("answers") / "answers.npz"
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, path],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(params=NAMES)
def answers(request, all_answers):
    """Those of one model."""
    start = f"{request.param}_"
    return {
        name.removeprefix(start): each
        for name, each in all_answers.items()
        if name.startswith(start)
    }


def test_answers_are_those_of_the_padded_model(answers):
    expected = answers["before_padded"]
    assert np.ptp(expected[:, 0]) > 0.1
    assert answers["before_float32"].dtype == "float32"
    np.testing.assert_allclose(answers["before_float32"], expected, rtol=0, atol=1e-4)
    # Both buckets, and a batch that is not full.
    assert set(answers["batches"][:, 0]) == {8, 16} and set(answers["batches"][:, 1]) == {3, 4}


def test_sixteen_bits_answer_nearly_alike(answers):
    # A word whose score ties in 16 bits may make another answer; most are the same.
    error = np.abs(answers["before_bfloat16"] - answers["before_padded"]).max(axis=1)
    assert 1e-4 < np.quantile(error, 0.8) < 0.06


def test_answers_follow_the_model(answers):
    expected = answers["after_padded"]
    assert np.abs(expected - answers["before_padded"]).max() > 0.1
    np.testing.assert_allclose(answers["after_float32"], expected, rtol=0, atol=1e-4)
    assert np.quantile(np.abs(answers["after_bfloat16"] - expected), 0.8) < 0.1
