"""The tokenizer that a folder or a file of a vocabulary is for."""

import pathlib

from power_bert_tf.data.sentence_pieces import SentencePieceTokenizer
from power_bert_tf.data.word_pieces import WordPieceTokenizer
from power_bert_tf.errors import InputError

# Each has `tokenize`, `pieces`, `vocabulary_size` and the ids of the special tokens; `to_bytes`
# and `from_file` write and read the file called `file_name`.
TOKENIZERS = (WordPieceTokenizer, SentencePieceTokenizer)


def tokenizer_from_folder(folder, lowercase=True):
    """The tokenizer whose file is in a folder: vocab.txt or spiece.model.

    Args:
        folder: path of a checkpoint, or of a run.
        lowercase: bool. Whether the model is uncased.

    Raises:
        InputError: where there is no such file, or it cannot be used.
    """
    folder = pathlib.Path(folder)
    for tokenizer in TOKENIZERS:
        if (folder / tokenizer.file_name).exists():
            return tokenizer.from_file(folder / tokenizer.file_name, lowercase)
    names = " or ".join(tokenizer.file_name for tokenizer in TOKENIZERS)
    hint = ""
    if (folder / "merges.txt").exists():
        hint = ": it is cut into byte pairs (merges.txt), which this package cannot do to texts"
    raise InputError(f"{folder} must have a vocabulary, {names}. Received: none{hint}")


def tokenizer_from_file(path, lowercase=True):
    """The tokenizer of a file: SentencePiece's where its name ends in .model, else WordPiece's."""
    is_model = pathlib.Path(path).suffix == ".model"
    return (SentencePieceTokenizer if is_model else WordPieceTokenizer).from_file(path, lowercase)
