"""GLUE's own TSV files."""

import os
import pathlib
from collections.abc import Sequence

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.rows import named_rows
from power_bert_tf.data.rows import parse_class
from power_bert_tf.data.rows import parse_number
from power_bert_tf.data.rows import parse_text
from power_bert_tf.data.rows import row_error
from power_bert_tf.data.rows import tsv_rows
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import check_split
from power_bert_tf.errors import InputError


def load_from_tsv(task: Task, split: str, data_dir: str | os.PathLike) -> Examples:
    """Reads a task from GLUE's own TSV files.

    Args:
        task: Task.
        split: str. "train" or "dev".
        data_dir: path. The folder that holds GLUE's folders, such as "SST-2".

    Raises:
        InputError: the file is not there, or a row is malformed (the message names file and line).
    """
    if not task.tsv_folder:
        raise InputError(f"`task` must have a GLUE folder. Received: {task.name!r}")
    check_split(split, ("train", "dev"))
    file = "train.tsv" if split == "train" else task.tsv_dev
    path = pathlib.Path(data_dir, task.tsv_folder, file)
    if not path.is_file():
        raise InputError(
            f"--data-dir (`data_dir`) must hold {task.tsv_folder}/{file}. "
            f"Received: {os.fspath(data_dir)}"
        )
    rows = list(tsv_rows(path))
    if isinstance(task.tsv_columns[0], int):
        header = list(range(len(rows[0][1])))
    else:
        header = rows.pop(0)[1]
    if task.tsv_flawed:
        rows = [(line, row) for line, row in rows if len(row) >= len(header)]
    # GLUE writes a class as its name in some tasks and as its number in others.
    ids = {str(index): index for index in range(len(task.labels))}
    ids |= {label: index for index, label in enumerate(task.labels)}
    texts, pairs, labels = [], [], []
    for line, row in named_rows(path, header, rows, task.tsv_columns):
        *names, label = task.tsv_columns
        for column, name in zip((texts, pairs), names, strict=False):
            column.append(row[name] if task.tsv_flawed else parse_text(path, line, name, row[name]))
        if task.is_regression:
            labels.append(parse_number(path, line, row[label]))
        else:
            labels.append(parse_class(path, line, row[label], ids, task.labels))
    if not texts:
        raise row_error(path, 1, "at least one row", "none")
    return Examples(texts, pairs if task.is_pair else None, labels, task.labels)


def read_tsv_columns(path: str | os.PathLike, names: Sequence[str]) -> list[list[str]]:
    """Columns of a TSV file with a header, as text; they may be empty.

    Raises:
        InputError: as `load_from_file`, or a column is missing.
    """
    rows = list(tsv_rows(path))
    header = rows.pop(0)[1]
    named = [row for _, row in named_rows(path, header, rows, names)]
    return [[row[name] for row in named] for name in names]
