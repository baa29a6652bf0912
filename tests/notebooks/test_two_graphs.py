"""The scripts that time two graphs: two different graphs, and the figures in a file."""

import json
import re
import sys

import numpy as np
import pytest

from notebooks import scripts
from power_bert_tf.layers import extract
from power_bert_tf.layers import self_attention
from power_bert_tf.measure import machine
from power_bert_tf.methods.adapler import contribution_predictor

SMALL = ["--size", "bert-tiny", "--sequence-length", "16", "--batch-size", "2", "--runs", "3"]
# The rounds of the first graph and of the second; the median of the ratios is 0.8.
SECONDS = ([1.0, 2.0, 4.0], [0.7, 1.8, 3.2])


@pytest.fixture
def answers(monkeypatch):
    """What the graphs answered, which take the seconds above."""
    answers = {}

    def measured(work, least_runs, most_runs):
        assert (least_runs, most_runs) == (3, 3)
        answers.update({name: function() for name, function in work.items()})
        return dict(zip(work, map(np.array, SECONDS), strict=True))

    module = scripts.load("two_graphs")
    monkeypatch.setattr(module, "interleaved_seconds", measured)
    monkeypatch.setitem(sys.modules, "two_graphs", module)
    return answers


def figures(path, runtime):
    result = json.loads(path.read_text())
    assert (result["size"], result["sequence_length"], result["batch_size"]) == ("bert-tiny", 16, 2)
    assert (result["runs"], result["dtype"], result["runtime"]) == (3, "float32", runtime)
    assert " cores, " in result["device"] and result["cpu"] == machine.cpu()
    assert {"keras", runtime} <= set(result["versions"])
    return result


def test_scoring_cost(answers, tmp_path, monkeypatch, capsys):
    ranked, top_rows = [], extract.top_rows
    monkeypatch.setattr(
        extract, "top_rows", lambda *given: (ranked.append(given[1]), top_rows(*given))[1]
    )
    output = tmp_path / "a" / "scoring.json"
    scripts.run(monkeypatch, "scoring_cost", *SMALL, "--retention", "9,4", "--output", output)
    # One graph alone ranks: in its first encoder, since the last works for [CLS].
    assert ranked == [9]
    # The same weights, other words.
    assert set(answers) == {"scored", "first_rows"}
    assert 0 < np.abs(answers["scored"] - answers["first_rows"]).max() < 0.5
    result = figures(output, "tensorflow")
    assert result["retention"] == "9,4"
    assert result["seconds"]["scored"] == {"p5": 1.1, "median": 2.0, "p95": pytest.approx(3.8)}
    assert result["seconds"]["first_rows"]["median"] == 1.8
    assert result["ratio"] == pytest.approx(0.8)
    printed = capsys.readouterr().out
    assert re.search(r"2000.0 ms with scores, 1800.0 ms with .* are 20.0 % of", printed)


def test_fused_attention(answers, tmp_path, monkeypatch, capsys):
    real = self_attention.fused_attention
    monkeypatch.setattr(self_attention, "fused_attention", lambda *inputs: np.nan * real(*inputs))
    output = tmp_path / "fused.json"
    scripts.run(monkeypatch, "fused_attention", *SMALL, "--output", output)
    # One graph alone fuses attention.
    assert np.isnan(answers["fused"]).all() and np.isfinite(answers["products"]).all()
    result = figures(output, "tensorflow")
    assert result["seconds"]["products"]["median"] == 1.8
    assert result["ratio"] == pytest.approx(0.8)
    printed = capsys.readouterr().out
    assert re.search(r"2000.0 ms with fused .* 1800.0 ms with .* fused is 0.80 times", printed)


def test_predictor_cost(answers, tmp_path, monkeypatch, capsys):
    predicted, shares = [], contribution_predictor.contributions
    monkeypatch.setattr(
        contribution_predictor,
        "contributions",
        lambda *given: (predicted.append(1), shares(*given))[1],
    )
    output = tmp_path / "predictors.json"
    scripts.run(monkeypatch, "predictor_cost", *SMALL, "--output", output)
    # One graph alone predicts; neither drops anything.
    assert predicted
    assert set(answers) == {"bert", "predicted"}
    assert all(np.isfinite(each).all() for each in answers.values())
    assert figures(output, "tensorflow")["ratio"] == pytest.approx(0.8)
    printed = capsys.readouterr().out
    assert re.search(r"2000.0 ms without .* 1800.0 ms with .* predictors are -20.0 % of", printed)


@pytest.mark.large
def test_fused_attention_under_jax(tmp_path):
    pytest.importorskip("jax")
    output = tmp_path / "fused.json"
    printed = scripts.run_under_jax("fused_attention", *SMALL, "--output", output)
    result = figures(output, "jax")
    assert set(result["seconds"]) == {"fused", "products"}
    assert all(0 < each["p5"] <= each["median"] for each in result["seconds"].values())
    assert f"fused is {result['ratio']:.2f} times as fast" in printed
