"""Several searches over one fine-tuned BERT, end to end on the toy task."""

import json
import os
import pathlib
import re
import shutil

import pytest
from training import toy

import power_bert_tf as pb
from commands.conftest import snapshot
from power_bert_tf.cli import main
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import load_classifier
from power_bert_tf.modeling.flops import encoders_flops
from power_bert_tf.runs import points
from power_bert_tf.runs.trade_off import _jobs

pytestmark = pytest.mark.slow

NAMES = ("absolute-0.02", "relative-0.02")


def command(run, output, **changes):
    options = {
        "strengths": ["0.02", "0.02"],
        "bases": ["absolute", "relative"],
        "train-examples": 48,
        "search-epochs": 1,
        "retraining-epochs": 1,
        "retention-learning-rate": 0.3,
        **changes,
    }
    arguments = ["trade-off", str(run), "--output", str(output)]
    for name, value in options.items():
        arguments += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return arguments


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def finished(finished_run, tmp_path_factory):
    """A trade-off that was killed in its second run, and went on."""
    output, real = tmp_path_factory.mktemp("trade_off") / "out", os.replace

    def dies(aside, target):
        if pathlib.Path(target) == output / NAMES[1] / "re-train" / "metrics.json":
            raise Killed
        real(aside, target)

    arguments = command(finished_run.path, output)
    with toy.eagerly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dies)
        with pytest.raises(Killed):
            main(arguments)
        patch.setattr(os, "replace", real)
        before = snapshot(output / NAMES[0])
        assert main(arguments) == 0
        assert snapshot(output / NAMES[0]) == before
    return output, arguments


def test_a_run_for_each_pair_over_one_fine_tuned_model(finished, finished_run):
    output, _ = finished
    assert sorted(each.name for each in output.iterdir() if each.is_dir()) == sorted(NAMES)
    for name in NAMES:
        ours = output / name / "fine-tune" / "model.keras"
        assert ours.samefile(finished_run.path / "fine-tune" / "model.keras")
        settings = json.loads((output / name / "settings.json").read_text())
        options = settings["identity"]["options"]
        assert options["basis"] == name.split("-")[0]
        assert options["strength"] == float(name.split("-")[1])
        assert options["search_epochs"] == 1
        model = load_classifier(output / name / "search" / "model.keras")
        assert model.reduction.basis == name.split("-")[0]
        assert settings["examples"]["train"] == 48


def test_each_strength_in_each_basis_once(finished_run, tmp_path):
    run = pb.open_run(finished_run.path)
    made = {"search_epochs": 2, "train_examples": 48}
    jobs = _jobs(run, [0.5, 0.1, 0.5], tmp_path, None, None, made)
    assert [job.output.name for job in jobs] == [
        "absolute-0.5",
        "absolute-0.1",
        "relative-0.5",
        "relative-0.1",
    ]
    assert [(job.options.basis, job.options.strength) for job in jobs] == [
        ("absolute", 0.5),
        ("absolute", 0.1),
        ("relative", 0.5),
        ("relative", 0.1),
    ]
    for job in jobs:
        assert job.training.fine_tuned == finished_run.path and job.output.parent == tmp_path
        assert (job.options.search_epochs, job.options.retraining_epochs) == (2, 3)
        assert len(job.data.train) == 48
        assert not job.training.group_by_length
    grouped = _jobs(run, [0.5], tmp_path, ["relative"], None, {"group_by_length": True})
    assert [job.training.group_by_length for job in grouped] == [True]


def test_the_points_are_those_of_the_runs(finished, finished_run):
    output, _ = finished
    result = json.loads((output / "trade_off.json").read_text())
    assert result["task"] == "train" and result["metric"] == "accuracy"
    assert list(points.panel([result])[1]) == ["absolute", "relative"]
    bert = finished_run.json("fine-tune/metrics.json")["score"]
    for name, point in zip(NAMES, result["points"], strict=True):
        assert "{variant}-{strength:g}".format(**point["configuration"]) == name
        metrics = {
            step: json.loads((output / name / step / "metrics.json").read_text())
            for step in ("search", "re-train")
        }
        expected = {
            "bert": bert,
            "strengthened": metrics["search"]["score"],
            "reduced": metrics["re-train"]["score"],
            "drop_points": pytest.approx(100 * (bert - metrics["re-train"]["score"])),
        }
        assert {key: point["score"][key] for key in expected} == expected
        retention = RetentionConfiguration.parse(point["configuration"]["text"])
        assert str(retention) == metrics["search"]["findings"]["retention"]
        assert point["operations"]["speedup"]["padded_over_padded"] == pytest.approx(
            encoders_flops(toy.config(), 12)
            / encoders_flops(toy.config(), 12, retention.at_length(12))
        )
        assert "time" not in point


