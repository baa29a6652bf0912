"""8-bit products on OpenVINO: answers near those of float, made once, and refused in a line."""

import sys

import numpy as np
import pytest
from training import toy

from power_bert_tf.deploy import processor
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.exported import load_exported
from power_bert_tf.deploy.quantization import quantized as quantized_by_nncf
from power_bert_tf.deploy.quantization import warn_of_processor
from power_bert_tf.deploy.text_folder import export_folder
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import NoReduction

LENGTH = 16
TEXTS = ["A good film, so bad!", "", "good " * 40, "[CLS] the\tplot\n", "BAD", "unknown été"]


@pytest.fixture(scope="module")
def model():
    return toy.classifier(LENGTH, seed=3, reduction=Extraction("9,4 of 16"))


@pytest.fixture(scope="module")
def calibration():
    return toy.preprocessor(LENGTH).encode([*TEXTS, *toy.examples(40).texts])


def compile_int8(model, calibration, **options):
    preprocessor = toy.preprocessor(LENGTH)
    return CompiledClassifier(model, preprocessor, dtype="int8", calibration=calibration, **options)


@pytest.fixture(scope="module")
def quantized(model, calibration, tmp_path_factory):
    """The path of a quantized model."""
    pytest.importorskip("nncf")
    path = tmp_path_factory.mktemp("int8") / "model.xml"
    compile_int8(model, calibration).save_quantized(path)
    return path


@pytest.mark.slow
def test_answers_are_near_and_the_same_from_a_file(model, calibration, quantized):
    bert = model.with_reduction(NoReduction())
    expected = np.asarray(bert(toy.preprocessor(LENGTH)(TEXTS)))
    for options in ({}, {"lengths": (LENGTH,)}):
        answers = compile_int8(bert, calibration, **options).predict(TEXTS)
        np.testing.assert_allclose(answers, expected, atol=0.05)
        # It does compute in 8 bits.
        assert np.abs(answers - expected).max() > 1e-4
    compiled = compile_int8(model, quantized)
    assert (compiled.runtime, compiled.packed) == ("openvino", True)
    again = compile_int8(model, calibration).predict(TEXTS)
    np.testing.assert_array_equal(compiled.predict(TEXTS), again)


def products_of_8_bits(path):
    """The names of the products of two quantized tensors; checks that they are of weights."""
    import openvino

    model = openvino.Core().read_model(path)
    weights = {"query", "key", "value", "projection", "intermediate", "output"}
    found = set()
    for node in model.get_ops():
        if node.get_type_name() == "MatMul":
            sources = [port.get_source_output().get_node() for port in node.inputs()]
            has_weights = any(part in node.get_friendly_name() for part in weights)
            fakes = [source for source in sources if "FakeQuantize" in source.get_type_name()]
            if fakes:
                found.add(node.get_friendly_name())
            assert bool(fakes) <= has_weights, node.get_friendly_name()
    return found


@pytest.mark.slow
def test_products_with_weights_are_of_8_bits_and_no_others(quantized):
    # Six in each of the two encoders.
    assert len(products_of_8_bits(quantized)) == 12


@pytest.mark.slow
def test_predictors_of_contributions_stay_in_float(calibration, tmp_path):
    pytest.importorskip("nncf")
    model = toy.classifier(LENGTH, seed=3, reduction=Removal())
    compiled = compile_int8(model, calibration)
    compiled.save_quantized(tmp_path / "model.xml")
    assert len(products_of_8_bits(tmp_path / "model.xml")) == 12
    expected = CompiledClassifier(model, toy.preprocessor(LENGTH)).predict(TEXTS)
    # What a text keeps may differ where a contribution is near the threshold.
    assert (compiled.predict(TEXTS).argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.slow
def test_an_exported_folder(model, quantized, tmp_path):
    folder = tmp_path / "served"
    examples = toy.examples(9)
    export_folder(model, toy.preprocessor(LENGTH), folder, examples=examples, int8=quantized)
    loaded = load_exported(folder)
    assert loaded.dtype == "int8"
    expected = compile_int8(model, quantized).predict(TEXTS)
    np.testing.assert_allclose(loaded.outputs(TEXTS, batch_size=2), expected, atol=1e-3)


def test_bad_input(model, calibration, tmp_path):
    with pytest.raises(InputError, match="`calibration` must be given for int8.*dtype='int8'"):
        CompiledClassifier(model, dtype="int8")
    with pytest.raises(InputError, match="`calibration` must be given for int8, and for nothing"):
        CompiledClassifier(model, calibration=calibration)
    with pytest.raises(InputError, match="int8 goes with packed rows or one length.*8, 16"):
        compile_int8(model, calibration, lengths=(8, 16))
    with pytest.raises(InputError, match="`dtype` must be one of float32.*'int8'"):
        compile_int8(model, calibration, runtime="tensorflow")
    with pytest.raises(InputError, match="`calibration` must be .* a file that is there"):
        compile_int8(model, tmp_path / "model.xml")
    with pytest.raises(InputError, match="`calibration` must hold at least one text"):
        compile_int8(model, ([], []))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(InputError, match=r"package nncf is missing: pip install .*\[openvino\]"):
        quantized_by_nncf(None, [])


def test_a_processor_without_instructions_is_warned_of(monkeypatch):
    monkeypatch.setattr(processor, "cpu", lambda: {"model": "old", "features": ["avx2"]})
    with pytest.warns(UserWarning, match="no instructions for products of 8-bit integers"):
        warn_of_processor()
