"""The script that times a run from texts."""

import json

import pytest

from notebooks import scripts
from power_bert_tf.runs.run import open_run


def test_times_add_up_and_the_score_is_the_runs(finished_run, tmp_path, monkeypatch, capsys):
    script, output = scripts.load("text_to_label"), tmp_path / "times.json"
    run = open_run(finished_run.path)
    dev = run.folder.dev()
    monkeypatch.setattr(script, "load_from_tfds", lambda task, split, folder: dev)
    # Several parts, the last one smaller.
    monkeypatch.setattr(script, "PART", 5)
    result = script.TextToLabel(finished_run.path, dtype="float32", output=output).execute()
    assert json.loads(output.read_text()) == result
    assert result["texts"] == len(dev) and len(dev) % 5
    assert result[run.task.metric] == pytest.approx(run.evaluate())
    assert set(result["seconds"]) == {"tokenizing", "batching", "answering"}
    total = sum(result["seconds"].values())
    assert result["texts_a_second"] == pytest.approx(len(dev) / total)
    assert result["share_of_tokenizing"] == pytest.approx(result["seconds"]["tokenizing"] / total)
    line = capsys.readouterr().out.splitlines()[-1]
    assert f"{result['texts_a_second']:.1f} texts a second" in line
    assert script.TextToLabel(finished_run.path, texts=3, step="fine-tune").execute()["texts"] == 3
