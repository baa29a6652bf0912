"""A word-piece tokenizer for the package `tokenizers`, which TensorFlow has no part in."""

from power_bert_tf.deploy.runtimes.conversion import import_optional

# The tables of characters that `tokenizers` splits words by are of an older Unicode than
# TensorFlow's; those of its regular expressions are not. The range is of Chinese characters that it
# does not know as such.
_ALONE = r"[\p{P}\x{2B820}-\x{2B91F}]"
_UNSEEN = r"\p{Cf}"
_ACCENTS = r"\p{Mn}"


def bare_tokenizer(tokenizer):
    """A `WordPieceTokenizer` as a `tokenizers.Tokenizer`, which adds no special tokens.

    Special tokens are pieces of the vocabulary and nothing more, so that a text cannot forge them.
    The ids are equal but for a few dozen rare characters that versions of Unicode disagree on.
    """
    tokenizers = import_optional("tokenizers", "openvino")
    normalizers, pre_tokenizers = tokenizers.normalizers, tokenizers.pre_tokenizers

    def without(pattern):
        return normalizers.Replace(tokenizers.Regex(pattern), "")

    ids = {piece: index for index, piece in enumerate(tokenizer.vocabulary)}
    bare = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    steps = [without(_UNSEEN)]
    if tokenizer.lowercase:
        steps += [normalizers.NFD(), without(_ACCENTS)]
    steps.append(normalizers.BertNormalizer(lowercase=tokenizer.lowercase))
    bare.normalizer = normalizers.Sequence(steps)
    alone = pre_tokenizers.Split(tokenizers.Regex(_ALONE), "isolated")
    bare.pre_tokenizer = pre_tokenizers.Sequence([alone, pre_tokenizers.BertPreTokenizer()])
    return bare
