"""The script that puts several trade-offs in one picture."""

import json

import pytest

from notebooks import scripts


def trade_off(task, variant, *points):
    return {
        "method": "power-bert",
        "task": task,
        "metric": "accuracy",
        "examples": {"train": 10, "dev": 5, "test": 7},
        "measured_by": "test",
        "held_out": False,
        "points": [
            {
                "configuration": {"variant": variant, "strength": strength, "text": "9,4"},
                "score": {"bert": 0.9, "drop_points": drop, "interval": None},
                "operations": {"speedup": {"unpadded_over_unpadded": speed}},
            }
            for strength, speed, drop in points
        ],
    }


def test_a_panel_for_each_task(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib import image

    given = (
        trade_off("one", "absolute", (1e-3, 1.5, 1.0), (1e-4, 1.2, 0.0)),
        trade_off("one", "relative", (1e-3, 1.6, 1.0)),
        trade_off("two", "absolute", (1e-3, 1.5, 1.0)),
    )
    files = []
    for number, each in enumerate(given):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(each))
    widths = []
    for chosen in (files[:2], files):
        output = tmp_path / f"{len(chosen)}.png"
        scripts.run(monkeypatch, "draw_trade_off", *chosen, "--output", output)
        widths.append(image.imread(output).shape[1])
    assert widths[1] == 2 * widths[0]


def points(axes):
    handles = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    return handles["absolute"][0].get_xydata().tolist()


def test_a_report_is_a_point_of_its_task(tmp_path, monkeypatch, drawn):
    curve, run = tmp_path / "trade_off.json", tmp_path / "report.json"
    curve.write_text(json.dumps(trade_off("one", "absolute", (1e-3, 1.5, 1.0))))
    # As `fit` writes it: what a point holds.
    report = trade_off("one", "absolute", (None, 1.7, 0.5))
    run.write_text(
        json.dumps(
            {
                "method": "power-bert",
                "task": "one",
                "metric": "accuracy",
                **{name: report[name] for name in ("examples", "measured_by", "held_out")},
                **report["points"][0],
            }
        )
    )
    scripts.run(monkeypatch, "draw_trade_off", curve, run, "--output", tmp_path / "a.png")
    (axes,) = drawn
    assert points(axes) == [[1.5, 89.0], [1.7, 89.5]]
    assert axes.get_title() == "one, accuracy on 7 test examples"
    assert {text.get_text() for text in axes.texts} == {"lambda 0.001", "given"}


def test_a_strength_that_is_the_speed_is_not_said_twice(tmp_path, monkeypatch, drawn):
    curve = trade_off("one", "absolute", (1.5, 1.5, 1.0), (None, 2.0, 2.0))
    curve["points"][0]["configuration"]["search"] = "linear"
    file = tmp_path / "trade_off.json"
    file.write_text(json.dumps(curve))
    scripts.run(monkeypatch, "draw_trade_off", file, "--output", tmp_path / "a.png")
    assert [text.get_text() for text in drawn[0].texts] == ["", "given"]


def test_what_is_not_re_trained_is_no_point(tmp_path, monkeypatch, drawn):
    # As `tune` writes it: a trial whose search lost too much ends there.
    tuning = trade_off("one", "absolute", (1e-3, 1.5, 1.0), (4e-3, 3.0, 9.0))
    del tuning["points"][1]["score"]["drop_points"]
    file = tmp_path / "tuning.json"
    file.write_text(json.dumps(tuning))
    scripts.run(monkeypatch, "draw_trade_off", file, "--output", tmp_path / "a.png")
    (axes,) = drawn
    assert points(axes) == [[1.5, 89.0]]


def test_lines_of_two_methods_are_named_by_them(tmp_path, monkeypatch, drawn):
    files = []
    for method, variant in (("power-bert", "absolute"), ("adapler", "")):
        files.append(tmp_path / f"{method}.json")
        files[-1].write_text(
            json.dumps({**trade_off("one", variant, (1e-3, 1.5, 1.0)), "method": method})
        )
    for chosen in (files, files[1:]):
        scripts.run(monkeypatch, "draw_trade_off", *chosen, "--output", tmp_path / "a.png")
    named = [axes.get_legend_handles_labels()[1] for axes in drawn]
    assert named == [["BERT", "PoWER-BERT absolute", "AdapLeR"], ["BERT", "AdapLeR"]]
