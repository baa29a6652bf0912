"""Rows of text files, each with its line, so that an error can name both."""

import csv
import json
import math
import os
import pathlib
import reprlib
import sys

import numpy as np

from power_bert_tf.data.examples import is_encodable
from power_bert_tf.errors import InputError


def read_lines(path: str | os.PathLike) -> list[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, without empty ones at its end.

    A line feed, or carriage return and line feed, ends a line; in a file without line feeds a
    carriage return does. A byte-order mark is skipped.

    Raises:
        InputError: the file is missing, unreadable, empty, or not UTF-8.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"{os.fspath(path)}: expected a readable file. Received: {error.strerror}"
        ) from None
    lines, end = [], b"\r" if b"\n" not in content else b"\n"
    for place, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(end), start=1):
        try:
            lines.append((place, line.removesuffix(b"\r").decode()))
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at position {error.start}"
            raise row_error(path, place, "UTF-8", byte) from None
    while lines and not lines[-1][1]:
        lines.pop()
    if not lines:
        raise row_error(path, 1, "at least one line", "an empty file")
    return lines


def tsv_rows(path):
    """Line and columns of each row of a TSV file, as text."""
    return [(line, text.split("\t")) for line, text in read_lines(path)]


def csv_rows(path, delimiter=","):
    """Line and columns of each row of a CSV file, as text, without blank lines."""
    lines = (text + "\n" for _, text in read_lines(path))
    rows, line = [], 1
    limit = csv.field_size_limit(sys.maxsize)
    try:
        reader = _csv_reader(lines, delimiter)
        for row in reader:
            if row:
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise row_error(path, line, "CSV", str(error)) from None
    finally:
        csv.field_size_limit(limit)
    return rows


def csv_columns(line, delimiter):
    """The columns of one line of a CSV file; none where it is no line of its own."""
    try:
        return next(_csv_reader([line], delimiter), [])
    except csv.Error:
        return []


def _csv_reader(lines, delimiter):
    # `strict` makes an error of a quote that is never closed.
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)


def named_rows(path, header, rows, required):
    """Line and dict of each row, by the names of a header that has all of `required`."""
    for name in required:
        if name not in header:
            raise row_error(path, 1, f"a column {name!r}", reprlib.repr(header))
    if len(set(header)) < len(header):
        raise row_error(path, 1, "column names that differ", reprlib.repr(header))
    for line, row in rows:
        if len(row) != len(header):
            raise row_error(path, line, f"{len(header)} columns", f"{len(row)}")
        yield line, dict(zip(header, row, strict=True))


def json_rows(path, required):
    """Line and object of each row of a JSONL file; every object has all of `required`.

    Blank lines are skipped.
    """
    rows = []
    for line, text in read_lines(path):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise row_error(path, line, "JSON", f"{reprlib.repr(text)} ({error})") from None
        if not isinstance(row, dict):
            raise row_error(path, line, "a JSON object", reprlib.repr(text))
        for name in required:
            if name not in row:
                raise row_error(path, line, f"a key {name!r}", reprlib.repr(list(row)))
        if rows and ("text_pair" in row) != ("text_pair" in rows[0][1]):
            raise row_error(path, line, "'text_pair' in every row or in none", reprlib.repr(text))
        rows.append((line, row))
    return rows


def parse_text(path, line, name, value, may_be_empty=False):
    """The text in a row's column `name`."""
    if not isinstance(value, str) or not (may_be_empty or value.strip()):
        raise row_error(path, line, f"a text in {name!r}", reprlib.repr(value))
    if not is_encodable(value):
        raise row_error(path, line, f"Unicode text in {name!r}", reprlib.repr(value))
    return value


def parse_class(path, line, label, ids, labels):
    """The id of a row's class."""
    if label not in ids:
        expected = f"a label of {reprlib.repr(list(labels))}"
        raise row_error(path, line, expected, reprlib.repr(label))
    return ids[label]


def parse_number(path, line, value):
    """The number in a row, which float32 can hold."""
    try:
        parsed = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        parsed = math.nan
    # What float32 cannot hold is as useless as infinity.
    if not abs(parsed) <= float(np.finfo(np.float32).max):
        raise row_error(path, line, "a finite number as label", reprlib.repr(value))
    return parsed


def row_error(path, line, expected, received):
    """The error of a row, one line that names file and line."""
    return InputError(f"{os.fspath(path)}:{line}: expected {expected}. Received: {received}")
