"""The paper's rule for N, the length that inputs are padded or cut to."""

import math

import numpy as np

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.word_pieces import WordPieceTokenizer

LENGTHS = (64, 128, 256, 512)
# Of the texts, how many may be longer than what N is chosen by.
_LONGER_SHARE = 0.01
_TEXTS_AT_ONCE = 4096


def word_piece_lengths(tokenizer: WordPieceTokenizer, examples: Examples) -> np.ndarray:
    """The length of each text or pair with its special tokens, uncut, (texts,)."""
    lengths = np.zeros(len(examples.texts), int)
    for column in (examples.texts, examples.text_pairs):
        if column is None:
            continue
        for begin in range(0, len(column), _TEXTS_AT_ONCE):
            part = slice(begin, begin + _TEXTS_AT_ONCE)
            lengths[part] += tokenizer.tokenize(list(column[part])).row_lengths().numpy()
    return lengths + (2 if examples.text_pairs is None else 3)


def propose_sequence_length(lengths: np.ndarray) -> tuple[int, int]:
    """N by the paper's rule: of 64, 128, 256 and 512 the nearest to what nearly all texts have.

    Args:
        lengths: int array (texts,), the lengths of the training texts in word-pieces.

    Returns:
        N, the larger of two that are as near, and the length that at most 1 % of the texts exceed.

    Reference:
        [PoWER-BERT, Goyal et al., 2020](https://arxiv.org/abs/2001.08950), section 4.1, "Maximum
        Input Sequence Length"
    """
    allowed = math.floor(_LONGER_SHARE * len(lengths))
    nearly_all = int(np.sort(lengths)[len(lengths) - 1 - allowed])
    return min(LENGTHS, key=lambda length: (abs(length - nearly_all), -length)), nearly_all