def test_the_same_command_repeats_nothing_and_says_it_beforehand(finished, capsys):
    output, arguments = finished
    before = {name: snapshot(output / name) for name in NAMES}
    assert main(arguments) == 0
    assert {name: snapshot(output / name) for name in NAMES} == before
    printed = capsys.readouterr().out
    assert printed.startswith(
        f"2 runs of search and re-train each, below {output}; 2 of them done before"
    )
    assert printed.count("done before") == 1 + 3 * 2


def test_the_table_has_a_line_for_each_point(finished, capsys):
    result = json.loads((finished[0] / "trade_off.json").read_text())
    lines = points.table("power-bert", result["points"]).splitlines()
    assert len(lines) == 1 + len(NAMES)
    header = "strength BERT search, dev PoWER-BERT drop padded unpadded found"
    assert " ".join(lines[0].split()) == header
    for line, point in zip(lines[1:], result["points"], strict=True):
        score, speed = point["score"], point["operations"]["speedup"]
        low, high = score["interval"]
        assert f" ({low:.1f} to {high:.1f}) " in line
        assert re.sub(r"\(.*? to .*?\)", "", line).split()[:9] == [
            point["configuration"]["variant"],
            "lambda",
            f"{point['configuration']['strength']:g}",
            *(f"{100 * score[name]:.2f}" for name in ("bert", "strengthened", "reduced")),
            f"{score['drop_points']:.2f}",
            f"{speed['padded_over_padded']:.2f}x",
            f"{speed['unpadded_over_unpadded']:.2f}x",
        ]
        assert line.rstrip().endswith(point["configuration"]["text"])


def test_there_is_a_picture(finished):
    output, _ = finished
    assert (output / "trade_off.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"strengths": ["0.1", "-1"]}, "`strength` must be at least 0. Received: strength=-1"),
        (
            {"bases": ["absolute", "some"]},
            "`variants` must be of absolute, relative. Received: some",
        ),
        ({"search-epochs": 0}, "`search_epochs` must be positive"),
        ({"strengths": []}, "at least one of `strengths`"),
    ],
)
def test_options_out_of_range(finished_run, tmp_path, capsys, changes, expected):
    assert main(command(finished_run.path, tmp_path / "out", **changes)) == 2
    assert re.search(expected, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_fine_tuning_that_is_not_finished(finished_run, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished_run.path, run, ignore=shutil.ignore_patterns("fine-tune"))
    assert main(command(run, tmp_path / "out")) == 2
    assert "the step fine-tune is not done" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"sequence_length": 10}, "task.sequence_length"),
        ({"dev_examples": 8}, "dev"),
        ({"dtype": "mixed_bfloat16"}, "dtype"),
    ],
)
def test_fine_tuning_of_another_kind_is_refused(
    finished_run, materials, tmp_path, capsys, changes, name
):
    options = {"fine_tuned": finished_run.path, "fine_tuning_epochs": None, **changes}
    assert main(materials.fit(tmp_path / "new", **options)) == 2
    assert f"other settings: `{name}` was" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_over_another_fine_tuned_model_is_refused(finished, finished_run, tmp_path, capsys):
    output, arguments = finished
    other = shutil.copytree(finished_run.path, tmp_path / "other")
    shutil.copy(other / "re-train" / "model.keras", other / "fine-tune" / "model.keras")
    assert main([*arguments[:1], str(other), *arguments[2:]]) == 2
    assert "`fine_tuned` was" in capsys.readouterr().err


def test_in_python(finished, finished_run):
    """Over what is there: nothing is trained."""
    output, _ = finished
    before = {name: snapshot(output / name) for name in NAMES}
    result = pb.trade_off(
        finished_run.path,
        [0.02],
        output=output,
        train_examples=48,
        search_epochs=1,
        retraining_epochs=1,
        retention_learning_rate=0.3,
    )
    assert result == json.loads((output / "trade_off.json").read_text())
    assert {name: snapshot(output / name) for name in NAMES} == before
