"""SavedModels, loaded by a process that knows TensorFlow alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from training import toy

from power_bert_tf.deploy.saved_model import export_saved_model
from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction

LENGTH = 16
TEXTS = ["The film was GOOD", "bad", "so good it was a plot and a film and so it was", "ünknown"]
PAIRS = ["we saw it", "a bad film, and so bad a plot that we saw it all", "good", "a"]
MODELS = {
    "single": {"reduction": Extraction("9,4")},
    "pairs": {"reduction": Extraction("9,4 of 16"), "label_names": ()},
    "regression": {"head": "regression"},
    "choice": {"head": "multiple_choice", "reduction": Extraction("9,4")},
}
WITH_PAIRS = ("pairs", "choice")
# What a service would do: two imports, and the default signature.
CLIENT = """
import json, sys
import tensorflow as tf
import tensorflow_text

answers = {}
for name, inputs in json.loads(sys.argv[1]).items():
    signature = tf.saved_model.load(sys.argv[2] + "/" + name).signatures["serving_default"]
    outputs = signature(**{key: tf.constant(value) for key, value in inputs.items()})
    answers[name] = {key: value.numpy().tolist() for key, value in outputs.items()}
assert not [name for name in sys.modules if name.startswith("power_bert")]
with open(sys.argv[2] + "/answers.json", "w") as file:
    json.dump(answers, file, default=bytes.decode)
"""


def inputs(name):
    return {"text": TEXTS, **({"text_pair": PAIRS} if name in WITH_PAIRS else {})}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What each model answers, in Keras and in the other process."""
    folder = tmp_path_factory.mktemp("served")
    keras_answers = {}
    for name, arguments in MODELS.items():
        model = toy.classifier(LENGTH, seed=3, **arguments)
        truncation = "only_first" if name == "choice" else "longest_first"
        preprocessor = toy.preprocessor(LENGTH, truncation)
        export_saved_model(model, preprocessor, folder / name, pairs=name in WITH_PAIRS)
        keras_answers[name] = np.asarray(model(preprocessor(*inputs(name).values())))
    subprocess.run(
        [sys.executable, "-c", CLIENT, json.dumps({name: inputs(name) for name in MODELS}), folder],
        check=True,
        cwd=folder,
    )
    return keras_answers, json.loads((folder / "answers.json").read_text())


@pytest.mark.parametrize("name", ["single", "pairs"])
@pytest.mark.slow
def test_probabilities_are_those_of_keras(served, name):
    expected, answers = served[0][name], served[1][name]
    assert set(answers) == {"probabilities", "label", "label_names"}
    assert np.ptp(expected[:, 0]) > 0.01
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["single", "pairs"])
@pytest.mark.slow
def test_labels_have_names(served, name):
    expected, answers = served[0][name], served[1][name]
    names = ["0", "1"] if name == "pairs" else list(toy.LABELS)
    assert answers["label_names"] == names
    assert answers["label"] == [names[index] for index in expected.argmax(axis=1)]


@pytest.mark.parametrize("name", ["regression", "choice"])
@pytest.mark.slow
def test_regression_and_options_give_a_score(served, name):
    expected, answers = served[0][name], served[1][name]
    assert set(answers) == {"score"}
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(answers["score"], expected[:, 0], atol=1e-5)


def test_a_folder_that_holds_something_is_refused(tmp_path):
    model, preprocessor = toy.classifier(), toy.preprocessor()
    (tmp_path / "thesis.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(InputError, match="must be new or empty"):
            export_saved_model(model, preprocessor, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_lengths_must_agree(tmp_path):
    with pytest.raises(InputError, match="sequence length 12. Received: 16"):
        export_saved_model(toy.classifier(), toy.preprocessor(LENGTH), tmp_path / "served")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_tensors_of_other_ranks_are_refused_by_the_graph(tmp_path):
    model, preprocessor = toy.classifier(LENGTH, reduction=Extraction("9,4")), toy.preprocessor(16)
    export_saved_model(model, preprocessor, tmp_path / "served")
    signatures = tf.saved_model.load(str(tmp_path / "served")).signatures
    for text in ("good", [["good"]]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible with expected"):
            signatures["serving_default"](text=tf.constant(text))
    tokens = {name: tf.constant([4, 5, 6]) for name in model.input}
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible with expected"):
        signatures["tokens"](**tokens)
    assert signatures["serving_default"](text=tf.constant(["good"]))["label"].shape == (1,)
