"""Answers to a stream of texts: in their order, as they come, with memory for a part of them."""

import csv
import io
import itertools
import json
import os
import pathlib
import sys

from tqdm import tqdm

from power_bert_tf.data.rows import STANDARD_INPUT
from power_bert_tf.data.rows import read_lines
from power_bert_tf.errors import InputError
from power_bert_tf.files import check_new
from power_bert_tf.runs.own_examples import asked_in_file
from power_bert_tf.runs.partial_file import PartialFile

# Batches that are sorted by length together, and written together.
_BATCHES = 8
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def answer_file(run, path, output, *, overwrite=False, batch_size=128, **options):
    """Answers a file of texts, or of questions, into another; each row with its answer.

    The answers are written as they come, in the order of the file, so both may be larger than
    memory. What was interrupted goes on where it was when it is called again.

    Args:
        run: `Run`.
        path: path as `iterate_texts` takes it, or `iterate_questions` for multiple choice.
        output: path of the answers: .csv or .tsv, or else JSON lines.
        overwrite: bool. Replace the output where it is there already.
        batch_size: int, texts a batch.
        **options: further options of `Run.compiled`.

    Returns:
        int, how many rows are answered.

    Raises:
        InputError: where the output is there already or cannot be written, or a row of the file
            is malformed: what was answered before stays, to go on with.
    """
    output = pathlib.Path(output)
    check_new(output, overwrite)
    part = PartialFile(output, {**_identity(run, path), **options})
    delimiter = _DELIMITERS.get(output.suffix.lower())
    asked = itertools.islice(asked_in_file(run, path), part.rows, None)
    progress = tqdm(
        total=_count(path) if sys.stderr.isatty() else None,
        initial=part.rows,
        unit=" rows",
        disable=None,
        file=sys.stderr,
    )
    try:
        with progress:
            for rows in answers(run, asked, batch_size=batch_size, **options):
                if delimiter is None:
                    text = json_lines(rows)
                else:
                    text = _table(rows, delimiter, header=part.rows == 0)
                part.append(text, len(rows))
                progress.update(len(rows))
    except BaseException:
        part.discard()
        raise
    part.finish()
    return part.rows


def answers(run, asked, *, batch_size=128, **options):
    """The answers to what is asked, some at a time.

    Args:
        run: `Run`.
        asked: iterable of `Asked`.
        batch_size, **options: those of `Run.compiled`.

    Yields:
        list of dict: what was shown, with the answer. A column of the input that is named as a
        part of the answer is called `given_label` and so on.
    """
    compiled = run.compiled(batch_size=batch_size, **options)
    asked = iter(asked)
    while some := list(itertools.islice(asked, _BATCHES * batch_size)):
        texts = [text for each in some for text in each.texts]
        pairs = None
        if some[0].text_pairs is not None:
            pairs = [text for each in some for text in each.text_pairs]
        named = run.answers(compiled.predict(texts, pairs))
        yield [_beside(run, each.shown, answer) for each, answer in zip(some, named, strict=True)]


def _beside(run, shown, answer):
    if run.task.head == "multiple_choice":
        option = shown["options"][run.task.labels.index(answer["label"])]
        answer = {**answer, "answer": option}
    kept = {f"given_{name}" if name in answer else name: value for name, value in shown.items()}
    return {**kept, **answer}


def json_lines(rows):
    """Rows as JSON, one a line."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _table(rows, delimiter, header):
    """Rows as lines of CSV; the probability of a class has a column of its own."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    flat = [_flat(row) for row in rows]
    if header:
        writer.writerow(flat[0])
    writer.writerows(each.values() for each in flat)
    return text.getvalue()


def _flat(row):
    flat = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"probability {key}": each for key, each in value.items()}
        else:
            flat[name] = value if isinstance(value, str | int | float) else json.dumps(value)
    return flat


def _identity(run, path):
    """What answers are made from: another model, or another file, begins anew."""
    if os.fspath(path) == STANDARD_INPUT:
        # Nobody knows whether it is the same again.
        return {"process": os.getpid()}
    status = os.stat(path) if os.path.exists(path) else None
    return {
        "run": run.folder.settings()["identity"],
        "input": os.path.abspath(path),
        "changed": None if status is None else [status.st_size, status.st_mtime_ns],
    }


def _count(path):
    """About how many rows a file has: its lines. None where that is not known beforehand."""
    if os.fspath(path) == STANDARD_INPUT:
        return None
    try:
        return sum(1 for _ in read_lines(path))
    except InputError:
        return None
