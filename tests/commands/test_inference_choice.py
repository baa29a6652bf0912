"""`power-bert benchmark --choose`: times what there is, writes the fastest, others use it."""

import json
import shutil

import pytest

from power_bert_tf.cli import main
from power_bert_tf.commands import inference_choice
from power_bert_tf.commands.evaluate import Evaluate
from power_bert_tf.commands.inference_choice import bucket_sets
from power_bert_tf.commands.predict import Predict
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.errors import InputError


@pytest.fixture
def run(finished_run, tmp_path):
    return shutil.copytree(finished_run.path, tmp_path / "run")


def seconds(by_name):
    """Times each candidate as `by_name` says."""
    return lambda work, **rounds: {name: [by_name[name]] for name in work}


TIMES = {
    "tensorflow float32": 3.2,
    "tensorflow bfloat16": 1.6,
    "tensorflow float16": 9.0,
    "tensorflow float32 XLA": 4.0,
    "fine buckets": 2.0,
    "doubling buckets": 1.0,
    "padded to N": 1.5,
}
MODES = [
    {"runtime": "tensorflow", "dtype": dtype, "jit_compile": False}
    for dtype in ("float32", "bfloat16")
]


@pytest.mark.slow
def test_the_fastest_is_written_and_used(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(inference_choice, "usable_modes", lambda: MODES)
    monkeypatch.setattr(inference_choice, "interleaved_seconds", seconds(TIMES))
    output = tmp_path / "figures.json"
    arguments = ["benchmark", "--run", str(run), "--choose", "--output", str(output)]
    assert main([*arguments, "--most-drop", "100"]) == 0
    choice = json.loads((run / "inference.json").read_text())
    assert choice == {**MODES[1], "lengths": [8, 12]}
    figures = json.loads(output.read_text())
    assert figures["choice"] == choice
    by_name = {each["name"]: each for each in figures["candidates"]}
    assert by_name["tensorflow float32"]["ms_a_text"] == pytest.approx(100.0)
    assert by_name["tensorflow float32"]["score"] == pytest.approx(Evaluate(run).execute(), abs=0.1)
    printed = capsys.readouterr().out
    assert "tensorflow bfloat16" in printed.split("<- fastest")[0].splitlines()[-1]
    seen = []
    init = CompiledClassifier.__init__
    monkeypatch.setattr(
        CompiledClassifier,
        "__init__",
        lambda self, *rest, **options: (seen.append(options), init(self, *rest, **options))[1],
    )
    Predict(run, ["so good a film"]).execute()
    assert {name: seen[-1][name] for name in choice} == choice


@pytest.mark.slow
def test_what_costs_too_much_is_not_chosen(run, monkeypatch, capsys):
    scores = iter([0.9, 0.89, 0.9, 0.9, 0.9])
    monkeypatch.setattr(inference_choice, "usable_modes", lambda: MODES)
    monkeypatch.setattr(inference_choice, "interleaved_seconds", seconds(TIMES))
    monkeypatch.setattr(inference_choice, "task_score", lambda *_: next(scores))
    assert main(["benchmark", "--run", str(run), "--choose", "--most-drop", "0.5"]) == 0
    assert json.loads((run / "inference.json").read_text())["dtype"] == "float32"
    assert "costs too much" in capsys.readouterr().out


def test_bucket_sets():
    assert bucket_sets(40) == {
        "fine buckets": (8, 16, 24, 32, 40),
        "doubling buckets": (8, 16, 32, 40),
        "padded to N": (40,),
    }
    assert bucket_sets(8)["doubling buckets"] == (8,)


def test_a_choice_that_is_no_longer_possible_is_named(run):
    (run / "inference.json").write_text('{"runtime": "abacus"}')
    with pytest.raises(InputError, match="`runtime` must be one of .*'abacus'"):
        Predict(run, ["good"]).execute()


def test_choose_goes_with_a_run(capsys):
    assert main(["benchmark", "20,5", "--choose"]) == 2
    assert "`choose` goes with `run`" in capsys.readouterr().err
