"""`power-bert choose`: times what there is, writes the fastest, others use it."""

import dataclasses
import json
import pathlib
import re
import shutil

import pytest

from power_bert_tf.cli import main
from power_bert_tf.commands.benchmark import Benchmark
from power_bert_tf.commands.predict import Predict
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.errors import InputError
from power_bert_tf.runs import choose
from power_bert_tf.runs.choose import forms
from power_bert_tf.runs.folder import RunFolder


@pytest.fixture
def run(finished_run, tmp_path):
    return shutil.copytree(finished_run.path, tmp_path / "run")


def seconds(by_name):
    """Times each candidate as `by_name` says."""
    return lambda work, **rounds: {name: [by_name[name]] for name in work}


def on_one_batch(by_name):
    """Times each way on one batch as `by_name` says, fastest first."""

    def times(model, ways, token_ids, segment_ids, **rounds):
        assert len(token_ids) == len(segment_ids) <= 128
        named = ["bucket" if "lengths" in way else mode_name(way) for way in ways]
        timed = [{**way, "ms_a_text": by_name[name]} for way, name in zip(ways, named, strict=True)]
        return sorted(timed, key=lambda way: way["ms_a_text"])

    return times


TIMES = {
    "tensorflow float32": 3.2,
    "tensorflow bfloat16": 1.6,
    "tensorflow float16": 9.0,
    "tensorflow float32 XLA": 40.0,
    "bucket": 1.0,
    "packed rows": 1.2,
    "fine buckets": 2.0,
    "doubling buckets": 1.0,
    "padded to N": 1.5,
}
XLA = {"runtime": "tensorflow", "dtype": "float32", "jit_compile": True}
MODES = [
    {"runtime": "tensorflow", "dtype": dtype, "jit_compile": False}
    for dtype in ("float32", "bfloat16")
]


@pytest.fixture
def timed(monkeypatch):
    """Times as `TIMES` says, without int8; a function that changes some of them."""

    def given(**others):
        times = {**TIMES, **{name.replace("_", " "): each for name, each in others.items()}}
        monkeypatch.setattr(choose, "usable_modes", lambda: [*MODES, XLA])
        monkeypatch.setattr(choose, "_has_int8", lambda folder: False)
        monkeypatch.setattr(choose, "mode_times", on_one_batch(times))
        monkeypatch.setattr(choose, "interleaved_seconds", seconds(times))

    return given


# The command, and as it was spelt before.
SPELLINGS = {
    "choose": lambda run: ["choose", str(run)],
    "benchmark": lambda run: ["benchmark", "--run", str(run), "--choose"],
}


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_fastest_is_written_and_used(run, tmp_path, monkeypatch, capsys, spelling, timed):
    timed()
    output = tmp_path / "figures.json"
    arguments = [*SPELLINGS[spelling](run), "--output", str(output)]
    assert main([*arguments, "--most-drop", "100"]) == 0
    choice = json.loads((run / "inference.json").read_text())
    assert choice == {**MODES[1], "lengths": [8, 12]}
    figures = json.loads(output.read_text())
    assert figures["choice"] == choice
    assert figures["metric"] == "accuracy"
    # Fastest on one batch first; what is hopeless there is not looked at any further.
    names = [mode_name(mode) for mode in MODES[::-1]]
    assert [each["name"] for each in figures["modes"]] == names
    assert figures["left_out"] == [{"name": "tensorflow float32 XLA", "ms_a_text": 40.0}]
    assert all(each["allowed"] for each in figures["modes"])
    assert [each["name"] for each in figures["forms"]] == list(forms(12, packs=True))
    by_name = {each["name"]: each for each in figures["modes"] + figures["forms"]}
    assert by_name["tensorflow float32"]["ms_a_text"] == pytest.approx(100.0)
    report = json.loads((run / "report.json").read_text())
    assert by_name["tensorflow float32"]["score"] == report["score"]["reduced"]
    printed, told = capsys.readouterr()
    # What is at work meanwhile: compiling takes minutes.
    names += list(forms(12, packs=True))
    assert re.findall(r"^  (.*): compiling", told, re.MULTILINE) == names
    assert "tensorflow bfloat16" in printed.split("<- fastest")[0].splitlines()[-1]
    assert re.search(r"XLA +40.000 +left out after one batch", printed)
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
def test_what_costs_too_much_is_not_chosen(run, monkeypatch, capsys, timed):
    scores = iter([0.89, 0.9, 0.9, 0.9, 0.9, 0.9])
    timed(packed_rows=0.5)
    monkeypatch.setattr(choose, "task_score", lambda *_: next(scores))
    assert main(["choose", str(run), "--most-drop", "0.5"]) == 0
    # Packed rows need nothing said.
    assert json.loads((run / "inference.json").read_text()) == MODES[0]
    assert "costs too much" in capsys.readouterr().out


