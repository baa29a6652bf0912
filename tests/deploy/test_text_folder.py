"""A folder that answers as the model, by numpy, tokenizers and the package of its format alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from training import toy

from power_bert_tf.deploy import model_files
from power_bert_tf.deploy import text_folder
from power_bert_tf.deploy.exported import load_exported
from power_bert_tf.deploy.exported import pair_lengths
from power_bert_tf.deploy.text_folder import export_folder
from power_bert_tf.deploy.tokenizer_json import bare_tokenizer
from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction

pytest.importorskip("openvino")
pytest.importorskip("tokenizers")

LENGTH = 16
TEXTS = ["A good film, so bad!", "", "good " * 40, "[CLS] the\tplot\n", "BAD", "unknown été"]


def model(**arguments):
    return toy.classifier(LENGTH, seed=3, reduction=Extraction("9,4 of 16"), **arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "served"
    examples = toy.examples(9)
    export_folder(model(), toy.preprocessor(LENGTH), folder, examples=examples, card="# Toy\n")
    return folder


def test_answers_are_the_models(folder):
    loaded = load_exported(folder)
    expected = np.asarray(model()(toy.preprocessor(LENGTH)(TEXTS)))
    np.testing.assert_allclose(loaded.outputs(TEXTS, batch_size=2), expected, atol=1e-4)
    assert loaded.outputs([]).shape[0] == 0
    answers = loaded.predict(TEXTS)
    assert [answer["label"] for answer in answers] == [
        toy.LABELS[index] for index in expected.argmax(axis=1)
    ]
    for answer, output in zip(answers, expected, strict=True):
        assert list(answer["probabilities"]) == list(toy.LABELS)
        assert list(answer["probabilities"].values()) == pytest.approx(output, abs=1e-4)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "model.bin",
        "model.xml",
        "settings.json",
        "tokenizer.json",
    ]
    assert (folder / "README.md").read_text() == "# Toy\n"


WITHOUT = """
import json, sys
folder, texts, absent = sys.argv[1], *map(json.loads, sys.argv[2:])
sys.modules.update(dict.fromkeys(absent))
import power_bert_tf as pb
json.dump(pb.load_exported(folder).outputs(texts).tolist(), sys.stdout)
"""


def outputs_without(absent, folder):
    """What a folder answers to `TEXTS` in a process that cannot import some packages."""
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(folder), json.dumps(TEXTS), json.dumps(absent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_without_tensorflow_and_keras(folder):
    absent = ("tensorflow", "tensorflow_text", "keras", "jax")
    expected = load_exported(folder).outputs(TEXTS)
    np.testing.assert_allclose(outputs_without(absent, folder), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["regression", "multiple_choice"])
def test_pairs_and_other_heads(tmp_path, head):
    one = model(head=head)
    preprocessor = toy.preprocessor(
        LENGTH, "only_first" if head == "multiple_choice" else "longest_first"
    )
    export_folder(one, preprocessor, tmp_path / "served", pairs=True)
    loaded = load_exported(tmp_path / "served")
    others = [*TEXTS[::-1]]
    expected = np.asarray(one(preprocessor(TEXTS, others)))
    np.testing.assert_allclose(loaded.outputs(TEXTS, others), expected, atol=1e-4)
    answers = loaded.predict(TEXTS, others)
    if head == "regression":
        assert [answer["score"] for answer in answers] == pytest.approx(expected[:, 0], abs=1e-4)
    else:
        assert len(answers) == len(TEXTS) // 3
        assert answers[0]["label"] == toy.OPTIONS[expected[:3, 0].argmax()]
        assert sum(answers[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


# What a format needs, and what it does without.
NEEDS = {
    "onnx": ("onnxruntime", "tf2onnx", "tensorflow", "keras"),
    "litert": ("ai_edge_litert", "ai_edge_litert", "keras", "tensorflow_text"),
    "keras": ("keras", "keras", "tensorflow_text"),
}


@pytest.mark.slow
@pytest.mark.parametrize("format", NEEDS)
def test_other_formats(tmp_path, format):
    needed, to_export, *absent = NEEDS[format]
    pytest.importorskip(to_export)
    pytest.importorskip(needed)
    folder = tmp_path / "served"
    export_folder(model(), toy.preprocessor(LENGTH), folder, format, toy.examples(9))
    expected = np.asarray(model()(toy.preprocessor(LENGTH)(TEXTS)))
    # One by one each text has a length of its own.
    for batch_size in (1, 2, 8):
        answers = load_exported(folder).outputs(TEXTS, batch_size=batch_size)
        np.testing.assert_allclose(answers, expected, atol=1e-4)
    np.testing.assert_allclose(outputs_without(absent, folder), expected, atol=1e-4)
    with pytest.raises(InputError, match="`dtype` must be .* Received: dtype="):
        load_exported(folder, dtype="bfloat16" if format != "keras" else "int4")


@settings(deadline=None, max_examples=20)
@given(
    pairs=st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=8),
    longest_first=st.booleans(),
)
def test_ids_are_the_preprocessors(folder, pairs, longest_first):
    loaded = load_exported_once(folder)
    truncation = "longest_first" if longest_first else "only_first"
    preprocessor = toy.preprocessor(LENGTH, truncation)
    first, second = map(list, zip(*pairs, strict=True))
    assert loaded.encode(first) == preprocessor.encode(first)
    loaded.is_pair, loaded._truncation = True, truncation
    try:
        assert loaded.encode(first, second) == preprocessor.encode(first, second)
    finally:
        loaded.is_pair = False


_LOADED = {}


def load_exported_once(folder):
    return _LOADED.setdefault(folder, load_exported(folder))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.booleans())
def test_what_is_kept_of_a_pair_fits(first, second, budget, longest_first):
    truncation = "longest_first" if longest_first else "only_first"
    kept = pair_lengths(first, second, budget, truncation)
    assert sum(kept) == min(first + second, budget)
    assert kept[0] <= first and kept[1] <= second


def test_a_text_cannot_forge_special_tokens():
    tokenizer = bare_tokenizer(toy.preprocessor().tokenizer)
    ids = tokenizer.encode("[CLS] good [SEP]", add_special_tokens=False).ids
    assert 2 not in ids and 3 not in ids


@pytest.mark.slow
def test_answers_that_differ_leave_nothing(tmp_path, monkeypatch):
    def write(one, path):
        layer = one.get_layer("classifier")
        before = layer.kernel + 0.0
        layer.kernel.assign(-before)
        try:
            model_files.write_openvino(one, path)
        finally:
            layer.kernel.assign(before)

    one = model()
    monkeypatch.setitem(text_folder._WRITERS, "openvino", write)
    with pytest.raises(
        InputError, match="must answer as the model, and is removed: of 5 dev texts"
    ):
        export_folder(one, toy.preprocessor(LENGTH), tmp_path / "served", examples=toy.examples(5))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported(tmp_path):
    preprocessor = toy.preprocessor(LENGTH)
    search = toy.classifier(LENGTH, reduction=SoftExtraction(0.1))
    with pytest.raises(InputError, match="`packed` goes with .*SoftExtraction"):
        export_folder(search, preprocessor, tmp_path / "served")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InputError, match="must be new or empty"):
        export_folder(model(), preprocessor, tmp_path / "full")
    with pytest.raises(InputError, match="`format` must be one of openvino, onnx.*'pdf'"):
        export_folder(model(), preprocessor, tmp_path / "served", "pdf")
    with pytest.raises(InputError, match="int8 goes with the format openvino. .*'onnx'"):
        export_folder(
            model(), preprocessor, tmp_path / "served", "onnx", int8=tmp_path / "model.xml"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_bad_input(folder, tmp_path):
    with pytest.raises(InputError, match="`folder` must be one that .*settings.json.*Received"):
        load_exported(tmp_path)
    with pytest.raises(InputError, match="`dtype` must be one of float32.*'int4'"):
        load_exported(folder, dtype="int4")
    loaded = load_exported(folder)
    with pytest.raises(InputError, match="`texts` must be a sequence of strings"):
        loaded.predict("good")
    with pytest.raises(InputError, match="`text_pairs` must not be given: .* single texts"):
        loaded.predict(["good"], ["bad"])
    with pytest.raises(InputError, match="a text must be a str. Received: None at index 1"):
        loaded.predict(["good", None])
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(InputError, match="settings.json must say format="):
        load_exported(tmp_path)
    (tmp_path / "settings.json").write_text('{"format": "power_bert_tf onnx"}')
    with pytest.raises(InputError, match="with tokenizer.json, model.onnx. Received"):
        load_exported(tmp_path)
