"""`fit --seeds`, end to end on the toy task."""

import json

import pytest
from training import toy

from commands.conftest import SINGLE
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.runs.folder import RunFolder

pytestmark = pytest.mark.slow

OPTIONS = {
    **SINGLE,
    "retention": "9,4",
    "fine-tuning-epochs": 2,
    "retraining-epochs": 1,
    "train-examples": 64,
    "seeds": 2,
}


def test_a_run_for_each_seed_over_the_same_examples(materials, tmp_path, capsys):
    output = tmp_path / "seeds"
    arguments = materials.fit(output, OPTIONS)
    with toy.eagerly(), without_timing():
        assert main(arguments) == 0
        printed = capsys.readouterr().out
        before = snapshot(output)
        assert main(arguments) == 0
    trained = [name for name in before if name.endswith(".keras")]
    assert {name: snapshot(output)[name] for name in trained} == {
        name: before[name] for name in trained
    }
    runs = [RunFolder.open(output / f"seed-{seed}") for seed in (3, 4)]
    first, second = (run.settings()["identity"] for run in runs)
    assert (first["seed"], second["seed"]) == (3, 4)
    assert first["train"] == second["train"] and first["dev"] == second["dev"]
    weights = [toy.weights(run.finished_step().load_model()) for run in runs]
    assert any((weights[0][name] != weights[1][name]).any() for name in weights[0])
    result = json.loads((output / "seeds.json").read_text())
    scores = [json.loads((run.path / "report.json").read_text())["score"] for run in runs]
    assert [row["drop"] for row in result["seeds"]] == [each["drop_points"] for each in scores]
    assert "standard deviation" in printed and (output / "seeds.md").exists()
    # What is handed back is the better one by dev.
    best = RunFolder.open(output).finished_step().metrics()["score"]
    assert best == max(run.finished_step().metrics()["score"] for run in runs)
    assert main(["predict", str(output), "a good film"]) == 0


def test_a_folder_of_something_else_is_left_alone(finished_run, materials, capsys):
    before = snapshot(finished_run.path)
    assert main(materials.fit(finished_run.path, OPTIONS)) == 2
    assert "`output` must be new, empty or the folder of the same seeds" in capsys.readouterr().err
    assert snapshot(finished_run.path) == before
