"""What the command line itself does: help, exit codes, and one line for an error."""

import re
import subprocess
import sys

import pytest

from power_bert_tf import cli
from power_bert_tf.commands import load_commands
from power_bert_tf.commands.predict import Predict
from power_bert_tf.errors import InputError

COMMANDS = load_commands()


def exit_code(arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    return caught.value.code


def test_help_lists_all_commands(capsys):
    assert exit_code(["--help"]) == 0
    printed = capsys.readouterr().out
    assert {"demo", "fit", "evaluate", "predict", "export", "benchmark"} <= set(COMMANDS)
    for name, command in COMMANDS.items():
        first_words = " ".join(command.__doc__.split()[:3])
        assert re.search(rf"\n +{name}\s", printed) and first_words in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(capsys, command):
    assert exit_code([command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: power-bert {command}")
    # Options are spelt with dashes alone.
    assert not [word for word in printed.split() if word.startswith("--") and "_" in word]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["--unknown"],
        ["fit"],
        ["fit", "--checkpoint", "folder"],
        ["fit", "--checkpoint", "folder", "--output", "run", "--epochs", "many"],
        ["fit", "--checkpoint", "folder", "--output", "run", "--unknown", "1"],
        ["evaluate"],
        ["predict"],
        ["export", "run"],
    ],
)
def test_arguments_that_cannot_be_parsed(capsys, arguments):
    assert exit_code(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("usage: power-bert") and "error: " in error.splitlines()[-1]
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("raised", "code", "printed"),
    [
        (InputError("`text` must be short"), 2, "power-bert: `text` must be short\n"),
        (KeyboardInterrupt(), 130, "power-bert: interrupted\n"),
    ],
)
def test_exit_codes(monkeypatch, capsys, raised, code, printed):
    def execute(command):
        raise raised

    monkeypatch.setattr(Predict, "execute", execute)
    assert cli.main(["predict", "run", "text"]) == code
    assert capsys.readouterr().err == printed


def test_a_bug_is_not_hidden(monkeypatch):
    def execute(command):
        raise ZeroDivisionError

    monkeypatch.setattr(Predict, "execute", execute)
    with pytest.raises(ZeroDivisionError):
        cli.main(["predict", "run", "text"])


@pytest.mark.slow
def test_bad_input_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, "-m", "power_bert_tf", "predict", str(tmp_path), "good"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"power-bert: `run` must be a folder that `power-bert fit` made. Received: {tmp_path}\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["", "best"])
def test_a_trade_off_has_the_options_of_the_method_that_made_the_run(tmp_path, capsys, place):
    folder = tmp_path / "run" / place
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text('{"identity": {"method": "adapler"}}')
    for arguments, expected in (
        (["trade-off", str(tmp_path / "run"), "--help"], "--gammas"),
        (["trade-off", str(tmp_path), "--help"], "--retention-learning-rate"),
    ):
        assert exit_code(arguments) == 0
        assert expected in capsys.readouterr().out
