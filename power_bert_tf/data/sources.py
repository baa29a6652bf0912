"""Where examples come from: tensorflow-datasets, GLUE's TSV files, and files of one's own."""

import csv
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import reprlib
from collections.abc import Sequence

import numpy as np

from power_bert_tf.data.prepared import read_columns
from power_bert_tf.data.prepared import reading
from power_bert_tf.data.questions import option_pairs
from power_bert_tf.data.questions import read_race
from power_bert_tf.data.tasks import Task
from power_bert_tf.errors import InputError

# Which fifth of IMDB's training set tunes: fixed, so that every run holds out the same texts.
_HELD_OUT_SEED = 512
_HELD_OUT_SHARE = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Labelled texts in memory; lists are turned into arrays.

    Args:
        texts: array of str, (count * choices,).
        text_pairs: array of str, (count * choices,), or `None`.
        labels: array, (count,): int32 ids of classes, float32 values for regression, or int32
            indices of the right option for multiple choice.
        label_names: tuple of str. The classes in the order of their ids, or the options; empty
            for regression.
        choices: int. Texts an example. Above 1 an example is a question: its options stand side
            by side in `texts` and `text_pairs`, and are never parted. Defaults to `1`.

    Raises:
        InputError: lengths differ, a text is no string, a label is out of range or not finite.
    """

    texts: np.ndarray
    text_pairs: np.ndarray | None
    labels: np.ndarray
    label_names: tuple[str, ...]
    choices: int = 1

    def __post_init__(self):
        names = tuple(self.label_names)
        texts = _text_array("texts", self.texts)
        pairs = None if self.text_pairs is None else _text_array("text_pairs", self.text_pairs)
        try:
            labels = np.asarray(self.labels, dtype=None if names else np.float32)
        except (TypeError, ValueError):
            labels = np.empty(0)
        fits = labels.ndim == 1 and len(labels) * self.choices == len(texts)
        if not fits or (pairs is not None and pairs.shape != texts.shape):
            each = "one entry each" if self.choices == 1 else f"{self.choices} texts and one label"
            raise InputError(
                f"`texts`, `text_pairs` and `labels` should have {each} per example. "
                f"Received: {len(texts)} texts, "
                + (f"{len(pairs)} text pairs, " if pairs is not None else "")
                + f"labels={reprlib.repr(self.labels)}"
            )
        if names and len(labels):
            whole = np.issubdtype(labels.dtype, np.integer)
            wrong = (labels < 0) | (labels >= len(names)) if whole else np.ones(len(labels), bool)
            if wrong.any():
                raise InputError(
                    f"`labels` should be integers from 0 to {len(names) - 1}. "
                    f"Received: {labels[wrong][0]!r} at index {int(np.argmax(wrong))}"
                )
        elif not np.isfinite(labels).all():
            index = int(np.argmin(np.isfinite(labels)))
            raise InputError(
                f"`labels` should be finite numbers. Received: {labels[index]} at index {index}"
            )
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "text_pairs", pairs)
        object.__setattr__(self, "labels", labels.astype(np.int32 if names else np.float32))
        object.__setattr__(self, "label_names", names)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: Sequence[int] | np.ndarray) -> "Examples":
        """The examples at `indices`, in that order."""
        indices = np.asarray(indices)
        rows = (indices[:, None] * self.choices + np.arange(self.choices)).ravel()
        pairs = None if self.text_pairs is None else self.text_pairs[rows]
        return dataclasses.replace(
            self, texts=self.texts[rows], text_pairs=pairs, labels=self.labels[indices]
        )

    def take(self, n: int, seed: int) -> "Examples":
        """A random subset of at most `n` examples, fixed by `seed`, in the original order."""
        if n < 1:
            raise InputError(f"`n` should be at least 1. Received: n={n}")
        return self.select(np.sort(random_order(len(self), seed)[:n]))

    def characters(self) -> np.ndarray:
        """The number of characters of each example, of a question its longest option's, (count,)"""
        both = (self.texts,) if self.text_pairs is None else (self.texts, self.text_pairs)
        each = sum(np.array([len(text) for text in texts], int) for texts in both)
        return each.reshape(-1, self.choices).max(axis=1)

    def fingerprint(self) -> str:
        """SHA-256 of the content: equal for equal examples, whatever the process or source."""
        digest = hashlib.sha256()

        def update(data: bytes):
            # Lengths keep ("ab", "c") and ("a", "bc") apart.
            digest.update(len(data).to_bytes(8, "little") + data)

        for column in (self.texts, self.text_pairs, self.label_names):
            update(b"absent" if column is None else b"column of %d" % len(column))
            for text in () if column is None else column:
                update(text.encode())
        update(self.labels.astype("<i4" if self.label_names else "<f4").tobytes())
        if self.choices > 1:
            update(b"%d choices" % self.choices)
        return digest.hexdigest()


