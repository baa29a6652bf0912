"""Examples to batches: `tf.data` streams for training and for evaluation."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.examples import random_order
from power_bert_tf.data.preprocessor import Preprocessor
from power_bert_tf.data.proposed_length import word_piece_lengths
from power_bert_tf.errors import InputError

# How many batches' texts are sorted by length together, where batches are grouped by length.
_GROUPED_BATCHES = 50
# What a batch's length is rounded up to, unless padding is to be as little as can be.
_MULTIPLE = 8


def training_dataset(
    examples: Examples,
    preprocessor: Preprocessor,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    epochs: int = 1,
    pad_to_longest: bool = False,
    group_by_length: bool = False,
    by_word: Mapping[str, Sequence[np.ndarray]] | None = None,
) -> tuple[tf.data.Dataset, int]:
    """One stream of full batches over the epochs `first_epoch` to `epochs - 1`.

    The order within an epoch depends on nothing but `seed` and the epoch's number: a run that is
    resumed at `first_epoch` sees the batches that it would have seen without the interruption. What
    does not fill a batch at the end of an epoch is left out of that epoch. A training set smaller
    than the batch makes one batch of its own size.

    Args:
        examples: Examples.
        preprocessor: Preprocessor.
        batch_size: int. Examples a batch; questions for multiple choice.
        seed: int.
        first_epoch: int. The first epoch to see, counted from 0. Defaults to `0`.
        epochs: int. The number of epochs of the whole training. Defaults to `1`.
        pad_to_longest: bool. Whether a batch is padded to its longest text rather than to N.
        group_by_length: bool. Groups texts of similar length, in word-pieces, from among those of
            50 batches, and pads to the longest itself, so batches contain less padding.
        by_word: dict of name to a sequence with a float array for each text, which has a number
            for each of its word-pieces. They are further inputs, float32 (batch, N), 0 for padding.

    Returns:
        The dataset and the number of batches in an epoch. Elements are (inputs, labels): inputs
        (batch, N) as `Preprocessor` gives them, labels (batch,), int32 classes or float32 values.
        For multiple choice inputs are (batch * choices, N), the options of a question side by
        side, and labels (batch,) the indices of the right options.

    Raises:
        InputError: no examples, or a number out of its range.
    """
    _check(examples, batch_size)
    if not 0 <= first_epoch < epochs:
        raise InputError(
            "`first_epoch` must be from 0 to `epochs` - 1. "
            f"Received: first_epoch={first_epoch}, epochs={epochs}"
        )
    batch_size = min(batch_size, len(examples))
    steps = len(examples) // batch_size
    orders, sizes = [], _sizes(examples, preprocessor) if group_by_length else None
    for epoch in range(first_epoch, epochs):
        order = random_order(len(examples), seed, epoch)[: steps * batch_size]
        if group_by_length:
            batches = _grouped(order, sizes, batch_size)
            order = batches[random_order(steps, seed, epoch, 1)].ravel()
        orders.append(order)
    columns = _columns(examples)
    columns |= {name: _ragged(name, arrays, examples) for name, arrays in (by_word or {}).items()}

    def gather(indices):
        return {name: tf.gather(column, indices) for name, column in columns.items()}

    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate(orders))
    dataset = dataset.batch(batch_size, drop_remainder=True).map(gather)
    multiple = 1 if group_by_length else _MULTIPLE
    return _preprocessed(dataset, preprocessor, pad_to_longest, multiple, by_word or ()), steps


def evaluation_dataset(
    examples: Examples, preprocessor: Preprocessor, batch_size: int, pad_to_longest: bool = False
) -> tf.data.Dataset:
    """All examples once and in order, of (inputs, labels); the last batch may be smaller.

    Batches are padded to N, or each to its longest text.

    Raises:
        InputError: no examples, or `batch_size` is below 1.
    """
    _check(examples, batch_size)
    dataset = tf.data.Dataset.from_tensor_slices(_columns(examples)).batch(batch_size)
    return _preprocessed(dataset, preprocessor, pad_to_longest)


def _sizes(examples, preprocessor):
    """What each example is padded by, in word-pieces; of a question its longest option."""
    lengths = word_piece_lengths(preprocessor.tokenizer, examples)
    longest = lengths.reshape(-1, examples.choices).max(axis=1)
    return np.minimum(longest, preprocessor.sequence_length)


def _grouped(order, sizes, batch_size):
    """Batches of an order, (batches, batch_size), of similar sizes within some distance."""
    batches = []
    for begin in range(0, len(order), _GROUPED_BATCHES * batch_size):
        part = order[begin : begin + _GROUPED_BATCHES * batch_size]
        part = part[np.argsort(sizes[part], kind="stable")]
        batches.append(part.reshape(-1, batch_size))
    return np.concatenate(batches)


def _columns(examples):
    """The examples as columns; texts are (count, choices), so that questions stay whole."""

    def texts(array):
        return tf.constant(array.reshape(-1, examples.choices), tf.string)

    columns = {"text": texts(examples.texts), "label": examples.labels}
    if examples.text_pairs is not None:
        columns["text_pair"] = texts(examples.text_pairs)
    return columns


def _ragged(name, arrays, examples):
    """Arrays of the texts as a column: (count, choices, word-pieces)."""
    if len(arrays) != len(examples.texts):
        raise InputError(
            f"`by_word` must have an array for each of the {len(examples.texts)} texts. "
            f"Received: {len(arrays)} in {name!r}"
        )
    lengths = [len(array) for array in arrays]
    flat = np.concatenate([np.asarray(array, "float32") for array in arrays])
    by_text = tf.RaggedTensor.from_row_lengths(flat, lengths)
    return tf.RaggedTensor.from_uniform_row_length(by_text, examples.choices)


def _preprocessed(dataset, preprocessor, pad_to_longest, multiple=_MULTIPLE, by_word=()):
    def preprocess(batch):
        texts = [tf.reshape(batch[name], [-1]) for name in ("text", "text_pair") if name in batch]
        if pad_to_longest:
            pair = texts[1] if len(texts) == 2 else None
            inputs = preprocessor.pad_to_longest(texts[0], pair, multiple)
        else:
            inputs = preprocessor(*texts)
        length = inputs["token_ids"].shape[1] or tf.shape(inputs["token_ids"])[1]
        for name in by_word:
            by_text = batch[name].merge_dims(0, 1)
            inputs[name] = by_text.to_tensor(0.0, shape=tf.stack([-1, length]))
        return inputs, batch["label"]

    dataset = dataset.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _check(examples, batch_size):
    if not len(examples):
        raise InputError("`examples` must not be empty. Received: 0 examples")
    if batch_size < 1:
        raise InputError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
