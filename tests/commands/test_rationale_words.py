"""The script that fine-tunes BERT on the words that matter most."""

import json

import pytest
from training import toy

from notebooks import scripts

SPLITS = {"train": 24, "val": 8, "test": 8}


def write_eraser(folder):
    """Toy texts in ERASER's files; the last word of each is marked."""
    documents = []
    for name, count in SPLITS.items():
        examples, rows = toy.examples(count, seed=count), []
        for index, (text, label) in enumerate(zip(examples.texts, examples.labels, strict=True)):
            place, words = f"{name}-{index}", len(text.split())
            documents.append({"docid": place, "text": text})
            span = {"docid": place, "start_token": words - 1, "end_token": words}
            label = examples.label_names[label]
            rows.append({"annotation_id": place, "classification": label, "evidences": [[span]]})
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "docs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in documents))


def test_a_run_for_each_way_once(finished_run, tmp_path, capsys):
    write_eraser(tmp_path)
    script = scripts.load("rationale_words").RationaleWords(
        finished_run.path, tmp_path, tmp_path / "words"
    )
    with toy.eagerly():
        rows = script.execute()
    whole = rows.pop("whole text")
    assert whole["speedup"] == 1 and set(rows) == {
        *("human rationale", "saliency", "attention of all", "attention of [CLS]")
    }
    for row in rows.values():
        # One word, [CLS] and [SEP], of texts of several.
        assert 3 <= row["word_pieces"] < whole["word_pieces"] and row["speedup"] > 1
        assert 0 <= row["score"] <= 1
    kept = json.loads((tmp_path / "words" / "rationale_words.json").read_text())
    assert kept["examples"] == {"train": 24, "dev": 8, "test": 8}
    assert kept["words"]["saliency"] == pytest.approx(rows["saliency"])
    printed = capsys.readouterr().out
    assert "fewer operations" in printed and "attention of [CLS]" in printed
    # What is done is not done again.
    assert script.execute()["saliency"] == rows["saliency"]
    assert capsys.readouterr().out.count("done before") == 4
