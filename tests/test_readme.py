"""The README's code runs as it stands."""

import functools
import pathlib
import re
import runpy
import sys

import pytest
from commands.conftest import without_timing
from commands.conftest import write_checkpoint
from commands.conftest import write_tsv
from training import toy

import power_bert_tf as pb

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"


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
def test_runs_in_python(folder, monkeypatch):
    """The lines on `pb.fit` and its kin, with the options that make them quick."""
    (example,) = blocks("py")
    quick = {"sequence_length": 12, "epochs": 1, "retention_learning_rate": 0.5}
    for name in ("fit", "tune", "trade_off"):
        made = functools.partial(getattr(pb, name), **quick)
        monkeypatch.setattr(pb, name, made, raising=False)
    monkeypatch.setattr(pb, "tune", functools.partial(pb.tune, trials=1))
    names = {"pb": pb, "train": toy.examples(32, seed=1), "dev": toy.examples(16, seed=2)}
    # A run in memory does not keep its training examples.
    example = example.replace('"runs/mine", strengths', '"runs/mine", train=train, strengths')
    example = example.replace("max_drop=1.0", "max_drop=100")
    # One of the two.
    monkeypatch.setattr(pb, "trade_off", functools.partial(pb.trade_off, variants=["absolute"]))
    with toy.eagerly(), without_timing():
        exec(compile(example, README.name, "exec"), names)
    assert names["run"].evaluate() == pytest.approx(names["run"].report["score"]["reduced"])
    assert (folder / "runs" / "trade-off" / "trade_off.png").exists()
    assert (folder / "runs" / "tuned" / "best" / "report.html").exists()


def test_it_is_short_and_its_links_lead_somewhere():
    text = README.read_text(encoding="utf-8")
    assert text.count("\n") < 200
    for path in ROOT.rglob("*.md"):
        if not {".venv", "shared"} & set(path.relative_to(ROOT).parts):
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
                assert (path.parent / link).exists(), f"{path}: {link}"


def test_the_table_of_results_is_made_from_the_measurements(monkeypatch, capsys):
    files = sorted((ROOT / "notebooks" / "results" / "tasks").glob("*.json"))
    script = ROOT / "notebooks" / "benchmarks" / "results_table.py"
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, files)])
    runpy.run_path(str(script), run_name="__main__")
    table = capsys.readouterr().out.strip()
    assert len(files) >= 3 and table in (ROOT / "notebooks" / "results" / "README.md").read_text(
        encoding="utf-8"
    )
