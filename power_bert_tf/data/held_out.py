"""A set to measure by, drawn from training examples that are not trained on."""

import numpy as np

from power_bert_tf.data.examples import random_order

# Fixed, so that every run holds out the same examples, whatever its own seed.
_SEED = 8000
_TENTHS = np.linspace(0.1, 0.9, 9)


def held_out_rows(candidates, like, count):
    """Rows of examples whose lengths are spread as those of other examples.

    Training examples may be of another kind: most of SST-2's are phrases, its dev examples are
    whole sentences. So each tenth of the lengths of `like` gets its share.

    Args:
        candidates: `Examples` to draw from, by a fixed seed.
        like: `Examples`, usually the dev set. Lengths are in characters.
        count: int.

    Returns:
        Sorted array of at most `count` rows; fewer where there are not enough of some length.
    """
    lengths, wanted = candidates.characters(), like.characters()
    edges = np.unique(np.quantile(wanted, _TENTHS))
    shares = np.bincount(np.searchsorted(edges, wanted, side="right"), minlength=len(edges) + 1)
    shares = shares / len(like)
    order = random_order(len(candidates), _SEED)
    order = order[(lengths[order] >= wanted.min()) & (lengths[order] <= wanted.max())]
    parts = np.searchsorted(edges, lengths, side="right")
    there, some = np.bincount(parts[order], minlength=len(edges) + 1), shares > 0
    count = min(count, int((there[some] / shares[some]).min()))
    chosen = np.concatenate(
        [order[parts[order] == part][: int(count * share)] for part, share in enumerate(shares)]
    )
    # What rounding down has left out, of any length.
    others = order[~np.isin(order, chosen)][: count - len(chosen)]
    return np.sort(np.concatenate([chosen, others]))


def without(examples, others):
    """Those of the examples whose texts are none of the others'."""
    known = set(_contents(others))
    return examples.select(np.flatnonzero([each not in known for each in _contents(examples)]))


def _contents(examples):
    """All texts of each example, as a tuple."""
    both = (
        (examples.texts,) if examples.text_pairs is None else (examples.texts, examples.text_pairs)
    )
    by_example = [texts.reshape(-1, examples.choices) for texts in both]
    return list(map(tuple, np.concatenate(by_example, axis=1)))
