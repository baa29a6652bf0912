"""The script that puts several trade-offs in one picture."""

import json
import pathlib
import runpy
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "notebooks" / "benchmarks" / "draw_trade_off.py"


def trade_off(task, basis, *points):
    return {
        "task": task,
        "metric": "accuracy",
        "examples": {"train": 10, "dev": 5},
        "visibility": False,
        "points": [
            {
                "basis": basis,
                "strength": strength,
                "score": {"drop_points": drop},
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
        arguments = map(str, [SCRIPT, *chosen, "--output", output])
        monkeypatch.setattr(sys, "argv", list(arguments))
        runpy.run_path(str(SCRIPT), run_name="__main__")
        widths.append(image.imread(output).shape[1])
    assert widths[1] == 2 * widths[0]
