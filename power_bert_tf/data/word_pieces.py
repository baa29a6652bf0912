"""Text to word pieces as BERT does it, inside the TensorFlow graph."""

import os
import reprlib
from collections.abc import Iterable
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from power_bert_tf.data.rows import read_lines
from power_bert_tf.errors import InputError

_MAX_CHARACTERS_PER_WORD = 100
_MAX_BYTES_PER_WORD = 4 * _MAX_CHARACTERS_PER_WORD

# Patterns are RE2's. Every Unicode space is a separator; control, format and private-use
# characters and the replacement character leave no trace.
_SPACES = r"[\t\n\r\p{Z}]"
_DROPPED = r"[\x{FFFD}\p{C}]+"
# All of ASCII that is neither letter, digit nor space counts as punctuation, as "$" and "^" do;
# each CJK ideograph is a word of its own.
_ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"
_IDEOGRAPHS = (
    r"\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}"
    r"\x{20000}-\x{2A6DF}\x{2A700}-\x{2CEAF}\x{2F800}-\x{2FA1F}"
)
_SINGLES = rf"[\p{{P}}{_ASCII_PUNCTUATION}{_IDEOGRAPHS}]"
_OVERLONG = rf"[^ ]{{{_MAX_CHARACTERS_PER_WORD + 1},}}"


