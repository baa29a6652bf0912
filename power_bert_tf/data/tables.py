"""Tables of one's own as people have them, row by row: TSV, CSV and JSONL."""

import dataclasses
import os
import reprlib
import sys

from power_bert_tf.data.rows import csv_columns
from power_bert_tf.data.rows import csv_rows
from power_bert_tf.data.rows import file_type
from power_bert_tf.data.rows import json_rows
from power_bert_tf.data.rows import named_rows
from power_bert_tf.data.rows import read_lines
from power_bert_tf.data.rows import row_error
from power_bert_tf.data.rows import tsv_rows
from power_bert_tf.errors import InputError

TEXT, PAIR, LABEL = "text", "text_pair", "label"
# Between columns, the likelier first.
_DELIMITERS = (",", ";", "\t", "|")
# What a terminal cannot type.
_SPELT = {"\\t": "\t", "tab": "\t"}


@dataclasses.dataclass(frozen=True)
class Columns:
    """What the columns of a file are called, and what stands between them.

    Args:
        text, text_pair, label: str. Capitals and spaces around a name do not count.
        delimiter: str of one character, or "tab"; found where None.

    Raises:
        InputError: the delimiter is no single character.
    """

    text: str = TEXT
    text_pair: str = PAIR
    label: str = LABEL
    delimiter: str | None = None

    def __post_init__(self):
        if self.delimiter is not None:
            spelt = _SPELT.get(self.delimiter, self.delimiter)
            if len(spelt) != 1:
                raise InputError(
                    f"`delimiter` must be one character, or tab. Received: {self.delimiter!r}"
                )
            object.__setattr__(self, "delimiter", spelt)

    def named(self, labelled):
        """The names that a file must have, a dict by what they are for."""
        names = {TEXT: self.text}
        if labelled:
            names[LABEL] = self.label
        if self.text_pair != PAIR:
            names[PAIR] = self.text_pair
        return names


def table_rows(path, columns, labelled=False):
    """The rows of a file, one by one: the file may be larger than memory.

    Args:
        path: path ending in .tsv, .csv or .jsonl, or in one of them and .gz.
        columns: `Columns`.
        labelled: bool. Whether there must be labels.

    Yields:
        The line; the row, a dict; and what the row calls `TEXT`, `PAIR` and `LABEL`, a dict of
        those that it has.

    Raises:
        InputError: the file cannot be read, a row is malformed (the message names file and line),
            or there is none.
    """
    suffix, any_row = file_type(path), False
    if suffix == ".jsonl":
        rows = _json(path, columns, labelled)
    elif suffix in (".tsv", ".csv"):
        rows = _table(path, suffix, columns, labelled)
    else:
        raise InputError(
            f"{os.fspath(path)}: expected .tsv, .csv or .jsonl, or .txt for texts alone. "
            f"Received: {suffix!r}"
        )
    for row in rows:
        any_row = True
        yield row
    if not any_row:
        raise row_error(path, 1, "at least one row after the header", "none")


def _json(path, columns, labelled):
    required = columns.named(labelled)
    keys = {TEXT: columns.text, PAIR: columns.text_pair, LABEL: columns.label}
    for line, row in json_rows(path, required.values(), columns.text_pair):
        yield line, row, {what: key for what, key in keys.items() if key in row}


def _table(path, suffix, columns, labelled):
    required = columns.named(labelled)
    delimiter = columns.delimiter or _found_delimiter(path, suffix, columns, required)
    if suffix == ".tsv" and delimiter == "\t":
        records = (record for record in tsv_rows(path) if record[1] != [""])
    else:
        records = csv_rows(path, delimiter)
    header = _trimmed(next(records)[1])
    names = _names(header, columns)
    for what, name in required.items():
        if what not in names:
            raise row_error(path, 1, f"a column {name!r}", reprlib.repr(header))
    for line, row in named_rows(path, header, records, ()):
        yield line, row, names


def _found_delimiter(path, suffix, columns, required):
    usual = "\t" if suffix == ".tsv" else ","
    _, first = next(text for text in read_lines(path) if text[1])
    fitting = (
        delimiter
        for delimiter in (usual, *_DELIMITERS)
        if set(required) <= set(_names(_trimmed(csv_columns(first, delimiter)), columns))
    )
    delimiter = next(fitting, usual)
    if delimiter != usual:
        # Not among answers, which may go to the standard output.
        note = f"Note: {os.fspath(path)} has {delimiter!r} between its columns"
        print(note, file=sys.stderr, flush=True)
    return delimiter


def _trimmed(header):
    """The names of columns without spaces around them; those that have none are numbered."""
    return [name.strip() or f"column {place}" for place, name in enumerate(header, start=1)]


def _names(header, columns):
    """What a header calls `TEXT`, `PAIR` and `LABEL`, a dict of those that it has."""
    found = {}
    for what, wanted in ((TEXT, columns.text), (PAIR, columns.text_pair), (LABEL, columns.label)):
        alike = [name for name in header if name.lower() == wanted.strip().lower()]
        if alike:
            found[what] = wanted if wanted in alike else alike[0]
    return found
