"""Answers to files: in order, as they come, gone on with after an interruption."""

import csv
import io
import itertools
import json
import types

import numpy as np
import pytest

from power_bert_tf.deploy.answers import named_answers
from power_bert_tf.errors import InputError
from power_bert_tf.runs.answering import answer_file
from power_bert_tf.runs.answering import answers
from power_bert_tf.runs.own_examples import asked_in_file


class FakeRun:
    """A run whose model finds texts of an odd length positive; counts the texts it answers."""

    def __init__(self, head="classification", labels=("neg", "pos"), fails_after=None):
        self.task = types.SimpleNamespace(head=head, labels=labels, is_pair=False)
        self.folder = types.SimpleNamespace(settings=lambda: {"identity": {"seed": 3}})
        self.asked, self.fails_after = [], fails_after

    def check_pairs(self, pairs, source):
        assert pairs is None

    def answers(self, outputs):
        return named_answers(outputs, self.task.head, self.task.labels)

    def compiled(self, batch_size, **options):
        return types.SimpleNamespace(predict=self.predict)

    def predict(self, texts, pairs):
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise KeyboardInterrupt
        self.asked += texts
        if self.task.head != "classification":
            return np.array([[float(len(text))] for text in pairs or texts])
        return np.array([[1 - len(text) % 2, len(text) % 2] for text in texts], "float32")


def write(path, count):
    """Texts of 1, 2, 3 and so on characters, up to 50 and again."""
    path.write_text("".join(f"{'x' * (1 + row % 50)}\n" for row in range(count)))
    return path


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_answers_are_in_order_and_come_in_parts(tmp_path):
    run, path = FakeRun(), write(tmp_path / "a.txt", 100)
    parts = list(answers(run, asked_in_file(run, path), batch_size=4))
    assert [len(part) for part in parts] == [32, 32, 32, 4]
    flat = list(itertools.chain.from_iterable(parts))
    assert [row["text"] for row in flat] == path.read_text().splitlines()
    assert [row["label"] for row in flat] == ["pos", "neg"] * 50


def test_a_file_is_not_read_ahead(tmp_path, monkeypatch):
    def endless():
        yield from itertools.repeat(types.SimpleNamespace(shown={}, texts=["x"], text_pairs=None))

    run = FakeRun()
    assert len(next(answers(run, endless(), batch_size=2))) == len(run.asked) == 16


def test_what_was_interrupted_goes_on(tmp_path):
    path, output = write(tmp_path / "a.txt", 100), tmp_path / "new" / "b.jsonl"
    interrupted = FakeRun(fails_after=64)
    with pytest.raises(KeyboardInterrupt):
        answer_file(interrupted, path, output, batch_size=4)
    assert not output.exists()
    # Killed while it wrote: what is half there does not count.
    part = output.with_name(".b.jsonl.part")
    part.write_bytes(part.read_bytes() + b'{"text": "xx')
    run = FakeRun()
    assert answer_file(run, path, output, batch_size=4) == 100
    assert len(interrupted.asked) == 64 and len(run.asked) == 36
    assert [row["text"] for row in read(output)] == path.read_text().splitlines()
    assert [each.name for each in output.parent.iterdir()] == ["b.jsonl"]


def test_another_file_or_model_begins_anew(tmp_path):
    path, output = write(tmp_path / "a.txt", 100), tmp_path / "b.jsonl"
    for change in ("input", "model", "options"):
        with pytest.raises(KeyboardInterrupt):
            answer_file(FakeRun(fails_after=64), path, output, overwrite=True, batch_size=4)
        run, options = FakeRun(), {}
        if change == "input":
            write(path, 90)
        elif change == "model":
            run.folder = types.SimpleNamespace(settings=lambda: {"identity": {"seed": 4}})
        else:
            options = {"dtype": "bfloat16"}
        assert answer_file(run, path, output, overwrite=True, batch_size=4, **options) == len(
            run.asked
        )
        assert len(read(output)) == len(path.read_text().splitlines())


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables_keep_their_columns(tmp_path, suffix):
    path, output = tmp_path / "a.csv", tmp_path / f"b{suffix}"
    path.write_text('id,text,label\n7,"a, b",good\n8,"two\nlines",bad\n')
    assert answer_file(FakeRun(), path, output, batch_size=1) == 2
    delimiter = "," if suffix == ".csv" else "\t"
    rows = list(csv.DictReader(io.StringIO(output.read_text()), delimiter=delimiter))
    assert rows == [
        {
            **{"id": "7", "text": "a, b", "given_label": "good", "label": "neg"},
            **{"probability neg": "1.0", "probability pos": "0.0"},
        },
        {
            **{"id": "8", "text": "two\nlines", "given_label": "bad", "label": "pos"},
            **{"probability neg": "0.0", "probability pos": "1.0"},
        },
    ]


def test_a_bad_row_leaves_what_was_answered(tmp_path):
    path, output = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    good = [json.dumps({"text": "x", "n": row}) for row in range(16)]
    path.write_text("\n".join([*good, '{"text": 3}']))
    with pytest.raises(InputError, match=r"a\.jsonl:17: expected a text"):
        answer_file(FakeRun(), path, output, batch_size=1)
    assert not output.exists()
    assert len((tmp_path / ".b.jsonl.part").read_text().splitlines()) == 16


def test_where_nothing_is_answered_nothing_is_left(tmp_path):
    with pytest.raises(InputError, match="expected a readable file"):
        answer_file(FakeRun(), tmp_path / "none.txt", tmp_path / "b.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_questions(tmp_path):
    path, labels = tmp_path / "a.jsonl", ("A", "B")
    question = {"article": "long", "question": "who", "options": ["me", "nobody"], "id": 5}
    path.write_text(json.dumps(question) + "\n")
    run = FakeRun("multiple_choice", labels)
    ((row,),) = answers(run, asked_in_file(run, path))
    assert "article" not in row and row["id"] == 5
    assert (row["label"], row["answer"]) == ("B", "nobody")


def test_the_standard_input(monkeypatch, tmp_path):
    lines = io.BufferedReader(io.BytesIO(b"x\n\nxx\n"))
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=lines))
    assert answer_file(FakeRun(), "-", tmp_path / "b.jsonl") == 3
    assert [row["text"] for row in read(tmp_path / "b.jsonl")] == ["x", "", "xx"]