@pytest.mark.slow
def test_buckets_that_are_hopeless_are_not_compiled(run, capsys, timed):
    timed(bucket=4.0)
    assert main(["choose", str(run), "--most-drop", "100"]) == 0
    assert json.loads((run / "inference.json").read_text()) == MODES[1]
    assert "buckets:" not in capsys.readouterr().err


@pytest.mark.slow
def test_int8_is_tried_and_used(run, monkeypatch, capsys):
    pytest.importorskip("nncf")
    times = {**TIMES, "openvino int8": 0.1, "packed rows": 0.1}
    monkeypatch.setattr(choose, "usable_modes", lambda: MODES)
    monkeypatch.setattr(choose, "mode_times", on_one_batch(times))
    monkeypatch.setattr(choose, "interleaved_seconds", seconds(times))
    assert main(["choose", str(run), "--max-int8-drop", "100"]) == 0
    assert json.loads((run / "inference.json").read_text()) == choose.INT8
    told = capsys.readouterr().err
    assert re.search(r"int8: quantizing re-train with \d+ training examples", told)
    assert re.search(r"int8: accuracy [\d.]+ -> [\d.]+ on \d+ dev examples", told)
    made = (run / "re-train" / "int8" / "model.xml").stat()
    assert main(["predict", str(run), "so good a film", "--max-int8-drop", "100"]) == 0
    assert main(["evaluate", str(run), "--dtype", "int8", "--max-int8-drop", "100"]) == 0
    assert "int8)" in capsys.readouterr().out
    # It is made once.
    assert (run / "re-train" / "int8" / "model.xml").stat() == made
    refused = ["export", str(run), str(run / "served"), "--format", "openvino", "--dtype", "int8"]
    assert main([*refused, "--max-int8-drop=-100"]) == 2
    error = capsys.readouterr().err
    assert re.search(r"int8 must not lose more than -100.0 points: accuracy .* -> ", error)
    assert not (run / "served").exists()


def test_int8_of_a_run_that_keeps_no_texts(run, capsys):
    (run / "calibration.jsonl").unlink()
    assert not choose._has_int8(RunFolder.open(run))
    assert main(["predict", str(run), "good", "--dtype", "int8"]) == 2
    error = capsys.readouterr().err
    assert "int8 needs texts to calibrate on" in error and "calibration.jsonl" in error
    assert not (run / "re-train" / "int8").exists()


def test_forms():
    assert forms(40, packs=False) == {
        "fine buckets": {"lengths": [8, 16, 24, 32, 40]},
        "doubling buckets": {"lengths": [8, 16, 32, 40]},
        "padded to N": {"lengths": [40]},
    }
    assert list(forms(40, packs=True, most=4)) == ["packed rows", "doubling buckets", "padded to N"]
    assert forms(8, packs=True)["doubling buckets"] == {"lengths": [8]}
    assert forms(8, packs=True)["packed rows"] == {}


def test_a_choice_that_is_no_longer_possible_is_named(run):
    (run / "inference.json").write_text('{"runtime": "abacus"}')
    with pytest.raises(InputError, match="`runtime` must be one of .*'abacus'"):
        Predict(run, ["good"]).execute()


def test_choose_goes_with_a_run(capsys):
    assert main(["benchmark", "20,5", "--choose"]) == 2
    assert "`choose` goes with `run`. Received: run=None" in capsys.readouterr().err


