"""Rows of text files, each with its line, so that an error can name both."""

import contextlib
import csv
import gzip
import json
import math
import os
import pathlib
import reprlib
import sys
from collections.abc import Iterator

import numpy as np

from power_bert_tf.data.examples import is_encodable
from power_bert_tf.errors import InputError

STANDARD_INPUT = "-"
_MARK = b"\xef\xbb\xbf"
_PEEK = 2**16


def read_lines(path: str | os.PathLike) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, without empty ones at its end.

    They come one by one, so a file may be larger than memory; `-` is the standard input, and what
    ends in .gz is unpacked. A line feed, or carriage return and line feed, ends a line; in a file
    without line feeds a carriage return does. A byte-order mark is skipped.

    Raises:
        InputError: the file is missing, unreadable, empty, or not UTF-8.
    """
    empty, any_line = [], False
    for place, line in enumerate(_raw_lines(path), start=1):
        try:
            text = line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at position {error.start}"
            raise row_error(path, place, "UTF-8", byte) from None
        if not text:
            empty.append(place)
            continue
        any_line = True
        yield from ((each, "") for each in empty)
        empty.clear()
        yield place, text
    if not any_line:
        raise row_error(path, 1, "at least one line", "an empty file")


def _raw_lines(path):
    try:
        with _opened(path) as file:
            begin = file.peek(_PEEK)
            if b"\n" not in begin and b"\r" in begin:
                yield from file.read().removeprefix(_MARK).split(b"\r")
                return
            for place, line in enumerate(file):
                line = line if place else line.removeprefix(_MARK)
                yield line.removesuffix(b"\n")
    except (OSError, EOFError) as error:  # Of a .gz that is cut short, the latter.
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{os.fspath(path)}: expected a readable file. Received: {reason}"
        ) from None


def _opened(path):
    if os.fspath(path) == STANDARD_INPUT:
        return contextlib.nullcontext(sys.stdin.buffer)
    if pathlib.Path(path).suffix.lower() == ".gz":
        return gzip.open(path)
    return open(path, "rb", buffering=_PEEK)


def file_type(path):
    """What a file holds by its name, such as ".csv", also of one that is packed as .csv.gz."""
    path = pathlib.Path(path)
    path = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return path.suffix.lower()


def tsv_rows(path):
    """Line and columns of each row of a TSV file, as text."""
    for line, text in read_lines(path):
        yield line, text.split("\t")


def csv_rows(path, delimiter=","):
    """Line and columns of each row of a CSV file, as text, without blank lines."""
    lines = (text + "\n" for _, text in read_lines(path))
    line, limit = 1, csv.field_size_limit(sys.maxsize)
    try:
        reader = _csv_reader(lines, delimiter)
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise row_error(path, line, "CSV", str(error)) from None
    finally:
        csv.field_size_limit(limit)


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


def json_rows(path, required, pair="text_pair"):
    """Line and object of each row of a JSONL file; every object has all of `required`.

    All or none have a key `pair`. Blank lines are skipped.
    """
    has_pair = None
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
        if has_pair not in (None, pair in row):
            raise row_error(path, line, f"{pair!r} in every row or in none", reprlib.repr(text))
        has_pair = pair in row
        yield line, row


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
