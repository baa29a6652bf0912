"""`fit --max-drop` and `--speedup`, end to end on the toy task."""

import json
import os
import pathlib
import runpy

import pytest
from training import toy

import power_bert_tf as pb
from commands.conftest import HARDER
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.data import load_from_file
from power_bert_tf.runs.folder import RunFolder

pytestmark = pytest.mark.slow

# So weak that the second of them eliminates more: in few steps a stronger one goes as far as the
# learning rate lets it.
STRENGTHS = (1e-4, 4e-4)
NAMES = [f"absolute-{strength:g}" for strength in STRENGTHS]
CHANGES = {
    "search": "paper",
    "strength": STRENGTHS[0],
    "fine-tuning-epochs": 3,
    "search-epochs": 3,
    "retraining-epochs": 1,
    "trials": 2,
}
OPTIONS = {**HARDER, **CHANGES}


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def arguments_for(materials, finished_run):
    """The command of a tuning; as in a `harder_run` something is lost in each trial."""

    def arguments(output, **changes):
        start = {"checkpoint": finished_run.path, "train": materials.opposite}
        return materials.fit(output, OPTIONS, **{**start, **changes})

    return arguments


@pytest.fixture(scope="module")
def tuned(arguments_for, tmp_path_factory):
    """A tuning that was killed in its second trial, and went on; and what the second run said."""
    output, real = tmp_path_factory.mktemp("tuning") / "out", os.replace
    arguments = arguments_for(output, max_drop=100)
    second = output / "tried" / NAMES[1]

    def dies(aside, target):
        if pathlib.Path(target) == second / "search" / "metrics.json":
            raise Killed
        real(aside, target)

    with toy.eagerly(), without_timing(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with pytest.raises(Killed):
            main(arguments)
        patch.setattr(os, "replace", real)
        before = snapshot(output / "tried" / NAMES[0])
        assert main(arguments) == 0
        # The report comes only when the best is known.
        assert before.items() <= snapshot(output / "tried" / NAMES[0]).items()
    return output, arguments


def result(output):
    return json.loads((output / "tuning.json").read_text())


def test_every_trial_stands_over_one_fine_tuned_bert(tuned):
    output, _ = tuned
    tried = result(output)["points"]
    assert [trial["name"] for trial in tried] == NAMES
    for trial in tried:
        for step in ("fine-tune", "control"):
            shared = output / "fine-tuned" / step
            for name in ("model.keras", "answers-dev.npy"):
                assert (output / "tried" / trial["name"] / step / name).samefile(shared / name)
    # As long as search and re-training take together.
    assert RunFolder.open(output).step("control").metrics()["epochs"] == 3 + 1
    assert not (output / "fine-tuned" / "search").exists()


def test_the_points_are_those_of_the_runs(tuned):
    output, _ = tuned
    for trial in result(output)["points"]:
        run = RunFolder.open(output / "tried" / trial["name"])
        score = {step: run.step(step).metrics()["score"] for step in ("fine-tune", "search")}
        found = run.step("search").metrics()["findings"]["retention"]
        strength = run.settings()["identity"]["options"]["strength"]
        assert trial["configuration"] == {
            "variant": "absolute",
            "search": "paper",
            "strength": strength,
            "text": found,
        }
        bert = max(score["fine-tune"], run.step("control").metrics()["score"])
        assert (trial["score"]["bert"], trial["score"]["strengthened"]) == (bert, score["search"])
        if "reduced" in trial["score"]:
            again = run.step("re-train").metrics()["score"]
            assert trial["score"]["reduced"] == again
            assert trial["score"]["drop_points"] == pytest.approx(100 * (bert - again))
            low, high = trial["score"]["interval"]
            assert low < trial["score"]["drop_points"] < high


def test_the_fastest_within_the_limit_is_handed_back_as_a_run(tuned, capsys):
    output, _ = tuned
    found = result(output)
    best = next(each for each in found["points"] if each["name"] == found["best"])
    met = [each for each in found["points"] if each["score"].get("drop_points", 101) <= 100]
    slower, faster = sorted(each["speed"] for each in met)
    assert slower < best["speed"] == faster
    run = RunFolder.open(output)
    assert run.path == output / "best"
    report = json.loads((run.path / "report.json").read_text())
    assert report["configuration"] == best["configuration"]
    assert main(["evaluate", str(output)]) == 0
    assert f"{100 * best['score']['reduced']:.2f}" in capsys.readouterr().out


def test_in_the_table_of_results_it_has_the_command_of_the_tuning(tuned):
    output, _ = tuned
    script = pathlib.Path(__file__).parents[2] / "notebooks" / "benchmarks" / "results_table.py"
    report = runpy.run_path(str(script))["read"](output)
    assert report["configuration"]["strength"] in STRENGTHS
    assert "--output runs/out " in report["command"]
    assert "--max-drop 100.0 --trials 2" in report["command"]


def test_the_same_command_repeats_nothing_and_says_the_cost_first(tuned, capsys):
    output, arguments = tuned
    before = snapshot(output / "tried")
    assert main(arguments) == 0
    assert snapshot(output / "tried") == before
    printed = capsys.readouterr().out
    assert "At most 2 trials over one fine-tuned BERT." in printed
    assert "3 of fine-tune, 4 of control; in each trial 3 of search, 1 of re-train" in printed
    assert f"[trial 2 of at most 2: {NAMES[1]}]" in printed
    assert "minutes" in printed and "within the limit: the best\n" in printed
    assert f"Report: {output / 'best' / 'report.md'}" in printed


def test_what_loses_more_than_the_limit_is_not_handed_back(tuned, arguments_for, capsys):
    """It was re-trained: what the search lost is no more than three times the limit."""
    output, _ = tuned
    assert main(arguments_for(output, max_drop=12, trials=1)) == 2
    found = result(output)
    assert found["best"] is None
    assert found["target"] == {"MaxDrop": 12.0, "confident": False}
    for trial in found["points"]:
        score = trial["score"]
        assert score["drop_points"] == pytest.approx(100 * (score["bert"] - score["reduced"]))
        assert score["drop_points"] > 15 and trial["verdict"] == "loses too much"
    assert "loses at most 12 points; absolute-" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("against", "ratio"),
    [("unpadded", "unpadded_over_unpadded"), ("padded", "padded_over_padded")],
)
def test_the_speed_that_counts_is_the_one_that_was_asked_for(tuned, arguments_for, against, ratio):
    output, _ = tuned
    with toy.eagerly(), without_timing():
        assert main(arguments_for(output, max_drop=100, against=against)) == 0
    assert result(output)["against"] == against
    for trial in result(output)["points"]:
        speedup = trial["operations"]["speedup"]
        assert trial["speed"] == speedup[ratio]
        assert speedup["padded_over_padded"] != pytest.approx(speedup["unpadded_over_unpadded"])


