"""The script that compares measures of words with human rationales."""

import json
import types

import pytest
from training import toy

from notebooks import scripts
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal


def test_the_table_the_figures_and_the_picture(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs.jsonl").write_text('{"docid": "a", "text": "the film was good"}\n')
    span = {"docid": "a", "start_token": 3, "end_token": 4}
    row = {"annotation_id": "a", "classification": "positive", "evidences": [[span]]}
    (tmp_path / "test.jsonl").write_text(f"{json.dumps(row)}\n" * 2)
    models = {
        "fine-tune": toy.classifier(seed=3),
        None: toy.classifier(seed=3, reduction=Removal()),
    }
    run = types.SimpleNamespace(
        model=lambda step=None: models[step], preprocessor=toy.preprocessor()
    )
    module = scripts.load("rationales")
    monkeypatch.setattr(module, "open_run", lambda path: run)
    output = tmp_path / "out" / "found.json"
    found = module.Rationales(tmp_path, tmp_path, documents=1, output=output).execute()
    kept = json.loads(output.read_text())
    assert kept == {"documents": 1, **found} and output.with_suffix(".png").exists()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 8 and "predictors" in lines[-1]


def test_refuses_no_documents(tmp_path):
    with pytest.raises(InputError, match="`documents` must be at least 1. Received: 0"):
        scripts.load("rationales").Rationales(tmp_path, tmp_path, documents=0).execute()
