import json
import os

import keras
import pytest
from training import toy

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import load_classifier
from power_bert_tf.runs.folder import LAYOUT
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training.training_data import TrainingResult

IDENTITY = {
    "task": {
        "name": "toy",
        "labels": ("bad", "good"),
        "sequence_length": toy.LENGTH,
        "truncation": "longest_first",
    },
    "epochs": {"search": 3},
    "lowercase": True,
    "seed": 0,
}
STEPS = ["fine-tune", "search", "re-train"]
DETAILS = {"versions": {"keras": "3"}, "steps": STEPS, "held_out": True}
DEV, TEST, OTHER = toy.examples(6, seed=2), toy.examples(9, seed=4), toy.questions(4, seed=3)
TRAIN = toy.examples(400, seed=6)
SETS = {"dev": DEV, "test": TEST, "other": OTHER}


def begin(path, **changes):
    settings = {"identity": {**IDENTITY, **changes}, **DETAILS}
    return RunFolder.begin(path, settings, toy.preprocessor().tokenizer, SETS, TRAIN)


def snapshot(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_begins_new_and_in_an_empty_folder(tmp_path):
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    for name in ("deep/new", "empty"):
        run = begin(tmp_path / name)
        settings = json.loads((tmp_path / name / "settings.json").read_text())
        expected = {"layout": LAYOUT, "sets": list(SETS), "identity": IDENTITY, **DETAILS}
        assert settings == json.loads(json.dumps(expected))
        assert run.settings() == settings
        assert (tmp_path / name / "vocab.txt").read_text().split() == list(toy.VOCABULARY)
        assert run.preprocessor().sequence_length == toy.LENGTH
        assert run.preprocessor().tokenizer.vocabulary == toy.VOCABULARY
        assert run.dev().fingerprint() == DEV.fingerprint()
        assert run.test().fingerprint() == TEST.fingerprint()
        assert run.calibration().fingerprint() == TRAIN.take(300, 0).fingerprint()
        assert {name: each.fingerprint() for name, each in run.further().items()} == {
            "other": OTHER.fingerprint()
        }


def test_what_is_looked_at_must_be_the_same(tmp_path):
    run, other = begin(tmp_path / "run"), {**IDENTITY, "seed": 1, "lowercase": False}
    run.check_identity(IDENTITY)
    run.check_identity(other, ("task.name", "task.labels", "absent"))
    with pytest.raises(InputError, match="`seed` was 0. Received: 1"):
        run.check_identity(other, ("task.name", "seed"))


def test_the_same_run_goes_on(tmp_path):
    begin(tmp_path / "run")
    before = snapshot(tmp_path)
    begin(tmp_path / "run")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"seed": 1}, "seed"),
        ({"epochs": {"search": 4}}, "epochs.search"),
        ({"task": {**IDENTITY["task"], "labels": ("bad", "fine")}}, "task.labels"),
        ({"retention": "4,3"}, "retention"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, changes, name):
    begin(tmp_path / "run")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=f"other settings: `{name}` was .* Received: "):
        begin(tmp_path / "run", **changes)
    assert snapshot(tmp_path) == before


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="which holds other files"):
        begin(tmp_path)
    with pytest.raises(InputError, match="must be a folder. Received: the file"):
        begin(tmp_path / "thesis.txt")
    with pytest.raises(InputError, match="cannot write"):
        begin(tmp_path / "thesis.txt" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_half_begun_folder_is_taken_up(tmp_path, monkeypatch, write):
    """Killed as its first or second file was to appear."""
    real, calls = os.replace, []

    def dies(aside, path):
        calls.append(path)
        if len(calls) == write:
            raise Killed
        real(aside, path)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Killed):
        begin(tmp_path / "run")
    monkeypatch.undo()
    # What a killed process leaves aside does not count.
    (tmp_path / "run" / ".settings-abc.json").write_text("{")
    assert begin(tmp_path / "run").preprocessor().tokenizer.vocabulary == toy.VOCABULARY


def test_opens_runs_only(tmp_path):
    begin(tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").settings()["identity"]["seed"] == 0
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="must be a folder that `power-bert fit` made"):
            RunFolder.open(path)


