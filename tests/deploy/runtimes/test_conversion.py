"""What no runtime can do is refused alike, whichever packages are installed."""

import os
import sys
import warnings

import keras
import pytest
from training import toy

from power_bert_tf.deploy.runtimes import conversion
from power_bert_tf.deploy.runtimes import litert
from power_bert_tf.deploy.runtimes import onnx
from power_bert_tf.deploy.runtimes import openvino
from power_bert_tf.errors import InputError

PACKAGES = [
    (openvino, "openvino", "openvino"),
    (onnx, "onnxruntime", "onnx"),
    (onnx, "tf2onnx", "onnx"),
    (litert, "ai_edge_litert.interpreter", "litert"),
]
RUNTIMES = [openvino, onnx, litert]


@pytest.fixture
def installed(monkeypatch):
    """All packages there, so that a refusal has another reason."""
    for _, module, _ in PACKAGES:
        monkeypatch.setitem(sys.modules, module, object())


@pytest.mark.parametrize(("runtime", "module", "extra"), PACKAGES)
def test_a_missing_package_names_its_extra(monkeypatch, installed, runtime, module, extra):
    # None in the table of modules makes an import fail.
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"pip install power-bert-tf\[{extra}\]") as raised:
        runtime.compile_graph(toy.classifier())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_unknown_dtype(installed, runtime):
    with pytest.raises(InputError, match="`dtype` must be one of float32.*dtype='int4'"):
        runtime.compile_graph(toy.classifier(), "int4")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_another_policy(installed, runtime):
    with pytest.raises(InputError, match="dtype policy float32. Received: mixed_bfloat16"):
        runtime.compile_graph(toy.classifier(dtype="mixed_bfloat16"))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_another_backend(monkeypatch, installed, runtime):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(InputError, match="tensorflow to convert a graph.*KERAS_BACKEND=jax"):
        runtime.compile_graph(toy.classifier())


def test_quiet(capfd):
    with conversion.quiet():
        os.write(2, b"within")
        warnings.warn("from a converter", stacklevel=1)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
