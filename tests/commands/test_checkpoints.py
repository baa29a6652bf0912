"""`power-bert fit` from checkpoints that are fine-tuned already, and export for others to load."""

import dataclasses
import json
import shutil

import pytest
from training import toy

from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.errors import InputError
from power_bert_tf.methods.method import TakeFineTuned
from power_bert_tf.methods.method import Work
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs.fit import job_in_memory
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training.training_data import TrainingData

# From the search on, and no search: what comes before is what these tests are about.
REST = {"sequence-length": 12, "batch-size": 16, "retention": "9,4", "epochs": 1}


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    """The fine-tuned BERT of a run, in Hugging Face's layout."""
    folder = tmp_path_factory.mktemp("exported") / "bert"
    arguments = ["export", str(finished_run.path), str(folder)]
    assert main([*arguments, "--format", "huggingface", "--step", "fine-tune"]) == 0
    return folder


def job(checkpoint, examples, **options):
    """A run on the same examples for training and measuring, that is not begun."""
    options = {"sequence_length": 12, "epochs": 1, **options}
    return job_in_memory(
        examples, examples, None, checkpoint, "nowhere", "power-bert", None, options
    )


def skipping(checkpoint, **changes):
    return {"checkpoint": checkpoint, "skip_fine_tuning": True, **changes}


@pytest.mark.slow
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
    assert report["models"]["fine-tune"]["score"] == before
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
    dev = toy.examples(32, seed=2)
    data = TrainingData(dev, dev, RunFolder.open(finished_run.path).preprocessor(), "accuracy", 16)
    model = job(finished_run.path / path, dev, skip_fine_tuning=True)._starting_model()
    work = Work(lambda: model, None, data, None, None)
    score = TakeFineTuned().run(work)[0].score
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
        (skipping(exported, regression=True), "for regression, 1 outputs"),
        (skipping(exported, fine_tuning_epochs=1), "`skip_fine_tuning` leaves nothing for"),
    ):
        examples = toy.examples(8, regression=changes.pop("regression", False))
        with pytest.raises(InputError) as caught:
            job(changes.pop("checkpoint"), examples, **changes).run()
        assert expected in str(caught.value)
    arguments = materials.fit(tmp_path / "run", REST, **skipping(renamed))
    assert main(arguments) == 2
    assert "['cat', 'dog']" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_head_for_another_task_is_left_out_with_a_line(exported, tmp_path, capsys):
    made = job(exported, toy.examples(8))
    capsys.readouterr()  # What is said of its examples.
    same = made._starting_model()
    assert capsys.readouterr().out == ""
    task = dataclasses.replace(made.data.task, labels=("a", "b", "c"))
    data = dataclasses.replace(made.data, task=task)
    model = dataclasses.replace(made, data=data)._starting_model()
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
    found = finished_run.json("search/metrics.json")["findings"]["retention"]
    assert str(open_checkpoint(folder).reduction.retention) == found
    assert main([*arguments[:2], str(tmp_path / "other"), "--format", "pdf"]) == 2
    assert "`format` must be one of saved_model, huggingface" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
