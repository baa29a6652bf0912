"""Which word-vectors each encoder drops, for texts that one can read."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from power_bert_tf.errors import InputError
from power_bert_tf.layers import Extract
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling.text_model import TextModel


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

    def lines(self, strike="~~{}~~".format):
        """One line for each encoder that drops something, what it drops struck out.

        Args:
            strike: function that strikes out a str; Markdown's way where left out.
        """
        lines, there = [], set(range(len(self.pieces)))
        for index, kept in enumerate(self.kept):
            if kept != there:
                words = [
                    self.pieces[position] if position in kept else strike(self.pieces[position])
                    for position in sorted(there)
                ]
                lines.append(f"encoder {index + 1:2}: {' '.join(words)}")
            there = kept
        return lines


def trace(model, preprocessor, texts, text_pairs=None):
    """Follows texts through a PoWER-BERT.

    Reads the priorities that the extract layers of the graph work from, and repeats their choice.

    Args:
        model: `BertClassifier` with `Extraction`.
        preprocessor: `Preprocessor` of the model's sequence length.
        texts: sequence of str.
        text_pairs: sequence of str or None.

    Returns:
        list of `Trace`.

    Raises:
        InputError: where the model eliminates nothing.

    Reference: PoWER-BERT, figure 8.
    """
    if not isinstance(model.reduction, Extraction):
        raise InputError(
            "`model` must be a PoWER-BERT, built with `Extraction`. "
            f"Received: reduction={type(model.reduction).__name__}"
        )
    layers = [layer for layer in model.layers if isinstance(layer, Extract)]
    watched = TextModel(
        model.input, {"outputs": model.output, "extracts": [layer.input[2:] for layer in layers]}
    )
    inputs = preprocessor(
        tf.constant(list(texts)),
        None if text_pairs is None else tf.constant(list(text_pairs)),
        sequence_length=model.sequence_length,
    )
    seen = keras.tree.map_structure(keras.ops.convert_to_numpy, watched(inputs, training=False))
    traces = []
    for row in range(len(texts)):
        words = int(inputs["padding_mask"][row].numpy().sum())
        pieces = preprocessor.tokenizer.pieces(inputs["token_ids"][row, :words].numpy())
        positions, kept = np.arange(model.sequence_length), []
        by_layer = dict(zip((layer.name for layer in layers), seen["extracts"], strict=True))
        for index in range(model.config.num_layers):
            watched_inputs = by_layer.get(f"encoder_{index}_extract")
            if watched_inputs is not None:
                length = model.get_layer(f"encoder_{index}_extract").length
                rows, there = _choose(length, *(each[row] for each in watched_inputs))
                positions, visible = positions[rows], set(positions[there].tolist())
            else:
                visible = kept[-1] if kept else set(range(words))
            kept.append(visible)
        traces.append(Trace(pieces, kept, seen["outputs"][row]))
    return traces


def _choose(length, score, padding_mask, budget=None):
    """The rows that an extract layer keeps of one text, and those of them that it may see."""
    there = padding_mask > 0
    order = _order(score, there)
    if budget is not None:
        # What is beyond the text's own budget counts as padding from here on, as in the layer.
        there[order[int(budget) :]] = False
        order = _order(score, there)
    return np.sort(order[:length]), order[: min(length, there.sum())]


def _order(score, there):
    """Rows by priority: CLS, words by score, the rest; ties to the earlier row."""
    priority = np.where(there, score, -np.inf)
    priority[0] = np.inf
    return np.argsort(-priority, kind="stable")
