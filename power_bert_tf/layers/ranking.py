"""The order of word-vectors: CLS first, then by score, padding last."""

from keras import ops

# Above every score, and finite: a converter that writes `where` as a product makes infinity nan.
_HIGHEST = 1e30


def prioritise(score, padding_mask):
    """Puts CLS before, and padding behind, everything that the score orders.

    Args:
        score: float tensor of shape (batch, rows).
        padding_mask: int tensor of shape (batch, rows), 1 for words and 0 for padding.

    Returns:
        float tensor of shape (batch, rows): 1e30 at row 0, -1e30 at padding.
    """
    highest = ops.full_like(score, _HIGHEST)
    score = ops.where(ops.cast(padding_mask, "bool"), score, -highest)
    is_cls = ops.arange(ops.shape(score)[1])[None, :] == 0
    return ops.where(is_cls, highest, score)


def sorted_positions(priority):
    """Sig^pos of PoWER-BERT, section 3.3: each row's place in decreasing order, from 0.

    Ties go to the earlier row. Counted by comparing each row with each other one, which gives
    the ranks of a stable sort at a fraction of its cost, and under XLA too.

    Args:
        priority: float tensor of shape (batch, rows).

    Returns:
        int32 tensor of shape (batch, rows).
    """
    rows = ops.arange(ops.shape(priority)[1])
    other, own = priority[:, None, :], priority[:, :, None]
    earlier = rows[None, None, :] < rows[None, :, None]
    before = ops.logical_or(other > own, ops.logical_and(other == own, earlier))
    return ops.sum(ops.cast(before, "int32"), axis=2)
