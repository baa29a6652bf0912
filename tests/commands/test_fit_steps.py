"""What each step of a run is given to train, seen where its training begins."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from training import toy

from commands.conftest import HARDER
from commands.conftest import SINGLE
from commands.conftest import harder_arguments
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.data.examples_file import write_examples
from power_bert_tf.methods.power_bert.steps import reachable_retention
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.report import build_report
from power_bert_tf.training.metrics import task_score


class Stopped(BaseException):
    pass


@dataclasses.dataclass(frozen=True)
class Training:
    """What Keras was to do."""

    model: keras.Model
    dataset: object
    options: dict

    def learning_rates(self):
        """That of every training step there is to be, and of the one after."""
        steps = self.options["epochs"] * self.options["steps_per_epoch"]
        rates = []
        for step in range(steps + 1):
            self.model.optimizer.iterations.assign(step)
            rates.append(float(self.model.optimizer.learning_rate))
        return rates

    def spread(self):
        """How many words a batch's longest text has more than its shortest, on average."""
        batches = self.dataset.take(self.options["steps_per_epoch"])
        sizes = [np.asarray(inputs["padding_mask"]).sum(axis=1) for inputs, _ in batches]
        return np.mean([np.ptp(each) for each in sizes])


def first_training(monkeypatch, arguments):
    """The `Training` that a command comes to first; nothing is trained."""
    begun = []

    def fit(model, dataset, **options):
        begun.append(Training(model, dataset, options))
        raise Stopped

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(Stopped):
        main(arguments)
    return begun[0]


@pytest.fixture
def re_training(finished_run, materials, tmp_path, monkeypatch):
    """What a run re-trains whose search is done."""
    path = shutil.copytree(finished_run.path, tmp_path / "run")
    shutil.rmtree(path / "re-train")
    return first_training(monkeypatch, materials.fit(path))


def test_re_training_begins_with_the_model_of_the_search(re_training, finished_run):
    run, begins = RunFolder.open(finished_run.path), toy.weights(re_training.model)
    alike = {}
    for step in ("search", "fine-tune"):
        stored = toy.weights(run.step(step).load_model())
        trained = [each.path for each in re_training.model.trainable_variables]
        alike[step] = all(np.array_equal(begins[path], stored[path]) for path in trained)
    assert alike == {"search": True, "fine-tune": False}
    found = run.step("search").metrics()["findings"]["retention"]
    assert str(re_training.model.reduction.retention) == found


def test_re_training_has_epochs_and_a_schedule_of_its_own(re_training):
    assert len({SINGLE[f"{step}-epochs"] for step in ("fine-tuning", "search", "retraining")}) == 3
    epochs = SINGLE["retraining-epochs"]
    assert (re_training.options["epochs"], re_training.options["initial_epoch"]) == (epochs, 0)
    *rates, after = re_training.learning_rates()
    assert len(rates) == epochs * 6
    # Up in a tenth of the steps, and down to nothing after the last.
    assert rates.index(max(rates)) + 1 == round(0.1 * len(rates))
    assert max(rates) > 0.9 * SINGLE["learning-rate"]
    assert min(rates) > 0 and after == pytest.approx(0, abs=1e-9)


def test_the_search_could_not_go_so_far_at_the_learning_rate_of_berts_weights(finished_run):
    masses = finished_run.json("search/masses.json")
    steps, lowest = masses["steps"][-1], np.min(masses["retention_parameters"])
    assert lowest < reachable_retention(SINGLE["learning-rate"], steps) - 0.1
    assert lowest >= reachable_retention(SINGLE["retention-learning-rate"], steps) - 0.1


@pytest.mark.parametrize("step", ["fine-tune", "control", "search", "re-train"])
def test_every_step_goes_by_xla_and_groups_by_length(
    finished_run, materials, tmp_path, monkeypatch, step
):
    done = {} if step == "fine-tune" else {"fine_tuned": finished_run.path}
    given = {"retention": "9,4"} if step == "re-train" else {}
    options = {**done, **given, "xla": True, "group_by_length": True}
    options["no_control"] = True if step != "control" else None
    training = first_training(monkeypatch, materials.fit(tmp_path / "run", **options))
    reduction = {"search": "SoftExtraction", "re-train": "Extraction"}
    assert type(training.model.reduction).__name__ == reduction.get(step, "NoReduction")
    assert training.model.jit_compile is True
    assert training.spread() < 3


def test_neither_is_done_unasked(re_training):
    assert re_training.model.jit_compile is False
    assert re_training.spread() > 4.5


# Whole runs

STEPS = ("fine-tune", "search", "re-train")


def accuracy(model, examples, run):
    outputs = model.predict(run.preprocessor()(list(examples.texts)), verbose=0)
    return task_score("accuracy", examples.labels, outputs)


def dev_scores(run, step):
    return [logs["dev_accuracy"] for logs in run.json(f"{step}/history.json")]


@pytest.mark.slow
def test_the_harder_run_is_hard(harder_run):
    """What the tests below cannot do without."""
    score = harder_run.json("report.json")["score"]
    assert score["bert"] > score["reduced"] + 0.1
    for step in ("fine-tune", "re-train"):
        scores = dev_scores(harder_run, step)
        assert scores.index(max(scores)) + 1 < len(scores) and scores[-1] < max(scores) - 0.05
    assert len({HARDER[f"{step}-epochs"] for step in ("fine-tuning", "search", "retraining")}) == 3


