"""Which runtimes and dtypes there are here."""

import ast
import importlib.util
import os
import subprocess
import sys

import keras
import pytest

from power_bert_tf.deploy import runtimes
from power_bert_tf.errors import InputError


def names():
    return [runtimes.mode_name(mode) for mode in runtimes.usable_modes()]


@pytest.fixture
def installed(monkeypatch):
    """Only TensorFlow and what a test adds."""
    there = {"tensorflow"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
    return there


def test_tensorflow_alone(installed):
    assert names() == ["tensorflow float32", "tensorflow bfloat16", "tensorflow float32 XLA"]


def test_with_a_gpu_there_is_float16(installed, monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert "tensorflow float16" in names()


def test_what_is_installed_beside_it(installed):
    installed |= {"openvino", "jax"}
    # JAX needs Keras to run on it.
    assert [name for name in names() if not name.startswith("tensorflow")] == [
        "openvino float32",
        "openvino bfloat16",
    ]


@pytest.mark.slow
def test_jax_alone():
    pytest.importorskip("jax")
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from power_bert_tf.deploy.runtimes import usable_modes; print(usable_modes())",
        ],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    modes = ast.literal_eval(said)
    assert [mode["dtype"] for mode in modes] == ["float32", "bfloat16"]
    assert {mode["runtime"] for mode in modes} == {"jax"}


def test_every_mode_can_be_loaded():
    for mode in runtimes.usable_modes():
        assert runtimes.load_runtime(mode["runtime"], mode["dtype"]).compile_graph


def test_a_dtype_that_a_runtime_has_not():
    with pytest.raises(InputError, match="`dtype` must be one of float32 with the runtime onnx"):
        runtimes.load_runtime("onnx", "bfloat16")
