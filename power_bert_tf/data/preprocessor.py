"""Texts to the three inputs of BERT: token ids, segment ids and padding mask."""

import tensorflow as tf
import tensorflow_text as tf_text

from power_bert_tf.data.examples import text_array
from power_bert_tf.data.sentence_pieces import SentencePieceTokenizer
from power_bert_tf.data.word_pieces import WordPieceTokenizer
from power_bert_tf.errors import InputError


class Preprocessor(tf.Module):
    """Turns texts, or pairs of texts, into BERT's inputs.

    A text becomes `[CLS] a [SEP]`, a pair `[CLS] a [SEP] b [SEP]` with segment 1 from `b` on. What
    is too long loses its end. Of a pair, "longest_first" cuts the longer text until both fit, and
    then both alike: where an odd number of places is left for two texts that are both cut, the
    longer one has the extra place, and the second one if they were equally long, as in Hugging
    Face's `tokenizers`. "only_first" cuts the first text, and of the second no more than does not
    fit by itself: a question keeps its words, and an article its beginning.

    Args:
        tokenizer: `WordPieceTokenizer` or `SentencePieceTokenizer`.
        sequence_length: int. The number of positions N, special tokens included.
        truncation: str. "longest_first" or "only_first". Defaults to `"longest_first"`.

    Raises:
        InputError: `sequence_length` leaves no room for the special tokens, or `truncation` is
            none of the two.

    Example:

    >>> preprocessor = Preprocessor(tokenizer, sequence_length=64)
    >>> inputs = preprocessor(["A fine film."])
    >>> inputs["token_ids"].shape
    TensorShape([1, 64])
    """

    def __init__(
        self,
        tokenizer: WordPieceTokenizer | SentencePieceTokenizer,
        sequence_length: int,
        truncation: str = "longest_first",
    ):
        super().__init__(name="preprocessor")
        _check_length(sequence_length, specials=2)
        if truncation not in _TRIM_PAIR:
            raise InputError(
                f"`truncation` must be one of {', '.join(_TRIM_PAIR)}. "
                f"Received: truncation={truncation!r}"
            )
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.truncation = truncation

    def __call__(self, text, text_pair=None, sequence_length: int | None = None) -> dict:
        """Packs and pads.

        Args:
            text: string tensor (batch,), or sequence of str.
            text_pair: likewise, or `None`.
            sequence_length: int. Replaces the preprocessor's own N for this call.

        Returns:
            A dict of int32 tensors (batch, N): "token_ids", "segment_ids" and "padding_mask" (1
            for a token, 0 for padding).
        """
        length = self.sequence_length if sequence_length is None else sequence_length
        return self._pad(*self._pack(text, text_pair, length), length)

    def pad_to_longest(self, text, text_pair=None, multiple: int = 8) -> dict:
        """As `__call__`, but N is the length of the longest text here, at most its own N.

        Args:
            text: string tensor (batch,).
            text_pair: string tensor (batch,), or `None`.
            multiple: int. N is rounded up to a multiple of it, so that few lengths occur.
        """
        token_ids, segment_ids = self.ragged(text, text_pair)
        longest = tf.cast(token_ids.bounding_shape(axis=1), tf.int32)
        length = tf.minimum(-(-longest // multiple) * multiple, self.sequence_length)
        return self._pad(token_ids, segment_ids, length)

    def _pad(self, token_ids, segment_ids, length):
        mask = tf.sequence_mask(token_ids.row_lengths(), length, dtype=tf.int32)
        shape = tf.stack([-1, length]) if tf.is_tensor(length) else (None, length)
        return {
            "token_ids": token_ids.to_tensor(self.tokenizer.pad_id, shape=shape),
            "segment_ids": segment_ids.to_tensor(0, shape=shape),
            "padding_mask": mask,
        }

    def ragged(self, text, text_pair=None) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Token ids and segment ids, int32 (batch, at most N), cut to N but not padded."""
        return self._pack(text, text_pair, self.sequence_length)

    def encode(self, texts, text_pairs=None) -> tuple[list, list]:
        """Token ids and segment ids, unpadded: two lists of lists of int.

        Args:
            texts: sequence of str.
            text_pairs: sequence of str, or `None`.
        """
        encoded = self.ragged(texts, text_pairs)
        return tuple(ids.to_list() for ids in encoded)

    def _pack(self, text, text_pair, length):
        _check_length(length, specials=2 if text_pair is None else 3)
        first = self.tokenizer.tokenize(_strings("text", text))
        if text_pair is None:
            segments = [_trim(first, length - 2)]
        else:
            second = self.tokenizer.tokenize(_strings("text_pair", text_pair))
            if not first.shape[:1].is_compatible_with(second.shape[:1]):
                raise InputError(
                    "`text_pair` must have one text for each in `text`. "
                    f"Received: {second.shape[0]} for {first.shape[0]}"
                )
            segments = _TRIM_PAIR[self.truncation](first, second, length - 3)
        return tf_text.combine_segments(segments, self.tokenizer.cls_id, self.tokenizer.sep_id)


def _strings(name, given):
    """A string tensor; of Python's strings, each of which is looked at."""
    return given if tf.is_tensor(given) else tf.constant(list(text_array(name, given)), tf.string)


def _trim(ragged, limits):
    """Keeps the first `limits` (scalar or (batch,)) items of each row."""
    lengths = ragged.row_lengths()
    limits = tf.broadcast_to(tf.cast(limits, lengths.dtype), tf.shape(lengths))
    positions = tf.ragged.range(lengths).values
    kept = tf.boolean_mask(ragged.values, positions < tf.repeat(limits, lengths))
    return tf.RaggedTensor.from_row_lengths(kept, tf.minimum(lengths, limits))


def _trim_longest(first, second, budget):
    """Cuts the longer of each pair until both together have at most `budget` items.

    `tf_text.ShrinkLongestTrimmer` cuts the same number of items but gives the odd place to the
    other text, and takes one step of a loop for each item that it cuts.
    """
    first_lengths, second_lengths = first.row_lengths(), second.row_lengths()
    shorter = tf.minimum(tf.minimum(first_lengths, second_lengths), budget // 2)
    longer = budget - shorter
    first_is_longer = first_lengths > second_lengths
    return [
        _trim(first, tf.where(first_is_longer, longer, shorter)),
        _trim(second, tf.where(first_is_longer, shorter, longer)),
    ]


def _trim_first(first, second, budget):
    """Cuts the first of each pair so that the second fits beside it, which is at most `budget`."""
    second = _trim(second, budget)
    return [_trim(first, budget - second.row_lengths()), second]


_TRIM_PAIR = {"longest_first": _trim_longest, "only_first": _trim_first}


def _check_length(length, specials):
    if not isinstance(length, int) or length < specials:
        raise InputError(
            f"`sequence_length` must be an integer of at least {specials}, to hold the special "
            f"tokens. Received: sequence_length={length!r}"
        )
