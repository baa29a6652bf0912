"""The script that compares the three forms of AdapLeR's model."""

import types

import numpy as np
from training import toy

from notebooks import scripts
from power_bert_tf.methods.adapler.reductions import Removal


def test_the_forms_agree_and_differences_show(monkeypatch, capsys):
    examples = toy.examples(6)
    run = types.SimpleNamespace(
        model=lambda: toy.classifier(seed=3, reduction=Removal()),
        preprocessor=toy.preprocessor(),
        folder=types.SimpleNamespace(dev=lambda: examples),
    )
    module = scripts.load("removal_forms")
    monkeypatch.setattr(module, "open_run", lambda path: run)
    monkeypatch.setattr("sys.argv", ["removal_forms.py", "run"])
    module.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["0", "0", "0"]
    assert all(float(line.split()[-2]) < 1e-5 for line in lines[2:])
    wrong = {"a": np.array([[0.9, 0.1]]), "b": np.array([[0.2, 0.8]])}
    monkeypatch.setattr(module, "answers", lambda *given: wrong)
    module.main()
    assert capsys.readouterr().out.splitlines()[-1].split()[-2:] == ["7.0e-01", "1"]