def test_another_limit_begins_with_what_is_there(tuned, arguments_for, capsys):
    output, _ = tuned
    trained = {path: path.stat().st_mtime_ns for path in (output / "tried").rglob("*.keras")}
    fastest = max(each["speed"] for each in result(output)["points"])
    arguments = arguments_for(output, speedup=fastest)
    with toy.eagerly(), without_timing():
        assert main(arguments) == 0
    found = result(output)
    best = next(each for each in found["points"] if each["name"] == found["best"])
    assert found["target"]["Speedup"] == fastest and best["speed"] == fastest
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    assert main(arguments_for(output, speedup=1e6)) == 2
    said = capsys.readouterr().err
    assert "no configuration of the 2 tried is 1e+06 times as fast" in said and "trials" in said
    assert result(output)["best"] is None and RunFolder.open(output).path.name == "best"


def test_with_confidence_the_upper_end_of_the_interval_counts(tuned, arguments_for, capsys):
    """A limit that the drops are within, and what they may be is not."""
    output, _ = tuned
    with toy.eagerly(), without_timing():
        assert main(arguments_for(output, max_drop=100)) == 0
        scores = [trial["score"] for trial in result(output)["points"]]
        limit = max(score["drop_points"] for score in scores)
        assert limit < min(score["interval"][1] for score in scores)
        assert main(arguments_for(output, max_drop=limit)) == 0
        assert main(arguments_for(output, max_drop=limit, confident=True)) == 2
    nearest = min(score["interval"][1] for score in scores)
    assert "points with confidence; absolute-" in (said := capsys.readouterr().err)
    assert f"loses the least, {nearest:.2f}" in said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_drop": -1}, "`max_drop` must be at least 0"),
        ({"speedup": 0.5}, "`speedup` must be at least 1"),
        ({"max_drop": 1, "speedup": 2}, "`max_drop` or `speedup`, not both"),
        ({"speedup": 2, "confident": True}, "`confident` goes with `max_drop`"),
        ({"max_drop": 1, "seeds": 2}, "`seeds` goes with `fit`"),
        ({"max_drop": 1, "trials": 0}, "`trials` must be at least 1"),
        ({"max_drop": 1, "against": "some"}, "`against` must be one of padded, unpadded"),
        ({"max_drop": 1, "strength": 0}, "`strength` must be above 0"),
        ({"max_drop": 1, "retention": "9,4"}, "`retention` leaves nothing to find"),
        ({"max_drop": 1, "basis": "some"}, "`basis` must be one of absolute, relative"),
        ({"basis": "both"}, "`basis` must be one of absolute, relative"),
    ],
)
def test_options_out_of_range(materials, tmp_path, capsys, changes, expected):
    assert main(materials.fit(tmp_path / "out", OPTIONS, **changes)) == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(finished_run, materials, capsys):
    before = snapshot(finished_run.path)
    assert main(materials.fit(finished_run.path, OPTIONS, max_drop=1)) == 2
    assert "`output` must be new, empty or the folder of a tuning" in capsys.readouterr().err
    assert snapshot(finished_run.path) == before