def random_order(count: int, *seed: int) -> np.ndarray:
    """A permutation of `count` that depends on the seeds only, in this and later versions.

    Raises:
        InputError: a seed is not in [0, 2**32).
    """
    for value in seed:
        if not 0 <= value < 2**32:
            raise InputError(f"`seed` should be from 0 to 2**32 - 1. Received: seed={value}")
    # NumPy freezes the stream of RandomState, not that of default_rng.
    return np.random.RandomState(list(seed)).permutation(count)


def load_from_tfds(task: Task, split: str, data_dir: str | os.PathLike | None = None) -> Examples:
    """Reads a task from tensorflow-datasets.

    Args:
        task: Task.
        split: str. "train" or "dev", and "test" for a task whose test labels are public (IMDB,
            RACE). IMDB has no development split: its dev is a fifth of the training set, held out
            by a fixed seed, its train the rest.
        data_dir: path. A folder of prepared datasets; nothing is downloaded then. Without it,
            tensorflow-datasets looks in its own folder and may download.

    Raises:
        InputError: the dataset is not there or cannot be read.
    """
    if not task.tfds_name:
        raise InputError(f"`task` should be in tensorflow-datasets. Received: {task.name!r}")
    held_out = not task.tfds_dev
    _check_split(split, ("train", "dev") if task.tsv_folder else ("train", "dev", "test"))
    name = {"train": "train", "dev": task.tfds_dev or "train", "test": "test"}[split]
    with reading(task.tfds_name, data_dir):
        if task.choices > 1:
            columns = read_race(task.tfds_name, name, task.labels, data_dir)
        else:
            columns = _read_tfds(task, name, data_dir)
    examples = Examples(*columns, task.labels, task.choices)
    if held_out and split != "test":
        order = random_order(len(examples), _HELD_OUT_SEED)
        count = len(examples) // _HELD_OUT_SHARE
        examples = examples.select(np.sort(order[:count] if split == "dev" else order[count:]))
    return examples


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
        raise InputError(f"`task` should have a GLUE folder. Received: {task.name!r}")
    _check_split(split, ("train", "dev"))
    file = "train.tsv" if split == "train" else task.tsv_dev
    path = pathlib.Path(data_dir, task.tsv_folder, file)
    if not path.is_file():
        raise InputError(
            f"--data-dir (`data_dir`) should hold {task.tsv_folder}/{file}. "
            f"Received: {os.fspath(data_dir)}"
        )
    rows = _tsv_rows(path)
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
    for line, row in _named(path, header, rows, task.tsv_columns):
        *names, label = task.tsv_columns
        for column, name in zip((texts, pairs), names, strict=False):
            column.append(row[name] if task.tsv_flawed else _text(path, line, name, row[name]))
        if task.is_regression:
            labels.append(_number(path, line, row[label]))
        else:
            labels.append(_class(path, line, row[label], ids, task.labels))
    if not texts:
        raise _row_error(path, 1, "at least one row", "none")
    return Examples(texts, pairs if task.is_pair else None, labels, task.labels)


def load_from_file(
    path: str | os.PathLike,
    labels: Sequence[str] | None = None,
    regression: bool = False,
) -> Examples:
    """Reads labelled texts of one's own from a TSV, CSV or JSONL file.

    The file is UTF-8 and has `text`, `label` and, if the task is about pairs, `text_pair`: as
    columns that its first line names (TSV, CSV), or as keys of one JSON object a line (JSONL). More
    columns do no harm. CSV quotes as spreadsheets do; in TSV a quotation mark is a character like
    any other, and a text holds neither tab nor line break.

    Args:
        path: path ending in .tsv, .csv or .jsonl.
        labels: sequence of str. The classes in the order of their ids. By default they are those
            in the file, sorted (as numbers if all are integers). Empty means regression.
        regression: bool. Whether labels are numbers to be predicted. Defaults to `False`.

    Raises:
        InputError: the file cannot be read, a row is malformed (the message names file and line),
            or there are fewer than two classes.
    """
    regression = regression or (labels is not None and not labels)
    rows, texts, pairs = _read_file(path, ("text", "label"))
    if regression:
        values = [_number(path, line, row["label"]) for line, row in rows]
        return Examples(texts, pairs, values, ())
    names = [_label(path, line, row["label"]) for line, row in rows]
    classes = _sorted_classes(names) if labels is None else tuple(str(label) for label in labels)
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise InputError(
            f"`labels` should be two or more different classes (the file is {os.fspath(path)}). "
            f"Received: {', '.join(map(repr, classes))}"
        )
    ids = {label: index for index, label in enumerate(classes)}
    values = [
        _class(path, line, name, ids, classes) for (line, _), name in zip(rows, names, strict=True)
    ]
    return Examples(texts, pairs, values, classes)


