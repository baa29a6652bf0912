"""Which word-vectors each encoder drops, for texts that one can read."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from power_bert_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Trace:
    """The way of one text through the encoders.

    Args:
        pieces: list of str, the text's word-pieces with [CLS] and [SEP].
        kept: list of sets of int, for each encoder the positions that are still there after it.
        outputs: float32 array, the model's answer.
    """

    pieces: list
    kept: list
    outputs: np.ndarray

    def steps(self):
        """For each encoder that drops something: its number from 1, and what came to it.

        Yields (int, list of (piece, whether it stays)).
        """
        there = set(range(len(self.pieces)))
        for index, kept in enumerate(self.kept):
            if kept != there:
                words = [(self.pieces[position], position in kept) for position in sorted(there)]
                yield index + 1, words
            there = kept

    def lines(self, strike="~~{}~~".format):
        """One line for each encoder that drops something, what it drops struck out.

        Args:
            strike: function that strikes out a str; Markdown's way where left out.
        """
        return [
            f"encoder {number:2}: "
            + " ".join(piece if stays else strike(piece) for piece, stays in words)
            for number, words in self.steps()
        ]


def trace(model, preprocessor, texts, text_pairs=None):
    """Follows texts through a model that drops word-vectors.

    Args:
        model: `BertClassifier` whose reduction drops word-vectors, whatever the method.
        preprocessor: `Preprocessor` of the model's sequence length.
        texts: sequence of str.
        text_pairs: sequence of str or None.

    Returns:
        list of `Trace`.

    Raises:
        InputError: where the model eliminates nothing.

    Reference: PoWER-BERT, figure 8.
    """
    if not model.reduction.drops:
        raise InputError(
            "`model` must be one that drops word-vectors. "
            f"Received: reduction={type(model.reduction).__name__}"
        )
    seen, texts_pieces = follow(model, preprocessor, texts, text_pairs)
    traces = []
    for row, pieces in enumerate(texts_pieces):
        # Positions count from 1, and 0 is padding.
        kept = [
            set((seen[f"encoder_{index}_positions"][row] - 1).tolist()) - {-1}
            for index in range(model.config.num_layers)
        ]
        traces.append(Trace(pieces, kept, seen["outputs"][row]))
    return traces


def follow(model, preprocessor, texts, text_pairs=None):
    """What a model's traced graph says of texts, padded to N.

    Args:
        model, preprocessor, texts, text_pairs: see `trace`.

    Returns:
        dict of arrays as `BertClassifier.traced` has them, and for each text its word-pieces.
    """
    inputs = preprocessor(
        tf.constant(list(texts)),
        None if text_pairs is None else tf.constant(list(text_pairs)),
        sequence_length=model.sequence_length,
    )
    seen = model.traced()(inputs, training=False)
    rows = zip(inputs["token_ids"].numpy(), inputs["padding_mask"].numpy(), strict=True)
    pieces = [preprocessor.tokenizer.pieces(ids[mask == 1]) for ids, mask in rows]
    return keras.tree.map_structure(keras.ops.convert_to_numpy, seen), pieces