def test_both_bases_and_a_rate_that_can_eliminate_in_the_steps_that_there_are(materials, tmp_path):
    options = {**OPTIONS, "retention-learning-rate": None, "trials": 1, "fine-tuning-epochs": 1}
    with toy.eagerly(), without_timing():
        assert main(materials.fit(tmp_path / "out", options, speedup=1, basis="both")) == 0
    found = result(tmp_path / "out")
    assert [trial["name"] for trial in found["points"]] == ["absolute-0.0001", "relative-0.0001"]
    settings = RunFolder.open(tmp_path / "out").settings()
    steps = 3 * (settings["examples"]["train"] // 48)
    rate = settings["identity"]["options"]["retention_learning_rate"]
    assert rate == pytest.approx(2.5 / steps)


def test_the_command_tune_is_the_same(tuned, arguments_for, capsys):
    output, arguments = tuned
    before = snapshot(output / "tried")
    again = arguments_for(output, max_drop=100)
    assert main(["tune", *again[1:]]) == 0
    assert snapshot(output / "tried") == before
    assert f"The best run is {output / 'best'}" in capsys.readouterr().out
    arguments = [word for word in again[1:] if word not in ("--max-drop", "100")]
    assert main(["tune", *arguments]) == 2
    assert "give `max_drop` or `speedup`. Received: neither" in capsys.readouterr().err


def test_tuning_in_python(tuned, materials, finished_run):
    """Over the trials that are there: the same run is handed back, and nothing is trained."""
    output, _ = tuned
    trained = {path: path.stat().st_mtime_ns for path in (output / "tried").rglob("*.keras")}
    options = {name.replace("-", "_"): value for name, value in OPTIONS.items() if name != "trials"}
    run = pb.tune(
        load_from_file(materials.opposite),
        load_from_file(materials.dev),
        checkpoint=finished_run.path,
        output=output,
        task=pb.open_run(output).task,
        max_drop=100,
        trials=2,
        **options,
    )
    assert run.path == output / "best"
    assert {path: path.stat().st_mtime_ns for path in trained} == trained


def test_the_linear_search_is_the_default_and_trains_nothing(arguments_for, tmp_path, capsys):
    """At the speed that was asked for at once: one trial, without epochs of a search."""
    changes = {"search": None, "strength": None, "speedup": 1.2, "against": "unpadded"}
    with toy.eagerly(), without_timing():
        assert main(arguments_for(tmp_path / "out", **changes)) == 0
    (trial,) = result(tmp_path / "out")["points"]
    assert trial["name"] == "absolute-1.2" and 1.2 <= trial["speed"] <= 1.2 * 1.03
    run = RunFolder.open(tmp_path / "out")
    search, again = run.step("search").metrics(), run.step("re-train").metrics()
    assert search["epochs"] == 0 and again["epochs"] == 1
    found = search["findings"]["retention"]
    assert found == again["findings"]["retention"]
    # The control has no more epochs than re-training.
    assert run.step("control").metrics()["epochs"] == 1
    text = (run.path / "report.md").read_text()
    assert f"(absolute, linear 1.2x): `{found}`" in text
    assert "linear 1.2x" in capsys.readouterr().out