def test_damaged_settings(tmp_path):
    run = begin(tmp_path / "run")
    run.settings_path.write_text('{"identity": ')
    with pytest.raises(InputError, match="settings.json must be a readable JSON file"):
        RunFolder.open(tmp_path / "run").settings()


def result():
    return TrainingResult(
        toy.classifier(seed=0, reduction=Extraction("9,4")), [{"loss": 1.0}], 1, 0.5
    )


def test_a_step_is_finished_with_its_last_file(tmp_path, monkeypatch):
    step = begin(tmp_path / "run").step("re-train")
    step.backup.mkdir(parents=True)
    real = os.replace

    def dies(aside, path):
        if path.name == "metrics.json":
            raise Killed
        real(aside, path)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Killed):
        step.finish(result(), 2.0)
    assert not step.finished and step.backup.exists()
    with pytest.raises(InputError, match="the step re-train is not done"):
        RunFolder.open(tmp_path / "run").finished_step()
    monkeypatch.undo()
    step.finish(result(), 2.0, {"retention": "9,4"})
    assert step.finished and not step.backup.exists()
    assert step.metrics() == {
        "score": 0.5,
        "epochs": 1,
        "best_epoch": 1,
        "seconds": 2.0,
        "findings": {"retention": "9,4"},
    }
    assert json.loads((step.path / "history.json").read_text()) == [{"loss": 1.0}]
    model = RunFolder.open(tmp_path / "run").finished_step().load_model()
    assert str(model.reduction.retention) == "9,4"
    ours, theirs = toy.weights(result().model), toy.weights(model)
    assert all((ours[path] == theirs[path]).all() for path in ours)
    assert not model.compiled


@pytest.mark.parametrize("name", ["model.keras", "history.json"])
def test_a_step_is_not_finished_before_each_other_file(tmp_path, monkeypatch, name):
    step, real = begin(tmp_path / "run").step("re-train"), os.replace

    def dies(aside, path):
        if path.name == name:
            raise Killed
        real(aside, path)

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(Killed):
        step.finish(result(), 2.0)
    assert not step.finished


@pytest.mark.parametrize("linked", [True, False])
def test_a_finished_step_is_taken_over_whole(tmp_path, monkeypatch, linked):
    theirs, ours = (begin(tmp_path / name).step("fine-tune") for name in ("theirs", "ours"))
    theirs.finish(result(), 2.0)
    theirs.backup.mkdir()

    def cannot(source, target):
        raise OSError

    if not linked:
        monkeypatch.setattr(os, "link", cannot)
    ours.adopt(theirs)
    assert ours.finished and ours.metrics() == theirs.metrics()
    assert {path.name for path in ours.path.iterdir()} == {
        "model.keras",
        "history.json",
        "metrics.json",
    }
    for path in ours.path.iterdir():
        other = theirs.path / path.name
        assert path.read_bytes() == other.read_bytes()
        assert path.samefile(other) == linked
    # Replacing a file of one run leaves the other as it is.
    ours.finish(result(), 3.0)
    assert theirs.metrics()["seconds"] == 2.0


def test_models_that_cannot_be_loaded(tmp_path):
    with pytest.raises(InputError, match="there is no model at"):
        load_classifier(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match="cannot be read"):
        load_classifier(tmp_path / "model.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="must hold a `BertClassifier` of this package"):
        load_classifier(tmp_path / "other.keras")


@pytest.mark.parametrize("name", ["other", ""])
def test_steps_that_are_none_of_the_runs(tmp_path, name):
    run = begin(tmp_path / "run")
    assert run.steps == tuple(STEPS)
    with pytest.raises(InputError, match="must be one of fine-tune, search, re-train. Received"):
        run.finished_step(name)


@pytest.mark.parametrize("layout", [None, 1, LAYOUT + 1])
def test_another_layout_is_refused(tmp_path, layout):
    run = begin(tmp_path / "run")
    run.settings_path.write_text(json.dumps({**run.settings(), "layout": layout}))
    with pytest.raises(InputError, match=f"of layout {LAYOUT}: .*Received: layout {layout}"):
        RunFolder.open(tmp_path / "run")
    with pytest.raises(InputError, match=f"Received: layout {layout}"):
        begin(tmp_path / "run")
