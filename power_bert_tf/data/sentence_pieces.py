"""Text to sentence pieces as ALBERT does it, inside the TensorFlow graph."""

import os
import pathlib
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from power_bert_tf.data.word_pieces import check_batch
from power_bert_tf.data.word_pieces import lower
from power_bert_tf.data.word_pieces import strip_accents
from power_bert_tf.errors import InputError

# Patterns are RE2's; these are the spaces that Python splits at.
_SPACES = r"[\s\v\x{1c}-\x{1f}\x{85}\p{Z}]+"
_WORD_START = "▁"


class SentencePieceTokenizer(tf.Module):
    """ALBERT's preprocessing and its SentencePiece model, as TensorFlow ops.

    White space is collapsed, quotes written as `` or '' become one character, characters are
    decomposed for compatibility (NFKD), accents are stripped and, for uncased models, capitals
    lowered; then the SentencePiece model cuts the text. A piece that ends in a digit and a comma is
    cut once more, so that the comma stands alone, as in the code that ALBERT was trained with.

    The ids are those of ALBERT's own code, with two exceptions: an accent is any nonspacing mark,
    whatever its combining class, and a capital sigma becomes σ wherever it stands, both as in
    `tokenizers`. (`AlbertTokenizer` of transformers 5 also loses a space before symbols that the
    model's trainer defined, such as a full stop.) Control symbols such as "[CLS]" cannot be forged
    in a text. Bytes that are not UTF-8 are dropped, and U+0000 is: this class never fails on a
    text.

    Beyond core TensorFlow the graph needs `NormalizeUTF8` and SentencePiece's ops: a process that
    loads an exported one imports `tensorflow_text`. The exported one holds the model.

    Args:
        model: bytes. The contents of a `spiece.model`, with the pieces "<pad>", "<unk>", "[CLS]"
            and "[SEP]" among its vocabulary.
        lowercase: bool. Whether the model is uncased. Defaults to `True`.

    Raises:
        InputError: it is no SentencePiece model, or a special piece is missing.

    Reference:
        [ALBERT, Lan et al., 2020](https://arxiv.org/abs/1909.11942), section 4.1, and
        [SentencePiece, Kudo and Richardson, 2018](https://arxiv.org/abs/1808.06226)
    """

    file_name = "spiece.model"

    def __init__(self, model: bytes, lowercase: bool = True):
        super().__init__(name="sentence_piece_tokenizer")
        self.lowercase = lowercase
        self._model = bytes(model)
        try:
            processor = self._processor()
            size = int(processor.vocab_size()) if self._model else 0
        except tf.errors.OpError as error:
            raise InputError(
                f"`model` must be a SentencePiece model. Received: {len(self._model)} bytes that "
                "are none"
            ) from error
        names = processor.id_to_string(tf.range(size)).numpy() if size else ()
        self.vocabulary = tuple(name.decode() for name in names)
        ids = {piece: index for index, piece in enumerate(self.vocabulary)}
        missing = [name for name in ("<pad>", "<unk>", "[CLS]", "[SEP]") if name not in ids]
        if missing:
            raise InputError(
                f"`model` must have the pieces <pad>, <unk>, [CLS] and [SEP]; missing "
                f"{', '.join(missing)}. Received: {size} pieces"
            )
        self.pad_id = ids["<pad>"]
        self.unk_id = ids["<unk>"]
        self.cls_id = ids["[CLS]"]
        self.sep_id = ids["[SEP]"]
        self._cut = self._cut_at_commas(ids)

    @classmethod
    def from_file(cls, path: str | os.PathLike, lowercase: bool = True) -> "SentencePieceTokenizer":
        """Reads a `spiece.model`."""
        try:
            model = pathlib.Path(path).read_bytes()
        except OSError as error:
            raise InputError(
                f"{os.fspath(path)}: expected a readable file. Received: {error.strerror}"
            ) from error
        try:
            return cls(model, lowercase)
        except InputError as error:
            raise InputError(f"{os.fspath(path)}: {error}") from None

    def to_bytes(self) -> bytes:
        """The contents of a file that `from_file` reads back."""
        return self._model

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def normalize(self, text) -> tf.Tensor:
        """Text (batch,) to text (batch,): all that precedes SentencePiece."""
        text = tf.convert_to_tensor(text, tf.string)
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        # What follows U+0000 would be lost when a text is decomposed.
        text = tf.strings.regex_replace(text, r"\x{00}", "")
        text = tf.strings.strip(tf.strings.regex_replace(text, _SPACES, " "))
        text = tf.strings.regex_replace(text, "``|''", '"')
        text = strip_accents(text, "NFKD")
        return lower(text) if self.lowercase else text

    def tokenize(self, text) -> tf.RaggedTensor:
        """Text (batch,) to the ids of its sentence pieces, int32 (batch, pieces)."""
        ids = self._processor().tokenize(self.normalize(check_batch(text)))
        if self._cut is None:
            return ids
        # Each piece becomes the pieces that stand for it, most of them themselves.
        pieces = tf.RaggedTensor.from_row_lengths(*self._cut)
        return tf.gather(pieces, ids).merge_dims(1, 2)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces of `ids` (a list, an array or an eager tensor of rank 1)."""
        return [self.vocabulary[int(index)] for index in ids]

    def part_of_word(self, piece: str) -> tuple[str, bool]:
        """What a piece spells, and whether it goes on with the word before it."""
        is_special = piece in ("[CLS]", "[SEP]", "<pad>")
        continues = not (is_special or piece.startswith(_WORD_START))
        return piece.removeprefix(_WORD_START), continues

    def _processor(self):
        # Made where it is used, and not kept: what it holds goes when TensorFlow clears its caches,
        # as `tf.random.set_seed` does (tensorflow/text#570). A graph gets a node with the model in
        # it, which is read once; without a graph TensorFlow finds the one that it has read before.
        return tf_text.SentencepieceTokenizer(self._model, out_type=tf.int32)

    def _cut_at_commas(self, ids):
        """What each piece is cut into: all ids in a row, and how many there are for each piece.

        None where no piece ends in a digit and a comma.
        """
        cut = {
            index: self._cut_at_comma(piece, ids)
            for index, piece in enumerate(self.vocabulary)
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()
        }
        if not cut:
            return None
        rows = [cut.get(index, [index]) for index in range(len(self.vocabulary))]
        return (
            np.concatenate(rows).astype("int32"),
            np.array([len(row) for row in rows], "int64"),
        )

    def _cut_at_comma(self, piece, ids):
        number = piece[:-1].replace(_WORD_START, "")
        first, *others = self.pieces(self._processor().tokenize([number])[0])
        if not piece.startswith(_WORD_START):
            # The model took the number for a word of its own.
            first = first.removeprefix(_WORD_START)
        pieces = [first, *others, ","] if first else [*others, ","]
        return [ids.get(each, self.unk_id) for each in pieces]
