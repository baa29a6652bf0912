"""A search for a retention configuration that trains nothing: lengths on a straight line."""

import math

import numpy as np

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops

# Lengths are whole numbers; a start that is known better changes none of them.
_HALVINGS = 40


def linear(num_layers, start, longest, reference_length=None):
    """Lengths that fall by the same number from encoder to encoder, to none after the last.

    The last encoder keeps CLS alone, and the first ones keep everything where the line is above
    what there is.

    Args:
        num_layers: int, encoders.
        start: float, where the line begins, before the first encoder.
        longest: int, the most that can be kept.
        reference_length: int for the relative basis, None for the absolute one.

    Returns:
        `RetentionConfiguration`.

    Example:

    >>> str(linear(4, 40, 64))
    '30,20,10,1'
    """
    lengths = [
        min(longest, max(1, math.ceil(start * (1 - index / num_layers))))
        for index in range(1, num_layers)
    ]
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
        reduced += count * encoders_flops(config, length, extraction.kept(layers, length))
    return whole / reduced


def linear_search(config, sizes, sequence_length, times, basis="absolute"):
    """The linear configuration that keeps most among those that are so many times faster.

    Args:
        config: `EncoderConfig`.
        sizes: int array (texts,), the lengths of the texts that the speed is to hold for.
        sequence_length: int, N.
        times: float, how many times fewer operations than BERT's, both without padding.
        basis: "absolute" or "relative".

    Returns:
        `RetentionConfiguration`; CLS alone everywhere where nothing is so fast.
    """
    reference = sequence_length if basis == "relative" else None

    def configuration(start):
        return linear(config.num_layers, start, sequence_length, reference)

    # From the last start on, only the last encoder drops anything.
    fast, slow = 0.0, float(sequence_length * config.num_layers)
    for _ in range(_HALVINGS):
        middle = (fast + slow) / 2
        if operations_ratio(config, sizes, configuration(middle)) >= times:
            fast = middle
        else:
            slow = middle
    return configuration(fast)
