"""The script that times the search against fine-tuning."""

import re

import numpy as np
import pytest

from notebooks import scripts
from power_bert_tf.errors import InputError

SMALL = "--num-layers 1 --hidden-dim 8 --num-heads 2 --sequence-length 8 --batch-size 2".split()


@pytest.mark.slow
def test_the_ratio_of_the_steps_that_count(monkeypatch, capsys):
    module = scripts.load("search_cost")
    losses = []

    def measured(work, budget_seconds, most_runs):
        # The first quarter warms up.
        assert list(work) == ["tuning", "search"] and most_runs == 8
        losses.append({name: step() for name, step in work.items()})
        return {
            "tuning": np.array([9.0] * 2 + [0.1] * 6),
            "search": np.array([9.0] * 2 + [0.3] * 6),
        }

    monkeypatch.setattr(module, "interleaved_seconds", measured)
    chosen = module.SearchCost(
        num_layers=1, hidden_dim=8, num_heads=2, sequence_length=8, batch_size=2, steps=6
    )
    assert chosen.execute() == pytest.approx([3.0, 3.0])
    for each in losses:
        # The mass penalty is in the loss of the search alone, over the same texts.
        assert 0 < each["tuning"] < each["search"] < each["tuning"] + 0.1
    printed = (
        "fine-tuning 100 ms a step, search 300 ms, ratio 3.000 (medians of 6 interleaved steps)"
    )
    assert capsys.readouterr().out == f"without XLA: {printed}\nwith XLA: {printed}\n"


@pytest.mark.slow
@pytest.mark.large
def test_from_the_command_line(monkeypatch, capsys):
    scripts.run(monkeypatch, "search_cost", *SMALL, "--steps", "3", "--basis", "relative")
    lines = capsys.readouterr().out.splitlines()
    for line, how in zip(lines, ("without", "with"), strict=True):
        assert re.fullmatch(
            rf"{how} XLA: fine-tuning \d+ ms .* \(medians of 3 interleaved steps\)", line
        )


@pytest.mark.parametrize("name", ["batch_size", "steps"])
def test_refuses(name):
    with pytest.raises(InputError, match=f"`{name}` must be positive. Received: 0"):
        scripts.load("search_cost").SearchCost(**{name: 0}).execute()
