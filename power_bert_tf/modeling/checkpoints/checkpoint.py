"""What a checkpoint is, whatever its layout: the seam between formats and models."""

import contextlib
import dataclasses
import math
import pathlib
from collections.abc import Callable

import numpy as np

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.config import EncoderConfig
from power_bert_tf.modeling.heads import HEADS
from power_bert_tf.modeling.reduction import Reduction

_ITEM_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_VOCABULARIES = ("vocab.txt", "spiece.model")
_VOCABULARY_PADDING = (8, 64)


@dataclasses.dataclass(frozen=True)
class StoredTensor:
    """A tensor of a checkpoint, of which only shape and type have been read.

    Args:
        shape: tuple of ints.
        dtype: str, as safetensors names it: "F32", "F16", "BF16", "F64" or another.
        read: function without arguments that gives the array.
    """

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray]

    @property
    def nbytes(self):
        """What the array takes."""
        return math.prod(self.shape) * _ITEM_SIZES.get(self.dtype, 1)


@dataclasses.dataclass(frozen=True)
class Head:
    """The head that a checkpoint was fine-tuned with.

    Args:
        kind: one of `HEADS`, or, in words, what else it is for.
        num_classes: int.
        label_names: tuple of str, the names of the classes; empty where they have none.
    """

    kind: str
    num_classes: int
    label_names: tuple[str, ...] = ()

    @property
    def is_known(self):
        """Whether it is of a kind that a model here can have."""
        return self.kind in HEADS

    def rows(self, kind, num_classes, label_names=()):
        """Which of the head's rows stands for each class of a model.

        Names are compared without regard to case. Names that only count ("LABEL_0", "0") and
        names that are not given are matched by their position.

        Args:
            kind: one of `HEADS`.
            num_classes: int.
            label_names: sequence of str. May be empty.

        Returns:
            tuple of ints.

        Raises:
            InputError: where the head is for something else.
        """
        if (kind, num_classes) != (self.kind, self.num_classes):
            raise InputError(
                f"the checkpoint's head must be for {kind}, {num_classes} outputs. "
                f"Received: {self.kind}, {self.num_classes} outputs"
            )
        theirs, ours = _comparable(self.label_names), _comparable(label_names)
        if not theirs or not ours or theirs == ours:
            return tuple(range(num_classes))
        if sorted(theirs) != sorted(ours) or len(set(ours)) < num_classes:
            raise InputError(
                f"the checkpoint's head must have the classes {list(label_names)}. "
                f"Received: {list(self.label_names)}"
            )
        return tuple(theirs.index(name) for name in ours)


def _comparable(names):
    if all(name in (f"LABEL_{index}", str(index)) for index, name in enumerate(names)):
        return ()
    return tuple(name.casefold().replace("-", "_").replace(" ", "_") for name in names)


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose sizes are known to fit each other; its weights have not been read.

    A format is a module that makes these: see `opening`. Whatever the format, its tensors go by
    the names and shapes that Hugging Face gives them, which `huggingface.encoder_table` lists.

    Args:
        weights: str, where the weights come from, for errors.
        settings: str, where the sizes come from, for errors.
        config: `EncoderConfig`.
        tensors: function without arguments that gives a context manager over a dict of
            `StoredTensor` by name.
        head: `Head`, or None where the checkpoint has none.
        vocabulary: path of a vocab.txt or a spiece.model, or None.
        lowercase: bool, whether the vocabulary is uncased; None where the checkpoint is silent.
        reduction: `Reduction` that the weights were trained with, where the checkpoint says it.
        files: tuple of paths, those that hold the weights.
        sequence_length: int, the N that the weights were trained with, where the checkpoint says
            it.
    """

    weights: str
    settings: str
    config: EncoderConfig
    tensors: Callable[[], contextlib.AbstractContextManager]
    head: Head | None = None
    vocabulary: pathlib.Path | None = None
    lowercase: bool | None = None
    reduction: Reduction | None = None
    files: tuple[pathlib.Path, ...] = ()
    sequence_length: int | None = None


def check_bytes(tensors, files):
    """Raises InputError where tensors claim more bytes than their files have.

    Some formats give each tensor a shape without saying where it ends, so that a small file may
    claim any size.
    """
    claimed = sum(tensor.nbytes for tensor in tensors.values())
    present = sum(file.stat().st_size for file in files)
    if claimed > present:
        raise InputError(
            f"{files[0]} is corrupt or cut short: its tensors take {claimed} bytes. "
            f"Received: {present} bytes"
        )


def vocabulary_in(folder):
    """The path of a folder's vocabulary; that of a vocab.txt where there is none."""
    paths = [folder / name for name in _VOCABULARIES]
    return next((path for path in paths if path.exists()), paths[0])


def with_vocabulary(checkpoint, path):
    """The checkpoint with a vocabulary that fits its embeddings; without one where there is none.

    The embedding must have a row for each line, and no more, unless the lines were rounded up to
    a multiple of 8 or 64. What is in a spiece.model is known to its tokenizer alone.
    """
    rows = checkpoint.config.vocabulary_size
    if not path.exists():
        return checkpoint
    if path.suffix == ".model":
        return dataclasses.replace(checkpoint, vocabulary=path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    padded = {-(-lines // multiple) * multiple for multiple in _VOCABULARY_PADDING}
    if rows not in {lines, *padded}:
        raise InputError(
            f"{path} must have a line for each of the {rows} word embeddings in the weights. "
            f"Received: {lines} lines"
        )
    return dataclasses.replace(checkpoint, vocabulary=path)