def load_texts(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads texts, and text pairs if there are any, from a file that needs no labels.

    Args:
        path: path ending in .tsv, .csv or .jsonl, as for `load_from_file`, or in .txt: a text a
            line.

    Returns:
        The texts (count,), and the second texts (count,) or `None`.

    Raises:
        InputError: as `load_from_file`.
    """
    if pathlib.Path(path).suffix.lower() == ".txt":
        texts, pairs = [_text(path, line, "text", text) for line, text in read_lines(path)], None
    else:
        _, texts, pairs = _read_file(path, ("text",))
    return _text_array("text", texts), None if pairs is None else _text_array("text_pair", pairs)


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
    suffix = pathlib.Path(path).suffix.lower()
    if suffix != ".jsonl":
        raise InputError(f"{os.fspath(path)}: expected .jsonl for questions. Received: {suffix!r}")
    names = ("article", "question", "options", *(("answer",) if answered else ()))
    rows = _json_rows(path, names)
    ids = {label: index for index, label in enumerate(labels)}
    pairs, answers = [], []
    for line, row in rows:
        article, question = (_text(path, line, name, row[name]) for name in names[:2])
        options = row["options"]
        if not isinstance(options, list) or len(options) != len(labels):
            expected = f"a list of {len(labels)} 'options'"
            raise _row_error(path, line, expected, reprlib.repr(options))
        options = [_text(path, line, "options", option) for option in options]
        pairs += option_pairs(article, question, options)
        answers.append(_class(path, line, str(row["answer"]), ids, labels) if answered else 0)
    articles, questions = zip(*pairs, strict=True)
    examples = Examples(articles, questions, answers, tuple(labels), len(labels))
    return [row for _, row in rows], examples


def user_task(name: str, train: Examples, sequence_length: int) -> Task:
    """A task for data of one's own; `dataclasses.replace` changes what does not suit.

    The numbers are the middle of the ranges that the paper searched, and N is up to the texts
    (see `propose_sequence_length`). The metric is accuracy, or Spearman's correlation for
    regression.
    """
    return Task(
        name=name,
        metric="accuracy" if train.label_names else "spearman",
        labels=train.label_names,
        sequence_length=sequence_length,
        batch_size=32,
        learning_rate=3e-5,
        retention_learning_rate=3e-3,
        strength=1e-3,
        features=("text",) if train.text_pairs is None else ("text", "text_pair"),
    )


def read_tsv_columns(path: str | os.PathLike, names: Sequence[str]) -> list[list[str]]:
    """Columns of a TSV file with a header, as text; they may be empty.

    Raises:
        InputError: as `load_from_file`, or a column is missing.
    """
    rows = _tsv_rows(path)
    header = rows.pop(0)[1]
    named = [row for _, row in _named(path, header, rows, names)]
    return [[row[name] for row in named] for name in names]


def read_lines(path: str | os.PathLike) -> list[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, without empty ones at its end.

    Only a line feed, or carriage return and line feed, ends a line; a byte-order mark is skipped.

    Raises:
        InputError: the file is missing, unreadable, empty, or not UTF-8.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"{os.fspath(path)}: expected a readable file. Received: {error.strerror}"
        ) from None
    lines = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            lines.append((number, line.removesuffix(b"\r").decode()))
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at position {error.start}"
            raise _row_error(path, number, "UTF-8", byte) from None
    while lines and not lines[-1][1]:
        lines.pop()
    if not lines:
        raise _row_error(path, 1, "at least one line", "an empty file")
    return lines


def _read_tfds(task, split, data_dir):
    columns = read_columns(task.tfds_name, split, data_dir)
    texts, *pairs = ([text.decode() for text in columns[name]] for name in task.features)
    return texts, pairs[0] if pairs else None, columns["label"]


def _read_file(path, required):
    """Rows as (line, dict), texts, and text pairs or `None`."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix == ".jsonl":
        rows = _json_rows(path, required)
    elif suffix in (".tsv", ".csv"):
        records = _tsv_rows(path) if suffix == ".tsv" else _csv_rows(path)
        header = records.pop(0)[1]
        rows = list(_named(path, header, records, required))
    else:
        raise InputError(f"{os.fspath(path)}: expected .tsv, .csv or .jsonl. Received: {suffix!r}")
    if not rows:
        raise _row_error(path, 1, "at least one row after the header", "none")
    texts = [_text(path, line, "text", row["text"]) for line, row in rows]
    if "text_pair" not in rows[0][1]:
        return rows, texts, None
    return rows, texts, [_text(path, line, "text_pair", row["text_pair"]) for line, row in rows]


def _tsv_rows(path):
    return [(line, text.split("\t")) for line, text in read_lines(path)]


def _csv_rows(path):
    lines = read_lines(path)
    # `strict` makes an error of a quote that is never closed.
    reader = csv.reader((text + "\n" for _, text in lines), strict=True)
    rows, line = [], 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _row_error(path, line, "CSV", str(error)) from None
    return rows


def _named(path, header, rows, required):
    for name in required:
        if name not in header:
            raise _row_error(path, 1, f"a column {name!r}", reprlib.repr(header))
    if len(set(header)) < len(header):
        raise _row_error(path, 1, "column names that differ", reprlib.repr(header))
    for line, row in rows:
        if len(row) != len(header):
            raise _row_error(path, line, f"{len(header)} columns", f"{len(row)}")
        yield line, dict(zip(header, row, strict=True))


def _json_rows(path, required):
    rows = []
    for line, text in read_lines(path):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _row_error(path, line, "JSON", f"{reprlib.repr(text)} ({error})") from None
        if not isinstance(row, dict):
            raise _row_error(path, line, "a JSON object", reprlib.repr(text))
        for name in required:
            if name not in row:
                raise _row_error(path, line, f"a key {name!r}", reprlib.repr(list(row)))
        if rows and ("text_pair" in row) != ("text_pair" in rows[0][1]):
            raise _row_error(path, line, "'text_pair' in every row or in none", reprlib.repr(text))
        rows.append((line, row))
    return rows


def _text(path, line, name, value):
    if not isinstance(value, str) or not value.strip():
        raise _row_error(path, line, f"a text in {name!r}", reprlib.repr(value))
    if not _is_encodable(value):
        raise _row_error(path, line, f"Unicode text in {name!r}", reprlib.repr(value))
    return value


def _is_encodable(text):
    # JSON and Python can spell half of a surrogate pair, which no encoding of Unicode holds.
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


def _label(path, line, value):
    if isinstance(value, int):  # JSON's 1 and true
        value = json.dumps(value)
    if not isinstance(value, str) or not value.strip():
        raise _row_error(path, line, "a class in 'label'", reprlib.repr(value))
    return value.strip()


def _class(path, line, label, ids, labels):
    if label not in ids:
        expected = f"a label of {reprlib.repr(list(labels))}"
        raise _row_error(path, line, expected, reprlib.repr(label))
    return ids[label]


def _number(path, line, value):
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    # What float32 cannot hold is as useless as infinity.
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise _row_error(path, line, "a finite number as label", reprlib.repr(value))
    return number


def _sorted_classes(names):
    classes = set(names)
    try:
        return tuple(sorted(classes, key=lambda name: (int(name), name)))
    except ValueError:
        return tuple(sorted(classes))


def _text_array(name, texts):
    array = np.empty(len(texts), dtype=object)
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not _is_encodable(text):
            raise InputError(
                f"`{name}` should hold Unicode strings. "
                f"Received: {reprlib.repr(text)} at index {index}"
            )
        array[index] = text
    return array


def _check_split(split, splits):
    if split not in splits:
        raise InputError(f"`split` should be one of {', '.join(splits)}. Received: {split!r}")


def _row_error(path, line, expected, received):
    return InputError(f"{os.fspath(path)}:{line}: expected {expected}. Received: {received}")
