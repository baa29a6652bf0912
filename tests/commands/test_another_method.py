"""The proof of the seam: a method of a few lines in tests/every_second, and no change elsewhere."""

import json
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from training import toy

import power_bert_tf as pb
from commands.conftest import run_to_the_end
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf import methods
from power_bert_tf.cli import main

pytestmark = pytest.mark.slow

OPTIONS = {
    "method": "every-second",
    "sequence-length": 12,
    "batch-size": 16,
    "learning-rate": 2e-2,
    "epochs": 5,
    "adapting-epochs": 3,
    "seed": 3,
}
TEXTS = ["the film was so good", "bad"]


@pytest.fixture(scope="module", autouse=True)
def registered():
    """One line in the registry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(methods.METHODS, "every-second", "every_second")
        yield


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def run(materials, tmp_path_factory, registered):
    """A run that was killed in its second step, and went on."""
    path, real = tmp_path_factory.mktemp("every_second") / "run", os.replace
    arguments = materials.fit(path, OPTIONS)

    def dies(aside, target):
        if pathlib.Path(target) == path / "adapt" / "progress" / "epoch-0002":
            raise Killed
        real(aside, target)

    with toy.eagerly(), without_timing(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with pytest.raises(Killed):
            main(arguments)
        patch.setattr(os, "replace", real)
        assert (path / "fine-tune" / "metrics.json").exists()
        return run_to_the_end(path, arguments)


def test_both_steps_are_done_once_and_in_order(run):
    printed = run.printed
    assert "[1/3 fine-tune] done before" in printed and "[3/3 adapt]\n" in printed
    # The control is of every method: BERT, for as long as the method's own steps.
    assert len(run.json("adapt/history.json")) == len(run.json("control/history.json")) == 3
    opened = pb.open_run(run.path)
    assert opened.folder.steps == ("fine-tune", "control", "adapt")
    assert opened.options.adapting_epochs == 3
    state = snapshot(run.path)
    assert main(run.arguments) == 0
    assert snapshot(run.path) == state


def test_the_report_asks_the_method(run):
    report = run.json("report.json")
    assert (report["method"], report["title"]) == ("every-second", "Every second")
    assert report["seconds_training"].keys() == {"fine-tune", "control", "adapt"}
    assert report["score"]["reduced"] == run.json("adapt/metrics.json")["score"]
    assert report["word_vectors"]["padded"] == {"bert": 24, "reduced": 12}
    speedup = report["operations"]["speedup"]
    assert 1.9 < speedup["padded_over_padded"] < 2.6
    for name in ("report.md", "report.html"):
        text = (run.path / name).read_text()
        assert "Every second" in text and "PoWER-BERT" not in text


def test_it_answers_evaluates_and_traces(run, capsys):
    opened = pb.open_run(run.path)
    expected = np.asarray(opened.model()(opened.preprocessor(TEXTS)))
    answers = opened.predict(TEXTS)
    for answer, row in zip(answers, expected, strict=True):
        assert list(answer["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-5)
    assert opened.evaluate() == pytest.approx(run.json("report.json")["score"]["reduced"])
    (traced, _) = opened.trace(TEXTS)
    assert traced.kept == [{0, 2, 4, 6}] * 2
    assert traced.lines() == ["encoder  1: [CLS] ~~the~~ film ~~was~~ so ~~good~~ [SEP]"]


def test_it_is_exported(run, tmp_path):
    assert main(["export", str(run.path), str(tmp_path / "served")]) == 0
    signature = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    opened = pb.open_run(run.path)
    expected = opened.model()(opened.preprocessor(TEXTS))
    answers = signature(text=tf.constant(TEXTS))["probabilities"]
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    pb.open_run(run.path).export(tmp_path / "hub", format="huggingface")
    checkpoint = pb.open_checkpoint(tmp_path / "hub")
    again = pb.BertClassifier.from_checkpoint(
        checkpoint, sequence_length=12, reduction=checkpoint.reduction
    )
    np.testing.assert_allclose(again(opened.preprocessor(TEXTS)), expected, atol=1e-5)


def test_its_model_is_a_keras_file(run):
    model = keras.models.load_model(run.path / "adapt" / "model.keras")
    inputs = pb.open_run(run.path).preprocessor(TEXTS)
    np.testing.assert_array_equal(model(inputs), pb.open_run(run.path).model()(inputs))


def test_what_it_does_not_know_is_refused_in_one_line(run, materials, tmp_path, capsys):
    assert main(["evaluate", str(run.path), "--configuration", "9,4"]) == 2
    assert "every-second takes no configuration. Received: '9,4'" in capsys.readouterr().err
    assert main(["trade-off", str(run.path), "--output", str(tmp_path / "out")]) == 2
    assert "every-second has no strength" in capsys.readouterr().err
    tuning = ["tune", *materials.fit(tmp_path / "out", OPTIONS)[1:], "--max-drop", "1"]
    assert main(tuning) == 2
    assert "every-second has no strength" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_words_of_another_method_are_unknown(materials, tmp_path, capsys):
    arguments = [*materials.fit(tmp_path / "run", OPTIONS), "--retention", "9,4"]
    with pytest.raises(SystemExit):
        main(arguments)
    assert "unrecognized arguments: --retention" in capsys.readouterr().err
    assert main(["fit", "--method", "other", "--checkpoint", "x", "--output", "y"]) == 2
    assert "`method` must be one of power-bert" in capsys.readouterr().err


def test_in_python(materials, tmp_path):
    examples = toy.examples(48, seed=1)
    with toy.eagerly(), without_timing():
        made = pb.fit(
            examples,
            checkpoint=materials.checkpoint,
            output=tmp_path / "run",
            method="every-second",
            sequence_length=12,
            epochs=1,
            adapting_epochs=1,
        )
    assert made.report["method"] == "every-second"
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["source"] is None
