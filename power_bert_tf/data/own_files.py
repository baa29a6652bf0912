"""Files of one's own: TSV, CSV, JSONL and plain text."""

import itertools
import json
import os
import reprlib
import unicodedata
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from power_bert_tf.data.classes import class_notes
from power_bert_tf.data.examples import Examples
from power_bert_tf.data.examples import is_encodable
from power_bert_tf.data.examples import sorted_classes
from power_bert_tf.data.examples import text_array
from power_bert_tf.data.race import option_pairs
from power_bert_tf.data.rows import STANDARD_INPUT
from power_bert_tf.data.rows import file_type
from power_bert_tf.data.rows import json_rows
from power_bert_tf.data.rows import parse_class
from power_bert_tf.data.rows import parse_number
from power_bert_tf.data.rows import parse_text
from power_bert_tf.data.rows import read_lines
from power_bert_tf.data.rows import row_error
from power_bert_tf.data.tables import LABEL
from power_bert_tf.data.tables import PAIR
from power_bert_tf.data.tables import TEXT
from power_bert_tf.data.tables import Columns
from power_bert_tf.data.tables import table_rows
from power_bert_tf.errors import InputError


def load_from_file(
    path: str | os.PathLike,
    labels: Sequence[str] | None = None,
    regression: bool = False,
    columns: Columns | None = None,
) -> Examples:
    """Reads labelled texts of one's own from a TSV, CSV or JSONL file.

    The file is UTF-8 and has `text`, `label` and, if the task is about pairs, `text_pair`: as
    columns that its first line names (TSV, CSV), or as keys of one JSON object a line (JSONL). More
    columns and blank lines do no harm, nor do capitals and spaces in the names of columns. CSV
    quotes as spreadsheets do, and may have `;`, tabs or `|` between its columns, which is found and
    said; in TSV a quotation mark is a character like any other, and a text holds neither tab nor
    line break. What is odd about the classes is said.

    Args:
        path: path ending in .tsv, .csv or .jsonl, or in one of them and .gz.
        labels: sequence of str. The classes in the order of their ids. By default they are those
            in the file, sorted (as numbers if all are integers). Empty means regression.
        regression: bool. Whether labels are numbers to be predicted. Defaults to `False`.
        columns: `Columns`. What the columns are called, where it is not `text` and so on.

    Raises:
        InputError: the file cannot be read, a row is malformed (the message names file and line),
            or there are fewer than two classes.
    """
    regression = regression or (labels is not None and not labels)
    texts, pairs, given = [], [], []
    for line, row, names in table_rows(path, columns or Columns(), labelled=True):
        texts.append(_text(path, line, row, names[TEXT]))
        pairs.append(_pair(path, line, row, names))
        given.append((line, row[names[LABEL]]))
    pairs = None if pairs[0] is None else pairs
    if regression:
        values = [parse_number(path, line, label) for line, label in given]
        return Examples(texts, pairs, values, ())
    names = [_label(path, line, label) for line, label in given]
    if labels is None:
        classes = sorted_classes(names)
        for note in class_notes(classes):
            print(f"Note: {os.fspath(path)}: {note}", flush=True)
    else:
        classes = tuple(unicodedata.normalize("NFC", str(label)) for label in labels)
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise InputError(
            f"`labels` must be two or more different classes (the file is {os.fspath(path)}). "
            f"Received: {', '.join(map(repr, classes))}"
        )
    ids = {label: index for index, label in enumerate(classes)}
    values = [
        parse_class(path, line, name, ids, classes)
        for (line, _), name in zip(given, names, strict=True)
    ]
    return Examples(texts, pairs, values, classes)


def load_texts(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads texts, and text pairs if there are any, from a file that needs no labels.

    Args:
        path: path ending in .tsv, .csv or .jsonl, as for `load_from_file`, or in .txt: a text a
            line, which may be empty.

    Returns:
        The texts (count,), and the second texts (count,) or `None`.

    Raises:
        InputError: as `load_from_file`.
    """
    rows = list(iterate_texts(path))
    texts = text_array("text", [text for _, text, _ in rows])
    has_pairs = rows[0][2] is not None
    return texts, text_array("text_pair", [pair for *_, pair in rows]) if has_pairs else None


def iterate_texts(
    path: str | os.PathLike, columns: Columns | None = None
) -> Iterator[tuple[dict, str, str | None]]:
    """The rows of a file as of `load_texts`, one by one: the file may be larger than memory.

    Args:
        path: as for `load_texts`; or `-`, a text a line from the standard input. Each may be
            packed (.gz).
        columns: `Columns`, as for `load_from_file`.

    Yields:
        The row, a dict of all columns; its text, and its second text or `None`.

    Raises:
        InputError: as `load_from_file`.
    """
    if os.fspath(path) == STANDARD_INPUT or file_type(path) == ".txt":
        for line, text in read_lines(path):
            yield {"text": text}, parse_text(path, line, "text", text, may_be_empty=True), None
        return
    for line, row, names in table_rows(path, columns or Columns()):
        yield row, _text(path, line, row, names[TEXT]), _pair(path, line, row, names)


def load_questions(
    path: str | os.PathLike, labels: Sequence[str], answered: bool = False
) -> tuple[list[dict], Examples]:
    """Reads multiple-choice questions from a JSONL file.

    Args:
        path: path ending in .jsonl, of objects with `article`, `question` and `options`, a list.
        labels: sequence of str. The names of the options.
        answered: bool. Whether each has its `answer` too, one of `labels`.

    Returns:
        The questions, and the `Examples` made of them; labels are 0 where there are no answers.

    Raises:
        InputError: as `load_from_file`.
    """
    rows, pairs, answers = zip(*iterate_questions(path, labels, answered), strict=True)
    articles, questions = zip(*itertools.chain.from_iterable(pairs), strict=True)
    return list(rows), Examples(articles, questions, answers, tuple(labels), len(labels))


def iterate_questions(
    path: str | os.PathLike, labels: Sequence[str], answered: bool = False
) -> Iterator[tuple[dict, list, int]]:
    """The questions of a file as of `load_questions`, one by one.

    Yields:
        The row; a pair of texts for each option; and the index of the answer, 0 where there is
        none.
    """
    if file_type(path) != ".jsonl":
        raise InputError(
            f"{os.fspath(path)}: expected .jsonl for questions. Received: {file_type(path)!r}"
        )
    names = ("article", "question", "options", *(("answer",) if answered else ()))
    ids = {label: index for index, label in enumerate(labels)}
    for line, row in json_rows(path, names):
        article, question = (parse_text(path, line, name, row[name]) for name in names[:2])
        options = row["options"]
        if not isinstance(options, list) or len(options) != len(labels):
            expected = f"a list of {len(labels)} 'options'"
            raise row_error(path, line, expected, reprlib.repr(options))
        options = [parse_text(path, line, "options", option) for option in options]
        answer = parse_class(path, line, str(row["answer"]), ids, labels) if answered else 0
        yield row, option_pairs(article, question, options), answer


def _text(path, line, row, name):
    return parse_text(path, line, name, row[name], may_be_empty=True)


def _pair(path, line, row, names):
    return _text(path, line, row, names[PAIR]) if PAIR in names else None


def _label(path, line, value):
    if isinstance(value, int):  # JSON's 1 and true
        value = json.dumps(value)
    if not isinstance(value, str) or not value.strip():
        raise row_error(path, line, "a class as label", reprlib.repr(value))
    if not is_encodable(value):
        raise row_error(path, line, "Unicode text as label", reprlib.repr(value))
    # One spelling of what can be spelt in two ways, such as an accent.
    return unicodedata.normalize("NFC", value.strip())
