"""A search for a retention configuration that trains nothing: lengths in a geometric row."""

import math

import numpy as np

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops

# Of the texts' lengths: the row begins here in the absolute basis, and not at N, which few reach.
_PERCENTILE = 90
# Lengths are whole numbers; a share that is known better changes none of them.
_HALVINGS = 30


def geometric(num_layers, longest, share, reference_length=None):
    """Each encoder keeps the same share of what the one before kept; the last one CLS alone.

    Args:
        num_layers: int, encoders.
        longest: number, what comes into the first encoder.
        share: float in [0, 1].
        reference_length: int for the relative basis, None for the absolute one.

    Returns:
        `RetentionConfiguration`.

    Example:

    >>> str(geometric(4, 64, 0.5))
    '32,16,8,1'
    """
    lengths = [max(1, math.ceil(longest * share**index)) for index in range(1, num_layers)]
    return RetentionConfiguration((*lengths, 1), reference_length)


def operations_ratio(config, sizes, retention):
    """How many times fewer operations a configuration takes than BERT, one text at a time.

    Args:
        config: `EncoderConfig`.
        sizes: int array (texts,), their lengths.
        retention: `RetentionConfiguration`.
    """
    lengths, counts = np.unique(sizes, return_counts=True)
    extraction, layers = Extraction(retention), config.num_layers
    whole, reduced = 0, 0
    for length, count in zip(lengths.tolist(), counts.tolist(), strict=True):
        whole += count * encoders_flops(config, length)
        entering = extraction.entering(layers, length)
        reduced += count * encoders_flops(config, length, extraction.kept(layers, length), entering)
    return whole / reduced


def geometric_search(config, sizes, sequence_length, times, basis="absolute"):
    """The geometric configuration that keeps most among those that are so many times faster.

    Args:
        config: `EncoderConfig`.
        sizes: int array (texts,), the lengths of the texts that the speed is to hold for.
        sequence_length: int, N.
        times: float, how many times fewer operations than BERT's, both without padding.
        basis: "absolute", from the texts' 90th percentile on, or "relative", from N on.

    Returns:
        `RetentionConfiguration`; CLS alone everywhere where nothing is so fast.
    """
    reference = sequence_length if basis == "relative" else None
    longest = reference or float(np.percentile(sizes, _PERCENTILE))

    def configuration(share):
        return geometric(config.num_layers, longest, share, reference)

    fast, slow = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (fast + slow) / 2
        if operations_ratio(config, sizes, configuration(middle)) >= times:
            fast = middle
        else:
            slow = middle
    return configuration(fast)