@pytest.mark.slow
def test_every_step_has_its_epochs_and_hands_back_the_best_or_the_last(harder_run):
    run, dev = RunFolder.open(harder_run.path), toy.examples(32, seed=2)
    for step, name in zip(STEPS, ("fine-tuning", "search", "retraining"), strict=True):
        scores, metrics = dev_scores(harder_run, step), run.step(step).metrics()
        assert len(scores) == HARDER[f"{name}-epochs"]
        best = len(scores) if step == "search" else scores.index(max(scores)) + 1
        assert (metrics["best_epoch"], metrics["score"]) == (best, scores[best - 1])
        assert metrics["epochs"] == len(scores)
        model = run.finished_step(step).load_model()
        assert accuracy(model, dev, run) == metrics["score"]


@pytest.mark.slow
def test_the_control_is_the_fine_tuned_bert_trained_as_long_as_the_other_steps(
    harder_run, finished_run, materials, tmp_path, monkeypatch
):
    epochs = HARDER["search-epochs"] + HARDER["retraining-epochs"]
    scores = dev_scores(harder_run, "control")
    assert len(scores) == epochs
    metrics = RunFolder.open(harder_run.path).step("control").metrics()
    assert metrics["score"] == max(scores) and metrics["best_epoch"] < epochs
    path = shutil.copytree(harder_run.path, tmp_path / "run")
    shutil.rmtree(path / "control")
    training = first_training(monkeypatch, harder_arguments(materials, finished_run, path))
    assert training.options["epochs"] == epochs
    *rates, after = training.learning_rates()
    assert max(rates) == pytest.approx(HARDER["learning-rate"], rel=0.15)
    assert after == pytest.approx(0, abs=1e-9)
    fine_tuned = toy.weights(RunFolder.open(path).step("fine-tune").load_model())
    begins = toy.weights(training.model)
    for each in training.model.trainable_variables:
        assert np.array_equal(begins[each.path], fine_tuned[each.path])


@pytest.mark.slow
def test_what_no_longer_gets_better_ends(finished_run, materials, tmp_path):
    """The steps that keep their best epoch, not the search; and without the control if so asked."""
    path = tmp_path / "run"
    arguments = materials.fit(
        path,
        {**HARDER, "patience": 1, "no-control": True},
        checkpoint=finished_run.path,
        train=materials.opposite,
    )
    with toy.eagerly(), without_timing():
        assert main(arguments) == 0
    run = RunFolder.open(path)
    assert run.steps == STEPS
    for step in ("fine-tune", "re-train"):
        metrics = run.step(step).metrics()
        assert metrics["epochs"] == metrics["best_epoch"] + 1
    assert run.step("fine-tune").metrics()["epochs"] < HARDER["fine-tuning-epochs"]
    assert run.step("search").metrics()["epochs"] == HARDER["search-epochs"]


@pytest.mark.slow
def test_the_report_is_of_both_dev_sets(harder_run, tmp_path):
    """The second by its own figures, of the models that are on the disk."""
    path, other = shutil.copytree(harder_run.path, tmp_path / "run"), toy.examples(24, seed=9)
    settings = {**harder_run.json("settings.json"), "sets": ["dev", "other"]}
    (path / "settings.json").write_text(json.dumps(settings))
    write_examples(path / "other.jsonl", other)
    run = RunFolder.open(path)
    report = build_report(run, timed=False)
    bert = max(("fine-tune", "control"), key=lambda step: run.step(step).metrics()["score"])
    assert report["bert"] == bert
    ways = {"bert": bert, "reduced": "re-train"}
    own = {way: run.step(step).metrics()["score"] for way, step in ways.items()}
    measured = {
        way: accuracy(run.step(step).load_model(), other, run) for way, step in ways.items()
    }
    assert measured["bert"] > measured["reduced"] != own["reduced"]
    for score, expected in (
        (harder_run.json("report.json")["score"], own),
        (report["score"], own),
        (report["further"]["other"]["score"], measured),
    ):
        drop = 100 * (expected["bert"] - expected["reduced"])
        expected = {**expected, "drop_points": pytest.approx(drop)}
        assert {name: score[name] for name in expected} == expected


@pytest.mark.slow
def test_re_training_that_was_killed_in_its_first_epoch_begins_alike(
    harder_run, finished_run, materials, tmp_path
):
    """Whatever was random before it, in the same process or in another."""
    path = shutil.copytree(harder_run.path, tmp_path / "run")
    for name in ("report.json", "report.md", "report.html"):
        (path / name).unlink()
    shutil.rmtree(path / "re-train")
    with toy.eagerly(), without_timing():
        assert main(harder_arguments(materials, finished_run, path)) == 0
    again = dataclasses.replace(harder_run, path=path)
    assert again.json("re-train/history.json") == harder_run.json("re-train/history.json")
    ours, theirs = (
        toy.weights(RunFolder.open(each.path).finished_step().load_model())
        for each in (again, harder_run)
    )
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours if "seed" not in name)
