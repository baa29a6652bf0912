"""`power-bert benchmark --choose`: times what there is, writes the fastest, others use it."""

import dataclasses
import json
import pathlib
import re
import shutil

import pytest

from power_bert_tf.cli import main
from power_bert_tf.commands import inference_choice
from power_bert_tf.commands.benchmark import Benchmark
from power_bert_tf.commands.inference_choice import bucket_sets
from power_bert_tf.commands.predict import Predict
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import mode_name
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
    report = json.loads((run / "report.json").read_text())
    assert by_name["tensorflow float32"]["score"] == report["score"]["power_bert"]
    printed, told = capsys.readouterr()
    # What is at work meanwhile: compiling takes minutes.
    names = [mode_name(mode) for mode in MODES] + list(bucket_sets(12))
    assert re.findall(r"^  (.*): compiling", told, re.MULTILINE) == names
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
    assert "`choose` goes with `run`. Received: run=None" in capsys.readouterr().err


CHOOSE = ["benchmark", "--run", "there", "--choose"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("there", 128, 100, 0.1, None)),
        (
            ["--batch-size", "8", "--runs", "3", "--most-drop", "0.0", "--output", "out"],
            ("there", 8, 3, 0.0, "out"),
        ),
    ],
)
def test_choose_is_given_its_options(monkeypatch, options, expected):
    calls = []
    monkeypatch.setattr(inference_choice, "choose", lambda *given: calls.append(given))
    assert main([*CHOOSE, *options]) == 0
    run, *numbers, output = expected
    assert calls == [(pathlib.Path(run), *numbers, output and pathlib.Path(output))]


# Everything that `choose` does not read, as given on the command line.
IGNORED = {
    "retention": ["20,5"],
    "sequence_length": ["--sequence-length", "24"],
    "lengths": ["--lengths", "lengths.txt"],
    "task": ["--task", "sst2"],
    "vocabulary": ["--vocabulary", "vocab.txt"],
    "tfds_dir": ["--tfds-dir", "tfds"],
    "texts": ["--texts", "16"],
    "batch_overhead": ["--batch-overhead", "8"],
    "runtime": ["--runtime", "tensorflow"],
    "dtype": ["--dtype", "bfloat16"],
    "xla": ["--xla"],
    "picture": ["--picture", "picture.png"],
}


def test_no_option_is_forgotten():
    read = {"run", "choose", "batch_size", "runs", "most_drop", "output"}
    # Not together with `run` in any case.
    apart = {"size", "model"}
    assert {field.name for field in dataclasses.fields(Benchmark)} == {*IGNORED, *read, *apart}


@pytest.mark.parametrize("names", [*([name] for name in IGNORED), list(IGNORED)], ids=", ".join)
def test_what_choose_would_ignore_is_refused(monkeypatch, capsys, names):
    monkeypatch.setattr(inference_choice, "choose", lambda *given: pytest.fail("chosen"))
    given = [argument for name in names for argument in IGNORED[name]]
    assert main(["benchmark", *given, "--run", "there", "--choose", "--batch-size", "8"]) == 2
    assert capsys.readouterr().err == (
        "power-bert: `choose` goes with `run`, `batch_size`, `runs`, `most_drop` and `output` "
        f"alone. Received: {', '.join(names)}\n"
    )


def test_a_new_option_is_refused():
    made = dataclasses.make_dataclass(
        "Made",
        [("depths", list, dataclasses.field(default_factory=list))],
        bases=(Benchmark,),
        frozen=True,
    )
    options = {"run": pathlib.Path("there"), "choose": True}
    made(**options)._check()
    with pytest.raises(InputError, match="`choose` goes with .* Received: depths$"):
        made(**options, depths=[3])._check()


@pytest.mark.parametrize("value", ["-0.1", "nan"])
def test_most_drop_must_be_at_least_0(monkeypatch, capsys, value):
    monkeypatch.setattr(inference_choice, "choose", lambda *given: pytest.fail("chosen"))
    assert main([*CHOOSE, f"--most-drop={value}"]) == 2
    error = capsys.readouterr().err
    assert re.search(rf"`most_drop` must be at least 0. Received: most_drop={value}$", error)
