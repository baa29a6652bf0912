"""`power-bert fit` from checkpoints that are fine-tuned already, and export for others to load."""

import dataclasses
import json
import shutil

import pytest
from training import toy

from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.commands.fit import Fit
from power_bert_tf.data import user_task
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training.steps import StepData
from power_bert_tf.training.steps import take_fine_tuned

# From the search on, and no search: what comes before is what these tests are about.
REST = {"sequence-length": 12, "batch-size": 16, "retention": "9,4", "epochs": 1}


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    """The fine-tuned BERT of a run, in Hugging Face's layout."""
    folder = tmp_path_factory.mktemp("exported") / "bert"
    arguments = ["export", str(finished_run.path), str(folder)]
    assert main([*arguments, "--format", "huggingface", "--step", "fine-tune"]) == 0
    return folder


def skipping(checkpoint, **changes):
    return {"checkpoint": checkpoint, "skip_fine_tuning": True, **changes}


def test_fine_tuning_is_skipped(finished_run, exported, materials, tmp_path, capsys):
    arguments = materials.fit(tmp_path / "run", REST, **skipping(exported))
    with toy.eagerly(), without_timing():
        assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "[1/3 fine-tune, as the checkpoint is]\naccuracy on dev: " in printed
    run = RunFolder.open(tmp_path / "run")
    before = finished_run.json("fine-tune/metrics.json")["score"]
    assert run.step("fine-tune").metrics()["score"] == before >= 0.9
    assert json.loads((run.path / "fine-tune" / "history.json").read_text()) == []
    report = json.loads((run.path / "report.json").read_text())
    assert report["score"]["bert"] == before
    assert run.step("re-train").load_model().label_names == toy.LABELS
    # And all of it is done before.
    state = snapshot(run.path)
    assert main(arguments) == 0
    assert snapshot(run.path) == state


@pytest.mark.parametrize("path", ["", "re-train/model.keras"])
def test_a_run_is_a_checkpoint(finished_run, path):
    checkpoint = open_checkpoint(finished_run.path / path)
    assert checkpoint.vocabulary == finished_run.path / "vocab.txt"
    assert checkpoint.lowercase is True
    fit = Fit(str(finished_run.path / path), finished_run.path, skip_fine_tuning=True)
    dev = toy.examples(32, seed=2)
    task = user_task("toy", dev, 12)
    data = StepData(dev, dev, RunFolder.open(finished_run.path).preprocessor(), "accuracy", 16)
    score = take_fine_tuned(fit._starting_model(checkpoint, task), data).score
    if not path:
        assert score == finished_run.json("fine-tune/metrics.json")["score"]
    assert score >= 0.8


def test_what_skipping_needs(exported, materials, tmp_path, capsys):
    renamed = shutil.copytree(exported, tmp_path / "renamed")
    config = json.loads((renamed / "config.json").read_text())
    config["id2label"] = {"0": "cat", "1": "dog"}
    (renamed / "config.json").write_text(json.dumps(config))
    for changes, expected in (
        (skipping(materials.checkpoint), "which has none"),
        (skipping(renamed), r"classes ['negative', 'positive']. Received: ['cat', 'dog']"),
        (skipping(exported, regression=True, train=None, task="stsb"), "for regression, 1 outputs"),
        (skipping(exported, fine_tuning_epochs=1), "`skip_fine_tuning` leaves nothing for"),
    ):
        fit = Fit(output=tmp_path / "run", **changes)
        task = user_task("toy", toy.examples(8, regression="task" in changes), 12)
        with pytest.raises(InputError) as caught:
            fit.check()
            fit._starting_model(open_checkpoint(fit.checkpoint), task)
        assert expected in str(caught.value)
    arguments = materials.fit(tmp_path / "run", REST, **skipping(renamed))
    assert main(arguments) == 2
    assert "['cat', 'dog']" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_head_for_another_task_is_left_out_with_a_line(exported, tmp_path, capsys):
    fit = Fit(str(exported), tmp_path / "run")
    task = user_task("toy", toy.examples(8), 12)
    same = fit._starting_model(open_checkpoint(exported), task)
    assert capsys.readouterr().out == ""
    three = dataclasses.replace(task, labels=("a", "b", "c"))
    model = fit._starting_model(open_checkpoint(exported), three)
    assert model.num_classes == 3 and model.label_names == ("a", "b", "c")
    note = capsys.readouterr().out
    assert note.startswith("Note: the checkpoint's head is left out, a new one is trained: ")
    assert note.count("\n") == 1 and "2 outputs" in note
    weights = [each.get_layer("embeddings").get_weights()[0] for each in (same, model)]
    assert (weights[0] == weights[1]).all()


def test_a_power_bert_for_transformers(finished_run, tmp_path, capsys):
    folder = tmp_path / "power"
    arguments = ["export", str(finished_run.path), str(folder), "--format", "huggingface"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Checkpoint: {folder}\n")
    assert "Note: transformers does not know elimination" in printed
    retention = RunFolder.open(finished_run.path).retention()
    assert open_checkpoint(folder).reduction.retention == retention
    assert main([*arguments[:2], str(tmp_path / "other"), "--format", "onnx"]) == 2
    assert "`format` must be one of savedmodel, huggingface" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