RESULT = {
    "metric": "accuracy",
    "left_out": [],
    "modes": [{"name": "here", "score": 0.5, "ms_a_text": 1.0, "allowed": True}],
    "forms": [{"name": "fine", "score": 0.5, "ms_a_text": 2.0}],
    "choice": {},
}
GIVEN = {"--batch-size": 8, "--runs": 3, "--most-drop": 0.0, "--max-int8-drop": 0.2}


@pytest.mark.parametrize(
    ("spelling", "options", "expected"),
    [
        ("choose", {}, [128, 30, 0.1, 0.5]),
        ("benchmark", {}, [128, 30, 0.1, 0.5]),
        ("choose", GIVEN, [8, 3, 0.0, 0.2]),
        ("benchmark", GIVEN, [8, 3, 0.0, 0.2]),
    ],
)
def test_choose_is_given_its_options(
    run, tmp_path, monkeypatch, capsys, spelling, options, expected
):
    calls = []
    monkeypatch.setattr(choose, "choose", lambda *given: (calls.append(given), RESULT)[1])
    given = [str(word) for option in options.items() for word in option]
    assert main([*SPELLINGS[spelling](run), *given]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{choose.table(RESULT)}\nWritten to {run / 'inference.json'}\n"
    assert not list(tmp_path.glob("*.json"))
    output = tmp_path / "figures.json"
    assert main([*SPELLINGS[spelling](run), *given, "--output", str(output)]) == 0
    assert json.loads(output.read_text()) == RESULT
    (folder, *numbers), again = calls
    assert (folder.path, numbers) == (run, expected) and again[1:] == (*numbers,)


def test_the_fastest_that_is_allowed_is_marked():
    modes = [
        {"name": "a", "score": 0.9, "ms_a_text": 3.0, "allowed": True},
        {"name": "b", "score": 0.8, "ms_a_text": 1.0, "allowed": False},
        {"name": "c", "score": 0.9, "ms_a_text": 2.0, "allowed": True},
    ]
    lines = choose.table({**RESULT, "modes": modes}).splitlines()
    assert [line.split(maxsplit=3) for line in lines[1:]] == [
        ["a", "90.00", "3.000"],
        ["b", "80.00", "1.000", "costs too much"],
        ["c", "90.00", "2.000", "<- fastest"],
        ["fine", "50.00", "2.000", "<- fastest"],
    ]


# Everything that `choose` does not read, as given on the command line.
IGNORED = {
    "configuration": ["20,5"],
    "method": ["--method", "power-bert"],
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
    read = {"run", "choose", "batch_size", "runs", "most_drop", "max_int8_drop", "output"}
    # Not together with `run` in any case.
    apart = {"size", "model"}
    assert {field.name for field in dataclasses.fields(Benchmark)} == {*IGNORED, *read, *apart}


@pytest.mark.parametrize("names", [*([name] for name in IGNORED), list(IGNORED)], ids=", ".join)
def test_what_choose_would_ignore_is_refused(monkeypatch, capsys, names):
    monkeypatch.setattr(choose, "choose", lambda *given: pytest.fail("chosen"))
    given = [argument for name in names for argument in IGNORED[name]]
    assert main(["benchmark", *given, "--run", "there", "--choose", "--batch-size", "8"]) == 2
    assert capsys.readouterr().err == (
        "power-bert: `choose` goes with `run`, `batch_size`, `runs`, `most_drop`, `max_int8_drop` "
        f"and `output` alone. Received: {', '.join(names)}\n"
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


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        ("most_drop", "-0.1", 0),
        ("most_drop", "nan", 0),
        ("max_int8_drop", "-1.0", 0),
        ("batch_size", "0", 1),
        ("runs", "0", 1),
    ],
)
def test_options_out_of_range(run, capsys, spelling, option, value, least):
    given = f"--{option.replace('_', '-')}={value}"
    assert main([*SPELLINGS[spelling](run), given]) == 2
    error = capsys.readouterr().err
    assert re.search(rf"`{option}` must be at least {least}. Received: {option}={value}$", error)
    assert not (run / "inference.json").exists()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_no_run_is_refused(tmp_path, capsys, spelling):
    assert main(SPELLINGS[spelling](tmp_path)) == 2
    assert "`run` must be a folder that `power-bert fit` made" in capsys.readouterr().err
