"""Labelled texts in memory."""

import dataclasses
import hashlib
import reprlib
from collections.abc import Sequence

import numpy as np

from power_bert_tf.errors import InputError


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
        texts = text_array("texts", self.texts)
        pairs = None if self.text_pairs is None else text_array("text_pairs", self.text_pairs)
        try:
            labels = np.asarray(self.labels, dtype=None if names else np.float32)
        except (TypeError, ValueError):
            labels = np.empty(0)
        fits = labels.ndim == 1 and len(labels) * self.choices == len(texts)
        if not fits or (pairs is not None and pairs.shape != texts.shape):
            each = "one entry each" if self.choices == 1 else f"{self.choices} texts and one label"
            raise InputError(
                f"`texts`, `text_pairs` and `labels` must have {each} per example. "
                f"Received: {len(texts)} texts, "
                + (f"{len(pairs)} text pairs, " if pairs is not None else "")
                + f"labels={reprlib.repr(self.labels)}"
            )
        if names and len(labels):
            whole = np.issubdtype(labels.dtype, np.integer)
            wrong = (labels < 0) | (labels >= len(names)) if whole else np.ones(len(labels), bool)
            if wrong.any():
                raise InputError(
                    f"`labels` must be integers from 0 to {len(names) - 1}. "
                    f"Received: {labels[wrong][0]!r} at index {int(np.argmax(wrong))}"
                )
        elif not np.isfinite(labels).all():
            index = int(np.argmin(np.isfinite(labels)))
            raise InputError(
                f"`labels` must be finite numbers. Received: {labels[index]} at index {index}"
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
            raise InputError(f"`n` must be at least 1. Received: n={n}")
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


def as_examples(given, label_names: Sequence[str] | None = None, name: str = "examples"):
    """Examples from whatever holds a column of texts and a column of labels.

    Args:
        given: `Examples`, which are handed back; or a mapping or a pandas DataFrame with `text`,
            `label` and, for a task of pairs, `text_pair`; or a tuple of such columns: (texts,
            labels) or (texts, text_pairs, labels). Labels are strings, or whole numbers, for
            classes, and numbers with a fraction for regression.
        label_names: sequence of str. The classes in the order of their ids; those in the labels,
            sorted, where None; whole numbers that are no names of them are ids. Empty means
            regression.
        name: str. What an error calls the argument.

    Raises:
        InputError: a column is missing, or its values are of the wrong kind.
    """
    if isinstance(given, Examples):
        return given
    if isinstance(given, tuple) and len(given) in (2, 3):
        texts, *pairs, labels = given
        pairs = pairs[0] if pairs else None
    else:
        try:
            texts, labels = given["text"], given["label"]
            pairs = given["text_pair"] if "text_pair" in given else None
        except (KeyError, TypeError, IndexError, ValueError):
            raise InputError(
                f"`{name}` must be `Examples`, a mapping or a data frame with `text` and `label`, "
                f"or a tuple of texts and labels. Received: {reprlib.repr(given)}"
            ) from None
    texts, pairs = list(texts), None if pairs is None else list(pairs)
    values = np.asarray(list(labels))
    numbers = np.issubdtype(values.dtype, np.floating)
    if label_names is None and numbers or label_names is not None and not len(label_names):
        return Examples(texts, pairs, values, ())
    written = [str(value) for value in values.tolist()]
    names = sorted_classes(written) if label_names is None else tuple(label_names)
    ids = {each: index for index, each in enumerate(names)}
    unknown = [each for each in written if each not in ids]
    if unknown and np.issubdtype(values.dtype, np.integer):
        return Examples(texts, pairs, values, names)  # Ids of the classes.
    if unknown or len(names) < 2:
        raise InputError(
            f"the labels of `{name}` must be of two or more classes, {list(names)}. "
            f"Received: {reprlib.repr(unknown or written)}"
        )
    return Examples(texts, pairs, [ids[each] for each in written], names)


def sorted_classes(names: Sequence[str]) -> tuple[str, ...]:
    """The different names, sorted; as numbers if all are integers."""
    classes = set(names)
    try:
        return tuple(sorted(classes, key=lambda name: (int(name), name)))
    except ValueError:
        return tuple(sorted(classes))


def random_order(count: int, *seed: int) -> np.ndarray:
    """A permutation of `count` that depends on the seeds only, in this and later versions.

    Raises:
        InputError: a seed is not in [0, 2**32).
    """
    for value in seed:
        if not 0 <= value < 2**32:
            raise InputError(f"`seed` must be from 0 to 2**32 - 1. Received: seed={value}")
    # NumPy freezes the stream of RandomState, not that of default_rng.
    return np.random.RandomState(list(seed)).permutation(count)


def text_array(name, texts):
    """Strings as an array; raises InputError where one is none, or one stands for several."""
    if isinstance(texts, (str, bytes)):
        raise InputError(f"`{name}` must be a sequence of strings. Received: {reprlib.repr(texts)}")
    array = np.empty(len(texts), dtype=object)
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not is_encodable(text):
            raise InputError(
                f"`{name}` must hold Unicode strings. "
                f"Received: {reprlib.repr(text)} at index {index}"
            )
        array[index] = text
    return array


def is_encodable(text):
    # JSON and Python can spell half of a surrogate pair, which no encoding of Unicode holds.
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False
