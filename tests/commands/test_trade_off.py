"""Several searches over one fine-tuned BERT, end to end on the toy task."""

import dataclasses
import json
import os
import pathlib
import re
import shutil

import pytest
from power_bert_tf.commands.run_options import fit_of
from training import toy

from commands.conftest import snapshot
from power_bert_tf.cli import main
from power_bert_tf.commands import trade_off
from power_bert_tf.commands.fit import Fit
from power_bert_tf.errors import InputError
from power_bert_tf.measure.flops import encoders_flops
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import load_classifier
from power_bert_tf.runs import trade_off_table
from power_bert_tf.runs.folder import RunFolder

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
        assert settings["identity"]["basis"] == name.split("-")[0]
        assert settings["identity"]["task"]["strength"] == float(name.split("-")[1])
        assert settings["identity"]["epochs"]["search"] == 1
        model = load_classifier(output / name / "search" / "model.keras")
        assert model.reduction.basis == name.split("-")[0]
        assert settings["examples"]["train"] == 48


def test_each_strength_in_each_basis_once(finished_run, tmp_path):
    chosen = trade_off.TradeOff(
        finished_run.path, tmp_path, strengths=[0.5, 0.1, 0.5], search_epochs=2
    )
    first = fit_of(RunFolder.open(finished_run.path))
    fits = chosen._fits(first)
    assert [fit.output.name for fit in fits] == [
        "absolute-0.5",
        "absolute-0.1",
        "relative-0.5",
        "relative-0.1",
    ]
    assert [(fit.basis, fit.strength) for fit in fits] == [
        ("absolute", 0.5),
        ("absolute", 0.1),
        ("relative", 0.5),
        ("relative", 0.1),
    ]
    for fit in fits:
        assert fit.fine_tuned == finished_run.path and fit.output.parent == tmp_path
        assert (fit.search_epochs, fit.retraining_epochs) == (2, first.retraining_epochs)
        assert not fit.group_by_length
    grouped = dataclasses.replace(chosen, group_by_length=True)._fits(first)
    assert all(fit.group_by_length for fit in grouped)


def test_the_points_are_those_of_the_runs(finished, finished_run):
    output, _ = finished
    result = json.loads((output / "trade_off.json").read_text())
    assert result["task"] == "train" and result["metric"] == "accuracy"
    assert list(trade_off_table.panel([result])[1]) == ["absolute", "relative"]
    bert = finished_run.json("fine-tune/metrics.json")["score"]
    for name, point in zip(NAMES, result["points"], strict=True):
        assert f"{point['basis']}-{point['strength']:g}" == name
        metrics = {
            step: json.loads((output / name / step / "metrics.json").read_text())
            for step in ("search", "re-train")
        }
        assert point["score"] == {
            "bert": bert,
            "soft": metrics["search"]["score"],
            "power_bert": metrics["re-train"]["score"],
            "drop_points": pytest.approx(100 * (bert - metrics["re-train"]["score"])),
        }
        retention = RetentionConfiguration.parse(point["retention"])
        assert str(retention) == metrics["search"]["retention"]
        assert point["operations"]["speedup"]["padded_over_padded"] == pytest.approx(
            encoders_flops(toy.config(), 12) / encoders_flops(toy.config(), 12, retention)
        )
        assert "time" not in point


def test_the_same_command_repeats_nothing_and_says_it_beforehand(finished, capsys):
    output, arguments = finished
    before = {name: snapshot(output / name) for name in NAMES}
    assert main(arguments) == 0
    assert {name: snapshot(output / name) for name in NAMES} == before
    printed = capsys.readouterr().out
    assert printed.startswith(
        f"2 runs of a search and a re-training each, below {output}; 2 of them done before"
    )
    assert printed.count("done before") == 1 + 3 * 2


def test_the_table_has_a_line_for_each_point(finished, capsys):
    result = json.loads((finished[0] / "trade_off.json").read_text())
    lines = trade_off_table.table(result).splitlines()
    assert len(lines) == 2 + len(NAMES)
    for line, point in zip(lines[2:], result["points"], strict=True):
        score, speed = point["score"], point["operations"]["speedup"]
        assert line.split()[:8] == [
            point["basis"],
            f"{point['strength']:g}",
            *(f"{100 * score[name]:.2f}" for name in ("bert", "soft", "power_bert")),
            f"{score['drop_points']:.2f}",
            f"{speed['padded_over_padded']:.2f}x",
            f"{speed['unpadded_over_unpadded']:.2f}x",
        ]
        assert line.endswith(point["retention"])


def test_a_picture_or_a_line_that_says_why_not(finished, capsys, monkeypatch):
    output, arguments = finished
    pytest.importorskip("matplotlib")
    assert (output / "trade_off.png").read_bytes().startswith(b"\x89PNG")

    def cannot(panels, path):
        raise InputError("pictures need matplotlib")

    monkeypatch.setattr(trade_off, "draw_trade_offs", cannot)
    assert main(arguments) == 0
    assert capsys.readouterr().out.endswith("No picture: pictures need matplotlib\n")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"strengths": ["0.1", "-1"]}, "`strength` must be at least 0. Received: strength=-1"),
        ({"bases": ["absolute", "some"]}, "`basis` must be one of absolute, relative"),
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
def test_fine_tuning_of_another_kind_is_refused(finished_run, materials, tmp_path, changes, name):
    options = {"sequence_length": 12, "batch_size": 16, **changes}
    fit = Fit(
        materials.checkpoint,
        tmp_path / "new",
        train=materials.train,
        dev=materials.dev,
        fine_tuned=finished_run.path,
        **options,
    )
    with pytest.raises(InputError, match=f"other settings: `{name}` was"):
        fit.execute()
    assert list(tmp_path.iterdir()) == []


def test_a_run_over_another_fine_tuned_model_is_refused(finished, finished_run, tmp_path, capsys):
    output, arguments = finished
    other = shutil.copytree(finished_run.path, tmp_path / "other")
    shutil.copy(other / "re-train" / "model.keras", other / "fine-tune" / "model.keras")
    assert main([*arguments[:1], str(other), *arguments[2:]]) == 2
    assert "`fine_tuned` was" in capsys.readouterr().err
