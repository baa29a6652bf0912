"""The formulas of AdapLeR in plain NumPy, one text at a time, written from the paper.

`scores`, `saliency` and the like are of the text's own n words, CLS first; float64 throughout.

Reference: AdapLeR (Modarressi et al., 2022), sections 2.2 and 3, appendix B.
"""

import math

import numpy as np


def predicted(scores, present=None):
    """Section 3.1: a softmax over the words, in which each counts as far as it is there."""
    present = np.ones(len(scores)) if present is None else present
    powers = [
        there * math.exp(score - max(scores)) for there, score in zip(present, scores, strict=True)
    ]
    return np.array(powers) / sum(powers)


def cls_amplified(contributions, factor):
    """Equation 7, and equation 9 with its dummy."""
    others = sum(contributions[1:])
    total = factor * contributions[0] + others
    return np.array(
        [
            (factor * each if index == 0 else each) / total
            for index, each in enumerate(contributions)
        ]
    )


def gradient_of_theta(saliency, theta):
    """Equation 13: the derivative of each S-hat by theta."""
    others = sum(saliency[1:])
    total = (theta * saliency[0] + others) ** 2
    return np.array(
        [
            saliency[0] * (others if index == 0 else -each) / total
            for index, each in enumerate(saliency)
        ]
    )


def threshold(eta, n):
    """Section 3.2."""
    return eta * 1 / n


def soft_removal(contribution, delta, steepness, beta=0.1):
    """Equation 4."""
    if contribution < delta:
        adjusted = steepness / delta
        return adjusted * (contribution - delta) - beta / steepness
    return (contribution - 1) * beta / ((1 - delta) * steepness)


def divergence(target, contributions):
    """Equation 6, of one encoder."""
    return sum(
        true * math.log(true / guess)
        for true, guess in zip(target, contributions, strict=True)
        if true > 0
    )


def length(masks):
    """Equation 8, of one encoder: `masks` are the m of its words."""
    return sum(math.exp(mask) for mask in masks)


def contributions(layers, index, hidden, present=None):
    """Section 3.1 of the words that enter an encoder; `layers` are weights by a layer's name."""
    weights = layers[f"encoder_{index}_contribution"]
    first = hidden @ weights["hidden/kernel"] + weights["hidden/bias"]
    # GELU, BERT's own activation.
    first = first * 0.5 * (1 + np.vectorize(math.erf)(first / math.sqrt(2)))
    scores = first @ weights["score/kernel"] + weights["score/bias"]
    return predicted(scores[:, 0], present)


def stays(layers, index, hidden):
    """Section 3.2: which words enter an encoder; CLS always does."""
    eta = layers[f"encoder_{index}_threshold"][f"encoder_{index}_threshold/eta"]
    delta = threshold(eta, len(hidden))
    contributed = contributions(layers, index, hidden)
    return [row == 0 or each >= delta for row, each in enumerate(contributed)]


def bias(layers, index, hidden, before=None):
    """Section 3.3: the m of each word at an encoder, added up over those before it."""
    before = np.zeros(len(hidden)) if before is None else before
    present = np.exp(before)
    contributed = contributions(layers, index, hidden, present)
    eta = layers[f"encoder_{index}_threshold"][f"encoder_{index}_threshold/eta"]
    steepness = layers[f"encoder_{index}_soft_mask"][f"encoder_{index}_soft_mask/steepness"]
    delta = threshold(eta, sum(present))
    added = [soft_removal(each, delta, steepness) for each in contributed]
    return before + np.array([0.0, *added[1:]])
