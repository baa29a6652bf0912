"""What `tokenizers` cuts in an exported folder is what the run's own tokenizer cuts."""

import sys
import unicodedata

import numpy as np
import pytest

from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.deploy.tokenizer_json import bare_tokenizer

STRINGS = 100_000
# Of the characters that Python's Unicode knows, those that the versions disagree on.
DISPUTED = "\u166d\u1734\U000111c9"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *"the a film was so good bad un ##believ ##able ##s ##ing é ß 電 影 ... ! ? - ' 1 2 ½".split(),
)
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz0123456789")


def strings(count, seed=0):
    """Strings of all kinds: words, any characters of any plane, spaces, accents, long words."""
    random = np.random.default_rng(seed)
    points = np.array(
        [
            point
            for point in range(1, sys.maxunicode + 1)
            if unicodedata.category(chr(point)) not in ("Cs", "Cn", "Co")
            and chr(point) not in DISPUTED
        ]
    )
    spaces = (" ", "  ", "\t", "\n", "\u00a0", "\u2003", "\u200b", "")
    plain = ("The", "film", "wasn't", "UNBELIEVABLE", "Été", "e\u0301", "naïve", "電影", "[SEP]")
    for _ in range(count):
        parts = []
        for _ in range(random.integers(1, 9)):
            kind = random.integers(5)
            if kind == 0:
                parts.append(plain[random.integers(len(plain))])
            elif kind == 1:
                parts += [chr(each) for each in random.choice(points, random.integers(1, 6))]
            elif kind == 2:
                parts += [chr(each) for each in random.choice(points[:1200], random.integers(1, 9))]
            elif kind == 3:
                parts.append("".join(random.choice(LETTERS, random.integers(1, 130))))
            else:
                parts += list(random.choice(("!", "?", "...", "—", "´", "$", "©", "…", "½"), 2))
            parts.append(spaces[random.integers(len(spaces))])
        yield "".join(parts)


@pytest.mark.parametrize(
    ("lowercase", "count"),
    [
        (True, 1_000),
        (False, 1_000),
        pytest.param(True, STRINGS, marks=pytest.mark.slow),
        pytest.param(False, STRINGS, marks=pytest.mark.large),
    ],
)
def test_equal_ids(lowercase, count):
    vocabulary = [*SPECIAL, *dict.fromkeys((*WORDS, *LETTERS, *(f"##{each}" for each in LETTERS)))]
    tokenizer = WordPieceTokenizer(vocabulary, lowercase)
    bare, texts = bare_tokenizer(tokenizer), list(strings(count))
    theirs = [encoding.ids for encoding in bare.encode_batch(texts, add_special_tokens=False)]
    ours = tokenizer.tokenize(texts).to_list()
    differ = [text for text, one, other in zip(texts, ours, theirs, strict=True) if one != other]
    assert not differ, f"{len(differ)} of {count}, such as {differ[:3]!r}"
