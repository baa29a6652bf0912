"""Layers and graphs run under JAX as under TensorFlow, and without TensorFlow at all."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from modeling.models import DEEP
from modeling.models import LENGTH
from modeling.models import REDUCTIONS
from modeling.models import logits
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier

TESTS = pathlib.Path(__file__).parents[1]
# Set where these tests run inside of `test_under_jax`, which would start itself again.
INSIDE = "POWER_BERT_TESTS_UNDER_JAX"

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs the extra `jax`"
)


def under_jax(*command):
    process = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", INSIDE: "1"},
        cwd=TESTS.parent,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


WITHOUT_TENSORFLOW = """
import sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None

import jax, keras
import numpy as np
from power_bert_tf.methods.power_bert.reductions import Extraction

folder = sys.argv[1]
inputs = dict(np.load(f"{folder}/inputs.npz"))
for name in ("search", "power"):
    model = keras.models.load_model(f"{folder}/{name}.keras").logits_model
    np.save(f"{folder}/{name}.npy", model.predict(inputs, verbose=0))

search = keras.models.load_model(f"{folder}/search.keras")
power = search.with_reduction(Extraction("5,2,2 of 6"))
power.compile("sgd", "sparse_categorical_crossentropy")
power.fit(inputs, np.zeros(len(inputs["token_ids"])), verbose=0)
print(keras.config.backend(), power.predict(inputs, verbose=0).shape)
"""


@pytest.mark.slow
@needs_jax
def test_without_tensorflow(tmp_path):
    generator = np.random.default_rng(0)
    inputs = pad([random_text(generator, words) for words in (1, 5, LENGTH)], LENGTH)
    np.savez(tmp_path / "inputs.npz", **inputs)
    models = {
        "search": small_classifier(config=DEEP, reduction=REDUCTIONS["soft relative"]),
        "power": small_classifier(config=DEEP, reduction=REDUCTIONS["attention relative"]),
    }
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    assert under_jax("-c", WITHOUT_TENSORFLOW, tmp_path).strip() == "jax (3, 2)"
    for name, model in models.items():
        np.testing.assert_allclose(
            np.load(tmp_path / f"{name}.npy"), logits(model, inputs), rtol=0, atol=1e-4
        )


# Large: JAX compiles for a minute or more. `KERAS_BACKEND=jax pytest tests/layers tests/modeling`
# is the same without this process around it.
@pytest.mark.large
@needs_jax
@pytest.mark.skipif(INSIDE in os.environ, reason="this is that run")
def test_under_jax():
    folders = [str(TESTS / "layers"), str(TESTS / "modeling")]
    report = under_jax("-m", "pytest", "-q", "--ignore", folders[1] + "/checkpoints", *folders)
    assert " passed" in report and " failed" not in report
