"""A compiled graph answers as the model does, over the same variables."""

import keras
import numpy as np
import pytest
from training import toy

from power_bert_tf.deploy.compiled import compile_graph
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import Extraction


def some_inputs(length):
    return {
        name: np.asarray(values)
        for name, values in toy.preprocessor(length)(toy.examples(5, seed=1).texts).items()
    }


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("length", [12, 16])
def test_answers_and_shared_variables(length, jit_compile):
    model = toy.classifier(16, seed=3, reduction=Extraction("9,4"))
    function = compile_graph(model, length, jit_compile)
    inputs = some_inputs(length)
    expected = model.at_length(length).predict(inputs, verbose=0)
    np.testing.assert_allclose(function(inputs), expected, rtol=0, atol=1e-5)
    # No copy: what the model learns later is in the compiled graph.
    model.get_layer("classifier").bias.assign([7.0, -7.0])
    assert (function(inputs)[:, 0] > 0.9).all()


def test_other_backends_are_named(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(InputError, match="tensorflow, jax.*KERAS_BACKEND=torch"):
        compile_graph(toy.classifier(16), 16)
