"""The script that makes the README's table of results."""

import json
import pathlib
import runpy
import shutil
import sys

import pytest

from power_bert_tf.cli import main

SCRIPT = pathlib.Path(__file__).parents[2] / "notebooks" / "benchmarks" / "results_table.py"


def printed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return capsys.readouterr().out


def test_a_row_and_a_command_for_each_run(finished_run, tmp_path, monkeypatch, capsys):
    report = finished_run.json("report.json")
    output = printed(monkeypatch, capsys, finished_run.path, "--keep", tmp_path)
    header, _, row, *_ = output.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == header.count("|") - 1
    assert cells[0] == report["task"] and cells[-1] == f"`{report['retention']}`"
    assert cells[4:7] == [
        f"{100 * report['score']['bert']:.1f}",
        f"{100 * report['score']['power_bert']:.1f}",
        f"{report['score']['drop_points']:.1f}",
    ]
    operations = report["operations"]["speedup"]["padded_over_padded"]
    assert cells[7].startswith(f"{operations:.2f}x, ")
    # What is kept of a run makes the same table.
    assert printed(monkeypatch, capsys, tmp_path / f"{finished_run.path.name}.json") == output


def test_the_command_is_the_one_that_was_given(finished_run, monkeypatch, capsys, tmp_path):
    output = printed(monkeypatch, capsys, finished_run.path)
    (command,) = [line for line in output.splitlines() if line.startswith("power-bert fit")]
    words, given = command.split(), list(map(str, finished_run.arguments))
    for name in ("--strength", "--sequence-length", "--search-epochs", "--seed"):
        assert words[words.index(name) + 1] == given[given.index(name) + 1]
    assert words[words.index("--checkpoint") + 1] == "CHECKPOINT"
    assert words[words.index("--output") + 1] == f"runs/{finished_run.path.name}"
    # It is one that the command line takes: it fails at the folder that is none.
    monkeypatch.chdir(tmp_path)
    assert main(words[1:]) == 2
    assert "CHECKPOINT" in capsys.readouterr().err


def test_a_checkpoint_of_another_run_is_named(finished_run, tmp_path, monkeypatch, capsys):
    name = finished_run.path.name
    model = finished_run.path / "fine-tune" / "model.keras"
    run = shutil.copytree(finished_run.path, tmp_path / "other")
    settings = json.loads((run / "settings.json").read_text())
    settings["command"]["checkpoint"] = str(model)
    (run / "settings.json").write_text(json.dumps(settings))
    _, _, row, *_, command, _ = printed(monkeypatch, capsys, run).splitlines()
    assert f"--checkpoint runs/{name}/fine-tune/model.keras " in command
    assert ", from another task's BERT |" in row


@pytest.mark.parametrize(
    ("file", "task"),
    [
        ("imdb", "imdb"),
        ("imdb_given", "imdb, retention given"),
        ("sst2_tuned", "sst2, lambda found"),
        ("race_middle", "race-middle, from another task's BERT, retention given"),
    ],
)
def test_a_row_says_where_its_retention_comes_from(file, task, monkeypatch, capsys):
    kept = SCRIPT.parents[1] / "results" / "tasks" / f"{file}.json"
    row = printed(monkeypatch, capsys, kept).splitlines()[2]
    assert row.startswith(f"| {task} |")
