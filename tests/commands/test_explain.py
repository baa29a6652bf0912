"""What `power-bert explain` refuses; what it prints is in test_adapler.py."""

import types

import pytest

from power_bert_tf.commands.explain import Explain
from power_bert_tf.data import get_task
from power_bert_tf.errors import InputError


@pytest.mark.parametrize(
    ("task", "texts", "expected"),
    [
        ("race", ["an article", "a question"], "of single texts or pairs.*of multiple choice"),
        ("mrpc", ["one"], "`texts` must be 2 here. Received: 1"),
        ("sst2", [], "`texts` must be 1 here. Received: 0"),
    ],
)
def test_what_cannot_be_explained(monkeypatch, tmp_path, task, texts, expected):
    run = types.SimpleNamespace(task=get_task(task))
    monkeypatch.setattr("power_bert_tf.runs.run.open_run", lambda path: run)
    with pytest.raises(InputError, match=expected):
        Explain(tmp_path, texts).execute()
