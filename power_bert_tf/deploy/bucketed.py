"""Inference in length buckets, so that short texts are not padded to the full length."""

import dataclasses

import numpy as np

from power_bert_tf.deploy.compiled import compile_graph
from power_bert_tf.errors import InputError


def bucket_lengths(sequence_length):
    """Lengths to pad to: finer steps for short texts, N itself last.

    Every multiple of 8 up to 64, of 16 up to 128, of 32 up to 256 and so on: at most an eighth
    or so of a batch is padding, and there are few graphs.
    """
    lengths, length, step = [], 0, 8
    while length + step < sequence_length:
        length += step
        lengths.append(length)
        if length == 8 * step:
            step *= 2
    return (*lengths, sequence_length)


@dataclasses.dataclass(frozen=True)
class Batch:
    """Texts of one bucket: where they stood, and their inputs, (batch, length) each."""

    rows: np.ndarray
    length: int
    inputs: dict


class BucketedClassifier:
    """A classifier compiled once for each length that it is used at.

    Sorts texts by length, cuts them into batches, pads each batch to its bucket and gives the
    answers back in the order of the texts. Shares its variables with the model.

    Args:
        model: `BertClassifier`.
        lengths: lengths to pad to, the longest at most the model's; `bucket_lengths` of the
            model's sequence length where None. `(model.sequence_length,)` pads to N.
        batch_size: int.
        jit_compile: bool, XLA.

    Raises:
        InputError: where `batch_size` is below 1.
    """

    def __init__(self, model, lengths=None, batch_size=128, jit_compile=False):
        if batch_size < 1:
            raise InputError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self.model = model
        self.lengths = tuple(sorted(lengths or bucket_lengths(model.sequence_length)))
        self.batch_size = batch_size
        self.jit_compile = jit_compile
        self._functions = {}

    def batches(self, token_ids, segment_ids):
        """Cuts texts into batches.

        Args:
            token_ids, segment_ids: lists of int sequences, one for each text.

        Returns:
            list of `Batch`.
        """
        sizes = np.array([len(ids) for ids in token_ids], dtype="int64")
        order = np.argsort(sizes, kind="stable")
        batches = []
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            length = next(each for each in self.lengths if each >= sizes[rows].max())
            inputs = {
                name: np.zeros((len(rows), length), dtype="int32")
                for name in ("token_ids", "segment_ids", "padding_mask")
            }
            for place, row in enumerate(rows):
                inputs["token_ids"][place, : sizes[row]] = token_ids[row]
                inputs["segment_ids"][place, : sizes[row]] = segment_ids[row]
                inputs["padding_mask"][place, : sizes[row]] = 1
            batches.append(Batch(rows, length, inputs))
        return batches

    def run(self, batches):
        """Runs batches; returns float32 outputs of shape (texts, outputs), in text order."""
        answers = [self._function(batch.length)(batch.inputs) for batch in batches]
        outputs = np.empty((sum(map(len, answers)), answers[0].shape[1]), dtype="float32")
        for batch, answer in zip(batches, answers, strict=True):
            outputs[batch.rows] = answer
        return outputs

    def _function(self, length):
        if length not in self._functions:
            self._functions[length] = compile_graph(self.model, length, self.jit_compile)
        return self._functions[length]

    def predict(self, preprocessor, texts, text_pairs=None):
        """Answers for texts, float32 of shape (texts, outputs), in their order.

        Args:
            preprocessor: `Preprocessor`.
            texts: sequence of str.
            text_pairs: sequence of str or None.
        """
        return self.run(self.batches(*encode_texts(preprocessor, texts, text_pairs)))


def encode_texts(preprocessor, texts, text_pairs=None):
    """Token and segment ids of texts, unpadded: two lists of lists of int."""
    import tensorflow as tf

    pairs = None if text_pairs is None else tf.constant(list(text_pairs), tf.string)
    encoded = preprocessor.ragged(tf.constant(list(texts), tf.string), pairs)
    return tuple(ids.to_list() for ids in encoded)
