"""The formulas of AdapLeR: what each word contributes, and what becomes of those below a threshold.

Everything is float32 and of shape (batch, rows), CLS in row 0. The *presence* of a row says how far
it is still there: 1 for a word that stays, 0 for padding and for a word that is gone, and between
them while training, where words fade. It counts a text's own words only, so nothing here depends on
how far a text is padded.

Reference: AdapLeR (Modarressi et al., 2022), sections 3.2 and 3.3. Where the paper is silent it is
as its authors' code.
"""

import keras
from keras import ops

# The attention bias of one encoder is no lower than this (the authors' code).
LOWEST_BIAS = -1e4
# Beta, the slope of the upper line of equation 4; the paper has it between 0 and 0.1.
SLOPE = 0.1
_TINY = 1e-30


def presence(padding_mask, attention_bias=None):
    """How far each row is still there: exp(m) of section 3.3, and 0 for padding.

    Args:
        padding_mask: int tensor (batch, rows), 1 for words and 0 for padding.
        attention_bias: float tensor (batch, rows), what the encoders so far have added; None where
            no word fades.
    """
    present = ops.cast(padding_mask, "float32")
    if attention_bias is None:
        return present
    return present * ops.exp(ops.cast(attention_bias, "float32"))


def contributions(scores, present):
    """A softmax over the words that are present, each as far as it is there.

    Args:
        scores: tensor (batch, rows), what a predictor says of each row.
        present: tensor (batch, rows), see `presence`; above 0 in row 0.

    Returns:
        Tensor (batch, rows): sums to 1, and is 0 where nothing is present.
    """
    scores = ops.where(present > 0, scores, ops.full_like(scores, -1e9))
    highest = ops.stop_gradient(ops.max(scores, axis=1, keepdims=True))
    weights = present * ops.exp(scores - highest)
    return weights / ops.sum(weights, axis=1, keepdims=True)


def amplified(contributed, factor):
    """Contributions with that of CLS multiplied, 1 in all (equations 7 and 9).

    Args:
        contributed: tensor (batch, rows), of any sum.
        factor: scalar tensor, theta.
    """
    others = ops.cast(ops.arange(ops.shape(contributed)[1]) > 0, "float32")
    scaled = contributed * (factor * (1.0 - others) + others)
    return scaled / ops.maximum(ops.sum(scaled, axis=1, keepdims=True), _TINY)


def threshold(eta, present):
    """delta = eta / n, n the text's own words that are present (section 3.2): (batch, 1)."""
    return eta / ops.sum(present, axis=1, keepdims=True)


def staying(contributed, delta, padding_mask):
    """Which words stay: those whose contribution is at least delta, and CLS; int32 (batch, rows).

    Args:
        contributed: tensor (batch, rows).
        delta: tensor (batch, 1), see `threshold`.
        padding_mask: int tensor (batch, rows).
    """
    is_cls = ops.arange(ops.shape(contributed)[1]) == 0
    stays = ops.logical_or(contributed >= delta, is_cls[None, :])
    return ops.cast(stays, "int32") * ops.cast(padding_mask, "int32")


def removal_bias(contributed, delta, steepness, padding_mask, slope=SLOPE):
    """What an encoder's attention bias has added for each word (equation 4).

    Below delta a steep line, above it one that is nearly flat, so that a gradient comes from there
    too. CLS, which never leaves, gets none, and neither does padding, which the mask hides.

    Args:
        contributed: tensor (batch, rows).
        delta: tensor (batch, 1), see `threshold`.
        steepness: scalar tensor, the paper's lambda.
        padding_mask: int tensor (batch, rows).
        slope: float, the paper's beta.

    Returns:
        Tensor (batch, rows), from `LOWEST_BIAS` to 0.
    """
    below = steepness / delta * (contributed - delta) - slope / steepness
    # Of a text of CLS alone delta may be 1, and the line has no length.
    rest = ops.maximum(1.0 - delta, 1e-6)
    above = (contributed - 1.0) * slope / (rest * steepness)
    bias = ops.clip(ops.where(contributed < delta, below, above), LOWEST_BIAS, 0.0)
    words = ops.cast(padding_mask, "float32")
    return bias * words * ops.cast(ops.arange(ops.shape(words)[1]) > 0, "float32")


def divergence(target, contributed):
    """D_KL(target || contributed) of each text (equation 6): (batch,).

    Args:
        target: tensor (batch, rows), what the words contribute by their saliency.
        contributed: tensor (batch, rows), what a predictor says; above 0 where the target is.
    """
    logs = [ops.log(ops.maximum(each, _TINY)) for each in (target, contributed)]
    return ops.sum(target * (logs[0] - logs[1]), axis=1)


def soft_length(present):
    """How many words are still there, the sum of exp(m) (equation 8): (batch,)."""
    return ops.sum(present, axis=1)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Between(keras.constraints.Constraint):
    """Clips every weight to a range, such as eta to [0.01, 1].

    Args:
        least, most: floats; no upper end where `most` is None.
    """

    def __init__(self, least, most=None):
        self.least = least
        self.most = most

    def __call__(self, w):
        w = ops.maximum(w, self.least)
        return w if self.most is None else ops.minimum(w, self.most)

    def get_config(self):
        return {"least": self.least, "most": self.most}
