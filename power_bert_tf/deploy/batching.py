"""Groups texts of similar length into batches, so that batches contain little padding."""

import dataclasses
import math

import numpy as np

from power_bert_tf.errors import InputError

# Word-vectors in a batch of packed rows: more take memory, and hardly less time.
MOST_WORDS = 8192


def bucket_lengths(sequence_length, most=None):
    """Lengths to pad to: finer steps for short texts, N itself last.

    Every multiple of 8 up to 64, of 16 up to 128, of 32 up to 256 and so on: at most an eighth
    or so of a batch is padding, and there are few graphs.

    Args:
        sequence_length: int, N.
        most: int, how many there may be, the longest ones of even ranks; any number where None.
    """
    lengths, length, step = [], 0, 8
    while length + step < sequence_length:
        length += step
        lengths.append(length)
        if length == 8 * step:
            step *= 2
    lengths.append(sequence_length)
    if most is not None and len(lengths) > most:
        # Counted from the end, so that N is there.
        ranks = np.linspace(len(lengths), 0, most, endpoint=False)
        lengths = [lengths[round(rank) - 1] for rank in ranks[::-1]]
    return tuple(lengths)


def check_batch_overhead(batch_overhead):
    """Raises `InputError` unless it is a number that `cheapest_batches` can count with."""
    if not 0 <= batch_overhead < math.inf:
        raise InputError(
            "`batch_overhead` must be a number of at least 0. "
            f"Received: batch_overhead={batch_overhead}"
        )


@dataclasses.dataclass(frozen=True)
class Batch:
    """Texts of similar length: where they stood, and their inputs, (batch, length) each.

    There may be more inputs than texts, where only certain batch sizes are compiled: the rest
    is padding.
    """

    rows: np.ndarray
    length: int
    inputs: dict


def cheapest_batches(lengths, batch_sizes, overhead):
    """Cuts texts that are sorted by length into batches, so that least is computed in all.

    A batch costs `overhead` plus its rows times the length that its longest text is padded to.

    Args:
        lengths: int array (texts,), non-decreasing: the bucket of each text.
        batch_sizes: int array (most,): the rows computed for a batch of 1, 2, ... texts.
        overhead: number, what a batch costs beside its word-vectors, in word-vectors.

    Returns:
        list of slices, in order.
    """
    most = len(batch_sizes)
    # cost[i]: of the first i texts; start[i]: where their last batch begins.
    cost, start = np.zeros(len(lengths) + 1), np.zeros(len(lengths) + 1, dtype=int)
    for end, length in enumerate(lengths, start=1):
        count = min(most, end)
        costs = cost[end - count : end][::-1] + overhead + batch_sizes[:count] * length
        best = int(np.argmin(costs))
        cost[end], start[end] = costs[best], end - best - 1
    slices, end = [], len(lengths)
    while end:
        slices.append(slice(int(start[end]), end))
        end = int(start[end])
    return slices[::-1]


def make_batches(token_ids, segment_ids, lengths, batch_sizes, overhead):
    """Sorts texts by length, cuts them into batches and pads each to its bucket.

    Args:
        token_ids, segment_ids: lists of int sequences, one for each text, of at most the longest
            of `lengths`.
        lengths: increasing ints, the buckets.
        batch_sizes, overhead: those of `cheapest_batches`.

    Returns:
        list of `Batch`.
    """
    sizes, order = _sorted(token_ids)
    buckets = np.array(lengths)[np.searchsorted(lengths, sizes[order])]
    batches = []
    for part in cheapest_batches(buckets, np.asarray(batch_sizes), overhead):
        rows, length = order[part], int(buckets[part.stop - 1])
        count = batch_sizes[len(rows) - 1]
        batches.append(_batch(rows, length, count, token_ids, segment_ids))
    return batches


def make_packed_batches(token_ids, segment_ids, batch_size, most_words=MOST_WORDS):
    """Sorts texts by length and cuts them into batches for packed rows, each of its own length.

    Args:
        token_ids, segment_ids: lists of int sequences, one for each text.
        batch_size: int, the most texts in a batch.
        most_words: int, the most texts times the length of the longest, but for a text alone.

    Returns:
        list of `Batch`.
    """
    sizes, order = _sorted(token_ids)
    batches, begin = [], 0
    for end in range(1, len(order) + 1):
        count = end + 1 - begin
        if end == len(order) or count > batch_size or count * sizes[order[end]] > most_words:
            rows = order[begin:end]
            longest = int(sizes[rows[-1]])
            batches.append(_batch(rows, longest, len(rows), token_ids, segment_ids))
            begin = end
    return batches


def _sorted(token_ids):
    """The sizes of texts, and their order by size."""
    sizes = np.array([len(ids) for ids in token_ids], dtype="int64")
    return sizes, np.argsort(sizes, kind="stable")


def _batch(rows, length, count, token_ids, segment_ids):
    """Some texts as a `Batch` of `count` rows of `length` words."""
    inputs = {
        name: np.zeros((count, length), dtype="int32")
        for name in ("token_ids", "segment_ids", "padding_mask")
    }
    for place, row in enumerate(rows):
        size = len(token_ids[row])
        inputs["token_ids"][place, :size] = token_ids[row]
        inputs["segment_ids"][place, :size] = segment_ids[row]
        inputs["padding_mask"][place, :size] = 1
    return Batch(rows, length, inputs)
