"""The README's code runs as it stands."""

import pathlib
import re
import runpy
import sys
import types

import pytest
from commands.conftest import write_checkpoint
from commands.conftest import write_tsv
from training import toy

README = pathlib.Path(__file__).parents[1] / "README.md"


def blocks(language):
    """The code blocks of one kind, each with the lines before it, so that errors name its line."""
    text = README.read_text(encoding="utf-8")
    for match in re.finditer(rf"```{language}\n(.*?)```", text, re.DOTALL):
        yield "\n" * text[: match.start(1)].count("\n") + match[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the README's examples find what they name."""
    config = toy.config(max_sequence_length=64)
    monkeypatch.setattr(toy, "config", lambda: config)
    write_checkpoint(tmp_path / "BERT_FOLDER", max_position_embeddings=64)
    write_tsv(tmp_path / "reviews.tsv", toy.examples(32, seed=0))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_python_example_runs(folder):
    (example,) = blocks("python")
    exec(compile(example, README.name, "exec"), {})
    assert (folder / "served" / "saved_model.pb").exists()


@pytest.mark.slow
def test_tutorial_runs(folder, capsys, monkeypatch):
    tutorial = list(blocks("python tutorial"))
    assert len(tutorial) == 6
    # A module, as a script would be, for what looks up where a function comes from.
    module = types.ModuleType("tutorial")
    monkeypatch.setitem(sys.modules, "tutorial", module)
    namespace = vars(module)
    with toy.eagerly():
        for block in tutorial:
            exec(compile(block, README.name, "exec"), namespace)
    printed = capsys.readouterr().out
    assert str(namespace["retention"]) in printed and "masses" in printed
    assert re.search(r"PoWER-BERT [01]\.\d", printed)
    assert namespace["features"].output_shape == (None, 8) and "(1, 8)" in printed
    assert namespace["probabilities"].shape == (2, 2)
    assert (folder / "power.keras").exists()
    assert (folder / "served_tutorial" / "saved_model.pb").exists()


def test_the_table_of_results_is_made_from_the_measurements(monkeypatch, capsys):
    root = README.parent
    files = sorted((root / "notebooks" / "results" / "tasks").glob("*.json"))
    script = root / "notebooks" / "benchmarks" / "results_table.py"
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, files)])
    runpy.run_path(str(script), run_name="__main__")
    table = capsys.readouterr().out.strip()
    assert len(files) >= 3 and table in README.read_text(encoding="utf-8")
