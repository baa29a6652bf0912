"""Random texts of real texts' lengths, and batches of them, for libraries to answer."""

import numpy as np

INPUTS = ("token_ids", "padding_mask", "segment_ids")


def lengths_of(arguments):
    """The lengths of the texts that are measured, an int array."""
    length = arguments.sequence_length
    if arguments.lengths is None:
        return np.full(arguments.texts or arguments.batch_size, length)
    given = np.array([int(line) for line in arguments.lengths.read_text().split()])
    random = np.random.default_rng(0)
    chosen = given if arguments.texts is None else random.choice(given, arguments.texts)
    return np.minimum(chosen, length)


def texts_of(sizes, seed=0):
    """Texts of random word-pieces, a list of int arrays."""
    random = np.random.default_rng(seed)
    return [random.integers(1000, 30000, size) for size in sizes]


def batches_of(token_ids, batch_size, length=None):
    """Inputs of texts in their order, each batch padded to its longest or to `length`."""
    batches = []
    for begin in range(0, len(token_ids), batch_size):
        texts = token_ids[begin : begin + batch_size]
        shape = (len(texts), length or max(map(len, texts)))
        inputs = {name: np.zeros(shape, "int32") for name in INPUTS}
        for row, ids in enumerate(texts):
            inputs["token_ids"][row, : len(ids)] = ids
            inputs["padding_mask"][row, : len(ids)] = 1
        batches.append(inputs)
    return batches


def words_of(vocabulary):
    """Whole words of a vocab.txt that are one word-piece each, an array of str."""
    pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    return np.array([piece for piece in pieces if piece.isascii() and piece.isalpha()])


def strings_of(sizes, vocabulary):
    """Texts of random words, a list of str, of so many word-pieces with the two special ones."""
    random, words = np.random.default_rng(0), words_of(vocabulary)
    return [" ".join(random.choice(words, max(0, size - 2))) for size in sizes]
