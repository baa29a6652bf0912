"""Floating-point operations in closed form."""

import numpy as np

from power_bert_tf.modeling.reduction import most_stay


def encoder_flops(config, index, entering, leaving):
    """Operations of one encoder for one text, by the paper's scheme.

    A matrix product of m x k by k x n counts 2mkn; softmax, normalisation and activation are
    left out, and so is what a graph saves by computing surviving rows only.

    Args:
        config: `EncoderConfig`.
        index: int, the encoder, from 0.
        entering: int, word-vectors that come into self-attention.
        leaving: int, word-vectors that go on to the feed-forward block.

    Returns:
        int.
    """
    shape = config.encoder(index)
    keys, values = shape.num_heads * shape.key_dim, shape.num_heads * shape.value_dim
    projections = 2 * entering * config.hidden_dim * (2 * keys + 2 * values)
    attention = 2 * entering * entering * (keys + values)
    feed_forward = 4 * leaving * config.hidden_dim * shape.intermediate_dim
    return projections + attention + feed_forward


def projection_flops(config, length):
    """Operations that bring the embeddings of one text to the width of the encoders, if any."""
    if config.embedding_dim is None:
        return 0
    return 2 * length * config.embedding_dim * config.hidden_dim


def encoders_flops(config, length, kept=None, entering=None):
    """Operations of all encoders for one text of `length` word-vectors.

    Encoders that share their weights count one by one, as they compute; and where embeddings are
    projected to the encoders' width, that counts as well.

    Args:
        config: `EncoderConfig`.
        length: int.
        kept: ints, the word-vectors that are left after each encoder; None for plain BERT.
        entering: ints, those that enter each encoder; where None, those that were left before.

    Returns:
        int.
    """
    leaving = (length,) * config.num_layers if kept is None else kept
    entering = (length, *leaving[:-1]) if entering is None else entering
    return projection_flops(config, length) + sum(
        encoder_flops(config, index, entering[index], leaving[index])
        for index in range(config.num_layers)
    )


def computed_flops(config, length, kept=None, entering=None):
    """Operations that the graph for inference really does, in the encoders, for one text.

    As `encoders_flops`, but the attention output and its projection are computed for the
    word-vectors that stay (attention's average for all, where most stay), and the last encoder
    works for [CLS] alone. Scoring, which sums attention, is left out.

    Args:
        config: `EncoderConfig`.
        length: int.
        kept: ints, the word-vectors that are left after each encoder; None for plain BERT.
        entering: ints, those that enter each encoder; where None, those that were left before.

    Returns:
        int.
    """
    leaving = (length,) * config.num_layers if kept is None else kept
    every_entering = (length, *leaving[:-1]) if entering is None else entering
    total = projection_flops(config, length)
    for index, staying in enumerate((*leaving[:-1], 1)):
        entering = every_entering[index]
        shape = config.encoder(index)
        keys, values = shape.num_heads * shape.key_dim, shape.num_heads * shape.value_dim
        # All words ask, for the scores, but in the last encoder.
        asking = 1 if index == config.num_layers - 1 else entering
        projections = 2 * config.hidden_dim * (asking * keys + entering * (keys + values))
        averaged = entering if asking > 1 and most_stay(entering, staying) else staying
        attention = 2 * entering * (asking * keys + averaged * values)
        output = 2 * staying * config.hidden_dim * values
        feed_forward = 4 * staying * config.hidden_dim * shape.intermediate_dim
        total += projections + attention + output + feed_forward
    return total


def mean_flops(config, reduction, sizes, kept=None, flops=encoders_flops):
    """Operations of all encoders under a reduction, the mean over texts of their own lengths.

    Args:
        config: `EncoderConfig`.
        reduction: `Reduction`.
        sizes: int array (texts,).
        kept: int array (texts, encoders), the word-vectors that are left after each encoder; by
            the reduction where None, which then must not be adaptive.
        flops: function as `encoders_flops` or `computed_flops`.

    Returns:
        float.
    """
    if kept is None:
        kept = [reduction.kept(config.num_layers, int(size)) for size in sizes]
    texts, counts = np.unique(np.column_stack([sizes, kept]), axis=0, return_counts=True)

    def cost(size, *kept):
        entering = reduction.entering_of(size, kept)
        return reduction.overhead(config, size, kept) + flops(config, size, kept, entering)

    return float(np.average([cost(*text) for text in texts.tolist()], weights=counts))