class WordPieceTokenizer(tf.Module):
    """BERT's basic tokenization and WordPiece, as TensorFlow ops.

    Control characters are dropped, white space splits, every punctuation mark and every CJK
    ideograph stands alone, and each word is cut greedily into the longest pieces of the vocabulary.
    A word of more than 100 characters, or one that the vocabulary cannot spell, is `[UNK]`.
    Uncased models lower the case and strip accents (canonical decomposition without its
    nonspacing marks); cased models keep both.

    The ids are those of `tokenizers.BertWordPieceTokenizer`, with these exceptions:

    - Text cannot forge special tokens. "[CLS]" or "[MASK]" in a text is punctuation around a word,
      as in BERT's reference code; `tokenizers` hands out the special token.
    - The two libraries carry Unicode tables of different age, so punctuation, accents, format
      characters and capitals that entered Unicode after about 2015 may differ, all in rare
      scripts; and `tokenizers` does not know U+2B820 to U+2B91F as ideographs. Of 1,112,064 code
      points, 882 (uncased) and 418 (cased) differ from `tokenizers` 0.23.3.

    A capital sigma becomes σ wherever it stands, as in `tokenizers`; BERT's first code made it ς at
    the end of a word. Lower-casing does not depend on the locale of the process.

    Bytes that are not UTF-8 are dropped, as the replacement character is: this class never fails
    on a text. (Readers of files refuse such bytes instead.)

    Beyond core TensorFlow the graph needs `FastWordpieceTokenizeWithOffsets` and, uncased,
    `NormalizeUTF8`: a process that loads an exported one imports `tensorflow_text`.

    Args:
        vocabulary: sequence of str. The word pieces in the order of their ids, with "[PAD]",
            "[UNK]", "[CLS]" and "[SEP]" among them; a piece inside a word begins with "##".
        lowercase: bool. Whether the model is uncased. Defaults to `True`.

    Raises:
        InputError: a special token is missing, or a piece is empty or comes twice.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##afford", "##able"]
    >>> tokenizer = WordPieceTokenizer(vocabulary)
    >>> tokenizer.tokenize(["Unaffordable"]).to_list()
    [[4, 5, 6]]

    Reference:
        [BERT, Devlin et al., 2019](https://arxiv.org/abs/1810.04805), section 3
    """

    file_name = "vocab.txt"

    def __init__(self, vocabulary: Sequence[str], lowercase: bool = True):
        super().__init__(name="word_piece_tokenizer")
        self.vocabulary = tuple(vocabulary)
        self.lowercase = lowercase
        ids = _index(self.vocabulary)
        self.pad_id = ids["[PAD]"]
        self.unk_id = ids["[UNK]"]
        self.cls_id = ids["[CLS]"]
        self.sep_id = ids["[SEP]"]
        self._word_pieces = tf_text.FastWordpieceTokenizer(
            list(self.vocabulary),
            max_bytes_per_word=_MAX_BYTES_PER_WORD,
            token_out_type=tf.int32,
        )

    @classmethod
    def from_file(cls, path: str | os.PathLike, lowercase: bool = True) -> "WordPieceTokenizer":
        """Reads a `vocab.txt`: UTF-8, one piece a line, in the order of the ids."""
        vocabulary = [line for _, line in read_lines(path)]
        try:
            return cls(vocabulary, lowercase)
        except InputError as error:
            raise InputError(f"{os.fspath(path)}: {error}") from None

    def to_bytes(self) -> bytes:
        """The contents of a file that `from_file` reads back."""
        return "".join(f"{piece}\n" for piece in self.vocabulary).encode()

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def normalize(self, text) -> tf.Tensor:
        """Text (batch,) to words separated by spaces (batch,): all that precedes WordPiece."""
        text = tf.convert_to_tensor(text, tf.string)
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        text = tf.strings.regex_replace(text, _SPACES, " ")
        text = tf.strings.regex_replace(text, _DROPPED, "")
        if self.lowercase:
            text = lower(strip_accents(text, "NFD"))
        text = tf.strings.regex_replace(text, _SINGLES, r" \0 ")
        # WordPiece limits a word in bytes, BERT in characters: what has too many characters is
        # made to have too many bytes.
        return tf.strings.regex_replace(text, _OVERLONG, "x" * (_MAX_BYTES_PER_WORD + 1))

    def tokenize(self, text) -> tf.RaggedTensor:
        """Text (batch,) to the ids of its word pieces, int32 (batch, pieces)."""
        return self._word_pieces.tokenize(self.normalize(check_batch(text)))

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces of `ids` (a list, an array or an eager tensor of rank 1)."""
        return [self.vocabulary[int(index)] for index in ids]

    def part_of_word(self, piece: str) -> tuple[str, bool]:
        """What a piece spells, and whether it goes on with the word before it."""
        return piece.removeprefix("##"), piece.startswith("##")


def check_batch(text) -> tf.Tensor:
    """Text as a tensor of shape (batch,).

    Raises:
        InputError: it has another rank.
    """
    text = tf.convert_to_tensor(text, tf.string)
    if text.shape.rank != 1:
        raise InputError(
            "`text` must be a batch of strings of shape (batch,). "
            f"Received: text.shape={text.shape}"
        )
    return text


def strip_accents(text, form) -> tf.Tensor:
    """Text decomposed by a normal form of Unicode ("NFD", "NFKD"), without nonspacing marks."""
    return tf.strings.regex_replace(tf_text.normalize_utf8(text, form), r"\p{Mn}+", "")


def lower(text) -> tf.Tensor:
    """Text without capitals, the same in every process and wherever a letter stands."""
    # TensorFlow lowers by the locale (a Turkish one turns I into ı) and by the context (a
    # final sigma). ASCII and sigma go first, so that neither is left to depend on it.
    text = tf.strings.lower(tf.strings.regex_replace(text, "Σ", "σ"))
    return tf.strings.lower(text, encoding="utf-8")


def _index(vocabulary: tuple[str, ...]) -> dict[str, int]:
    ids = {}
    for index, piece in enumerate(vocabulary):
        if not isinstance(piece, str) or not piece:
            raise InputError(
                "`vocabulary` must hold non-empty strings. "
                f"Received: {piece!r} at id {index} (line {index + 1})"
            )
        if piece in ids:
            raise InputError(
                "`vocabulary` must hold each piece once. "
                f"Received: {piece!r} at ids {ids[piece]} and {index} (line {index + 1})"
            )
        ids[piece] = index
    missing = [name for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if name not in ids]
    if missing:
        raise InputError(
            f"`vocabulary` must hold [PAD], [UNK], [CLS] and [SEP]; missing {', '.join(missing)}."
            f" Received: {len(vocabulary)} pieces, {reprlib.repr(list(vocabulary[:4]))} first"
        )
    return ids
