"""The script that makes the table of results."""

import json
import pathlib
import runpy
import shlex
import shutil
import sys

import pytest

from power_bert_tf.cli import main

SCRIPT = pathlib.Path(__file__).parents[2] / "notebooks" / "benchmarks" / "results_table.py"
KEPT = SCRIPT.parents[1] / "results" / "tasks"


def printed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return capsys.readouterr().out


def assert_is_parsed(words, monkeypatch, capsys, folder):
    """The command line takes a command: it fails at the checkpoint, which is none."""
    monkeypatch.chdir(folder)
    assert words[0] == "power-bert" and main(words[1:]) == 2
    assert words[words.index("--checkpoint") + 1] in capsys.readouterr().err


def test_a_row_and_a_command_for_each_run(finished_run, tmp_path, monkeypatch, capsys):
    report = finished_run.json("report.json")
    output = printed(monkeypatch, capsys, finished_run.path, "--keep", tmp_path)
    header, _, row, *_ = output.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == header.count("|") - 1
    assert cells[0] == report["task"] and cells[-1] == f"`{report['configuration']['text']}`"
    low, high = report["score"]["interval"]
    assert cells[4:8] == [
        f"{100 * report['score']['bert']:.1f}",
        "-",  # No control was trained.
        f"{100 * report['score']['reduced']:.1f}",
        f"{report['score']['drop_points']:.1f} ({low:.1f} to {high:.1f})",
    ]
    operations = report["operations"]["speedup"]["padded_over_padded"]
    assert cells[8].startswith(f"{operations:.2f}x, ")
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
    # What the task or the method would choose by itself is left out.
    options = {word for word in words if word.startswith("--")}
    made_of = {word for word in given if word.startswith("--")}
    assert options == made_of - {"--retraining-epochs"}  # As many as the task has.
    assert_is_parsed(words, monkeypatch, capsys, tmp_path)


def test_a_checkpoint_of_another_run_is_named(finished_run, tmp_path, monkeypatch, capsys):
    name = finished_run.path.name
    model = finished_run.path / "fine-tune" / "model.keras"
    run = shutil.copytree(finished_run.path, tmp_path / "other")
    settings = json.loads((run / "settings.json").read_text())
    settings["checkpoint"] = str(model)
    (run / "settings.json").write_text(json.dumps(settings))
    _, _, row, *_, command, _ = printed(monkeypatch, capsys, run).splitlines()
    assert f"--checkpoint runs/{name}/fine-tune/model.keras " in command
    assert ", from another task's BERT |" in row


@pytest.mark.parametrize(
    ("file", "task"),
    [
        ("imdb", "imdb, linear"),
        ("cola", "cola, linear"),
        ("sst2", "sst2, linear"),
        ("race_middle", "race-middle, from another task's BERT, retention given"),
    ],
)
def test_a_row_says_where_its_retention_comes_from(file, task, monkeypatch, capsys):
    row = printed(monkeypatch, capsys, KEPT / f"{file}.json").splitlines()[2]
    assert row.startswith(f"| {task} |")


@pytest.mark.parametrize("file", sorted(KEPT.glob("*.json")), ids=lambda file: file.stem)
def test_the_commands_that_are_kept_are_parsed(file, monkeypatch, capsys, tmp_path):
    *_, command, _ = printed(monkeypatch, capsys, file).splitlines()
    assert_is_parsed(shlex.split(command), monkeypatch, capsys, tmp_path)


def test_a_given_retention_is_the_only_option_of_the_method(
    pairs_run, monkeypatch, capsys, tmp_path
):
    _, _, row, *_, command, _ = printed(monkeypatch, capsys, pairs_run.path).splitlines()
    assert ", retention given |" in row
    words = shlex.split(command)
    assert words[words.index("--retention") + 1] == "9,4 of 16"
    assert not {"--strength", "--retention-learning-rate", "--search-epochs"} & set(words)
    assert_is_parsed(words, monkeypatch, capsys, tmp_path)


def tuning_of(run, folder, command):
    """A folder as a tuning leaves it, of which only what the script reads is there."""
    shutil.copytree(run.path, folder / "best")
    (folder / "tuning.json").write_text(json.dumps({"command": command}))
    return folder


def test_a_tuning_was_made_by_its_own_command(finished_run, monkeypatch, capsys, tmp_path):
    command = {
        "checkpoint": "there",
        "output": str(tmp_path / "tuned"),
        "method": "power-bert",
        "task": "sst2",
        "tfds_dir": "/data",
        "labels": None,
        "regression": False,
        "fine_tuned": str(finished_run.path),
        "group_by_length": True,
        "seed": 0,
        "max_drop": 0.5,
        "trials": 6,
        "options": {
            "strength": None,
            "search_epochs": 1,
            "basis": "both",
            "retention": None,
        },
    }
    tuning = tuning_of(finished_run, tmp_path / "tuned", command)
    _, _, row, *_, printed_command, _ = printed(monkeypatch, capsys, tuning).splitlines()
    assert ", lambda found |" in row
    assert printed_command == (
        "power-bert tune --checkpoint CHECKPOINT --output runs/tuned --task sst2 --tfds-dir "
        f"TFDS_DIR --fine-tuned runs/{finished_run.path.name} --group-by-length --basis both "
        "--search-epochs 1 --max-drop 0.5"
    )
    assert_is_parsed(shlex.split(printed_command), monkeypatch, capsys, tmp_path)


def test_what_was_made_in_python_has_no_command(finished_run, monkeypatch, capsys, tmp_path):
    tuning = tuning_of(finished_run, tmp_path / "tuned", {"max_drop": 1.0, "trials": 6})
    run = shutil.copytree(finished_run.path, tmp_path / "other")
    settings = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps({**settings, "source": None}))
    for path in (tuning, run):
        with pytest.raises(SystemExit) as stopped:
            printed(monkeypatch, capsys, path)
        assert stopped.value.code == 2
        error = " ".join(capsys.readouterr().err.split())
        assert f"{path} must be a" in error and "of the command line, not" in error
