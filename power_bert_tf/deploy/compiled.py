"""Compiled inference: a classifier's fastest graph, with packed rows or in length buckets."""

import math
import numbers
import os
import reprlib

import numpy as np

from power_bert_tf.deploy.batching import MOST_WORDS
from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.batching import check_batch_overhead
from power_bert_tf.deploy.batching import make_batches
from power_bert_tf.deploy.batching import make_packed_batches
from power_bert_tf.deploy.quantization import CALIBRATION_BATCH
from power_bert_tf.deploy.runtimes import NATIVE
from power_bert_tf.deploy.runtimes import default_runtime
from power_bert_tf.deploy.runtimes import load_runtime
from power_bert_tf.errors import InputError

# Bytes of weights that buckets may keep beside the model's own.
MOST_BUCKET_BYTES = 2 * 2**30


class CompiledClassifier:
    """A classifier compiled for inference.

    Sorts texts by length, cuts them into batches and gives the answers back in the order of the
    texts, which are the model's own: to 1e-4 in float32. It computes in one of two forms:

    - *packed rows*, on TensorFlow, OpenVINO and ONNX Runtime: one graph for every length and batch
      size, which computes no padding but in attention (see `BertClassifier.for_inference`);
    - *length buckets* everywhere: each batch is padded to its bucket, and each bucket is a graph
      of static length, which some runtimes keep a copy of the weights for.

    On TensorFlow and JAX they follow the model when it learns further; the other runtimes keep the
    weights that it had when its graphs were compiled.

    Args:
        model: `BertClassifier`.
        preprocessor: `Preprocessor`, needed for `predict` alone.
        lengths: lengths to pad to, the longest at most the model's; where None packed rows, or
            `bucket_lengths` of the model's sequence length where rows cannot be packed.
            `(model.sequence_length,)` pads to N, and a model whose reduction sees padding is given
            nothing else.
        batch_size: int, the most texts in a batch.
        runtime: one of `RUNTIMES`; where None the backend that Keras runs on, OpenVINO for int8.
        dtype: "float32", "bfloat16", "float16" or, on OpenVINO, "int8", what the encoders compute
            in.
        jit_compile: bool, XLA, for TensorFlow; JAX always compiles by it.
        lean: bool. Leave out outputs that are not used (see `BertClassifier.for_inference`); False
            keeps the graph that was trained.
        batch_overhead: number. What a batch costs beside its word-vectors, in word-vectors: the
            higher it is, the more lengths share a batch. For buckets.
        packed: bool. Whether rows are packed; None for what `lengths` says.
        most_words: int. The most word-vectors in a batch of packed rows, counted with the padding
            that attention sees; a text that is longer is a batch by itself.
        calibration: for int8, which goes with packed rows or one length: a few hundred texts like
            those to come, `(token_ids, segment_ids)` as `predict_tokens` takes them, to see how
            large what is multiplied gets; or the path of what `save_quantized` wrote.
        most_bucket_bytes: int. Where `lengths` is None and the runtime keeps a copy of the weights
            for every bucket, there are no more buckets than so many bytes of weights allow.

    Attributes:
        weight_bytes: int, the bytes of weights that its graphs keep beside the model's own once
            all are compiled. `notebooks/benchmarks/memory.py` measures what a process takes.

    Raises:
        InputError: where an argument is out of range, or the runtime is not there.

    Example:

    ```python
    compiled = CompiledClassifier(power, preprocessor, dtype="bfloat16")
    compiled.warm_up()
    probabilities = compiled.predict(["A fine film.", "A dull one."])
    ```
    """

    def __init__(
        self,
        model,
        preprocessor=None,
        lengths=None,
        batch_size=128,
        runtime=None,
        dtype="float32",
        jit_compile=False,
        lean=True,
        batch_overhead=64,
        packed=None,
        most_words=MOST_WORDS,
        calibration=None,
        most_bucket_bytes=MOST_BUCKET_BYTES,
    ):
        if not isinstance(batch_size, numbers.Integral) or batch_size < 1:
            raise InputError(
                f"`batch_size` must be an int of at least 1. Received: batch_size={batch_size!r}"
            )
        if not isinstance(most_words, numbers.Integral) or most_words < 1:
            raise InputError(
                f"`most_words` must be an int of at least 1. Received: most_words={most_words!r}"
            )
        check_batch_overhead(batch_overhead)
        self.runtime = default_runtime(dtype) if runtime is None else runtime
        self._module = load_runtime(self.runtime, dtype)
        packs = model.packs and lean and not jit_compile and self._module.PACKS
        if packed and (lengths is not None or not packs):
            raise InputError(
                "`packed` goes without `lengths`, `jit_compile` and lean=False, with the runtimes "
                "tensorflow, openvino and onnx, and with a reduction for inference that does not "
                f"see padding. Received: packed=True, lengths={lengths}, runtime={self.runtime!r}, "
                f"reduction={type(model.reduction).__name__}, jit_compile={jit_compile}, "
                f"lean={lean}"
            )
        self.packed = packs and lengths is None if packed is None else packed
        if self.packed or model.reduction.sees_padding:
            lengths = (model.sequence_length,)
        if lengths is None:
            most = most_buckets(model, self.runtime, most_bucket_bytes)
            lengths = bucket_lengths(model.sequence_length, most)
        if not lengths or min(lengths) < 1 or max(lengths) > model.sequence_length:
            raise InputError(
                f"`lengths` must be from 1 to the model's sequence length {model.sequence_length}. "
                f"Received: lengths={tuple(lengths)}"
            )
        if jit_compile and self.runtime not in NATIVE:
            raise InputError(
                f"`jit_compile` goes with the runtimes {' and '.join(NATIVE)}. "
                f"Received: jit_compile=True, runtime={self.runtime!r}"
            )
        if (dtype == "int8") != (calibration is not None):
            raise InputError(
                "`calibration` must be given for int8, and for nothing else: texts to calibrate "
                f"on, or a file. Received: dtype={dtype!r}, "
                f"calibration={reprlib.repr(calibration)}"
            )
        if dtype == "int8":
            _check_calibration(calibration)
        if dtype == "int8" and not self.packed and len(set(lengths)) > 1:
            raise InputError(
                "int8 goes with packed rows or one length. "
                f"Received: lengths={tuple(lengths)}, packed={self.packed}"
            )
        self.model = model
        self.preprocessor = preprocessor
        self._calibration = calibration
        self.lengths = tuple(sorted(set(lengths)))
        graphs = 1 if self.packed else len(self.lengths)
        self.weight_bytes = graphs * _bytes_a_graph(model, self.runtime, self.packed)
        self.batch_size = batch_size
        self.dtype = dtype
        self.jit_compile = jit_compile
        self.lean = lean
        self.batch_overhead = batch_overhead
        self.most_words = most_words
        self._static_batch = jit_compile or self._module.STATIC_BATCH
        self.batch_sizes = _batch_sizes(batch_size, self._static_batch)
        # Rounding the weights once a call costs less than in every layer of every batch.
        own = dtype if self.runtime in NATIVE else "float32"
        self._computing = model if own == model.compute_dtype else model.with_dtype(own)
        self._functions = {}

    def warm_up(self, batch_sizes=None):
        """Compiles the graph, or every bucket, so that no text has to wait. Returns itself.

        Args:
            batch_sizes: ints, the numbers of rows to compile for. Where None, all that are
                compiled for themselves: under XLA, and in JAX and LiteRT, those in
                `self.batch_sizes`; elsewhere one row and a full batch, which stand for all.
        """
        names = ("token_ids", "segment_ids", "padding_mask")
        if batch_sizes is None:
            batch_sizes = self.batch_sizes if self._static_batch else (1, self.batch_size)
        if self.packed:
            # As many as `most_words` lets into a batch of the longest.
            most = max(1, self.most_words // self.lengths[-1])
            batch_sizes = [min(rows, most) for rows in batch_sizes]
        for length in self.lengths:
            for rows in sorted(set(batch_sizes)):
                inputs = {name: np.ones((rows, length), "int32") for name in names}
                self._function(length)(inputs)
        return self

    def predict(self, texts, text_pairs=None):
        """Answers for texts, float32 of shape (texts, outputs), in their order.

        Args:
            texts: sequence of str.
            text_pairs: sequence of str or None.

        Raises:
            InputError: where there is no `preprocessor`, or one string instead of several.
        """
        if self.preprocessor is None:
            raise InputError("`preprocessor` must be given to take strings. Received: None")
        for name, given in (("texts", texts), ("text_pairs", text_pairs)):
            if isinstance(given, (str, bytes)):
                raise InputError(
                    f"`{name}` must be a sequence of strings. Received: {reprlib.repr(given)}"
                )
        return self.predict_tokens(*self.preprocessor.encode(texts, text_pairs))

    def predict_tokens(self, token_ids, segment_ids=None):
        """Answers for texts in word-pieces, float32 of shape (texts, outputs), in their order.

        Args:
            token_ids: `tf.RaggedTensor` or list of int sequences, one for each text, with the
                special tokens and without padding.
            segment_ids: likewise; zeros where None.

        Raises:
            InputError: where a text is empty or too long, is not of ints or has one that is not
                in the vocabulary, or the two differ in shape.
        """
        return self.run(self.batches(token_ids, segment_ids))

    def batches(self, token_ids, segment_ids=None, padded=False, batch_size=None):
        """Cuts texts into batches, a list of `Batch`; see `predict_tokens`.

        Args:
            batch_size: int, the most texts in a batch, where it is to be another one.
            padded: bool. Pad all to the longest bucket. Packed rows leave the padding out again.
        """
        config = self.model.config
        token_ids = _as_rows("token_ids", token_ids, config.vocabulary_size)
        if segment_ids is None:
            segment_ids = [np.zeros_like(ids) for ids in token_ids]
        # A model that knows one segment or none does not read them.
        segments = config.num_segments if config.has_segments else math.inf
        segment_ids = _as_rows("segment_ids", segment_ids, segments)
        sizes = [len(ids) for ids in token_ids]
        if [len(ids) for ids in segment_ids] != sizes:
            raise InputError("`segment_ids` must have the shape of `token_ids`")
        if sizes and not 1 <= min(sizes) <= max(sizes) <= self.lengths[-1]:
            raise InputError(
                f"`token_ids` must have from 1 to {self.lengths[-1]} word-pieces a text. "
                f"Received: {min(sizes)} to {max(sizes)}"
            )
        batch_size = batch_size or self.batch_size
        if self.packed and not padded:
            return make_packed_batches(token_ids, segment_ids, batch_size, self.most_words)
        lengths, sizes = self.lengths[-1:] if padded else self.lengths, self.batch_sizes
        return make_batches(
            token_ids, segment_ids, lengths, sizes[:batch_size], self.batch_overhead
        )

    def run(self, batches):
        """Runs batches; returns float32 outputs of shape (texts, outputs), in text order."""
        texts = sum(len(batch.rows) for batch in batches)
        outputs = np.empty((texts, self.model.num_classes), dtype="float32")
        for batch, answers in self.run_each(batches):
            outputs[batch.rows] = answers
        return outputs

    def run_each(self, batches):
        """Runs batches one by one; yields each with its outputs, (texts of the batch, outputs)."""
        if self._computing is not self.model:
            self._computing.take_weights(self.model)
        for batch in batches:
            yield batch, self._function(batch.length)(batch.inputs)[: len(batch.rows)]

    def _function(self, length):
        length = None if self.packed else length
        if length not in self._functions:
            model = self._computing
            if self.packed:
                graph = model.for_inference(packed=True)
            elif self.lean:
                graph = model.for_inference(length)
            else:
                graph = model if length == model.sequence_length else model.at_length(length)
            self._functions[length] = self._module.compile_graph(
                graph, self.dtype, self.jit_compile, self.batch_size, **self._calibrated()
            )
        return self._functions[length]

    def save_quantized(self, path):
        """Writes the int8 graph of packed rows, which another one takes as `calibration`.

        Args:
            path: path of the .xml file; the weights stand beside it, in a .bin file.
        """
        graph = self._computing.for_inference(packed=True)
        self._module.save_quantized(graph, self._calibrated()["calibration"], path)

    def _calibrated(self):
        if self.dtype != "int8":
            return {}
        calibration = self._calibration
        if not isinstance(calibration, (str, os.PathLike)):
            count = min(self.batch_size, CALIBRATION_BATCH)
            batches = self.batches(*calibration, batch_size=count)
            calibration = [batch.inputs for batch in batches]
        return {"calibration": calibration}


def most_buckets(model, runtime, most_bytes=MOST_BUCKET_BYTES):
    """How many buckets keep at most so many bytes of weights, at least one.

    Returns:
        int, or None for any number, where graphs stand over the model's own variables.
    """
    bytes_each = _bytes_a_graph(model, runtime, packed=False)
    return max(1, most_bytes // bytes_each) if bytes_each else None


def _bytes_a_graph(model, runtime, packed):
    """The bytes of weights that a graph keeps, in float32."""
    if runtime in NATIVE:
        return 0
    # A bucket is compiled for the batch size that comes most, and for any other.
    return (1 if packed else 2) * 4 * model.count_params()


def _check_calibration(calibration):
    """Raises InputError unless it is a file that is there, or has texts."""
    if isinstance(calibration, (str, os.PathLike)):
        if not os.path.isfile(calibration):
            raise InputError(
                "`calibration` must be texts in word-pieces, or a file that is there. "
                f"Received: {str(calibration)!r}"
            )
    elif len(calibration[0]) == 0:
        raise InputError("`calibration` must hold at least one text. Received: none")


def _batch_sizes(most, static):
    """The rows computed for 1, 2, ... `most` texts."""
    if not static:
        return tuple(range(1, most + 1))
    # Few sizes, since each is compiled: powers of two, and the largest itself.
    return tuple(min(most, 1 << (count - 1).bit_length()) for count in range(1, most + 1))


def _as_rows(name, ragged, bound):
    """Each text's ids as an array of ints, from 0 to below `bound`."""
    lists = ragged.to_list() if hasattr(ragged, "to_list") else ragged
    if isinstance(lists, (str, bytes)) or not hasattr(lists, "__iter__"):
        raise InputError(f"`{name}` must be a list of lists of int. Received: {ragged!r}")
    rows = []
    for ids in lists:
        try:
            row = np.asarray(ids)
        except ValueError:  # A list of lists that differ in length.
            row = np.empty((), "O")
        if row.ndim != 1 or (row.size and not np.issubdtype(row.dtype, np.integer)):
            raise InputError(
                f"`{name}` must be a list of lists of int, one for each text. "
                f"Received: {reprlib.repr(ids)} for text {len(rows)}"
            )
        if row.size and not 0 <= row.min() <= row.max() < bound:
            raise InputError(
                f"`{name}` must be from 0 to {bound - 1}. "
                f"Received: {row.min()} to {row.max()} in text {len(rows)}"
            )
        rows.append(row)
    return rows
