"""The script that compares ways to quantize: a row for each, of both models."""

import json

import pytest

from notebooks import scripts


@pytest.mark.large
def test_a_row_for_each_way(pairs_run, tmp_path, capsys):
    pytest.importorskip("nncf")
    output = tmp_path / "ways.json"
    script = scripts.load("int8_ways")
    ways = ["float32", "SmoothQuant 0.5", "the rest in bfloat16"]
    script.Int8Ways(pairs_run.path, ["re-train"], ways, 2, output).execute()
    rows = json.loads(output.read_text())
    assert [row["way"] for row in rows] == ways
    assert {row["step"] for row in rows} == {"re-train"}
    assert all(0 <= row["f1, 16 dev"] <= 100 and row["ms a text"] > 0 for row in rows)
    assert "the rest in bfloat16" in capsys.readouterr().out
