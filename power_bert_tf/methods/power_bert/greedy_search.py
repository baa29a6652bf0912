"""A search for a retention configuration that trains nothing: greedy elimination."""

import dataclasses

import numpy as np

from power_bert_tf.methods.power_bert.masking import Masking
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops

# Of the word-vectors that an encoder keeps, how many it loses in a step.
_STEP = 0.25
# A loss that is measured on some hundred texts differs by as much for no reason.
_LEAST_LOSS = 1e-6


@dataclasses.dataclass(frozen=True)
class Found:
    """A configuration on the way.

    Args:
        retention: `RetentionConfiguration`.
        times: float, how many times fewer operations than BERT's, both without padding.
        loss: float, how far the answers are from BERT's, 0 for the same; see `Answers`.
    """

    retention: RetentionConfiguration
    times: float
    loss: float


class Answers:
    """How far a BERT's answers move when word-vectors are left out of it.

    The loss is the Kullback-Leibler divergence from BERT's own probabilities; for other heads the
    squared difference of the outputs, over their variance. No labels are needed.

    Args:
        bert: `BertClassifier`, fine-tuned.
        batches: list of dicts of int arrays (batch, length), what to ask it.
    """

    def __init__(self, bert, batches):
        self._model = bert.with_reduction(Masking())
        # At any length, over the same layers.
        self._asked = self._model.at_length(None)
        self._batches = batches
        self._probabilities = bert.head == "classification"
        self._whole = self._outputs()

    def loss(self, retention):
        """The loss with a `RetentionConfiguration`."""
        self._model.reduction.keep(self._model, retention)
        outputs = self._outputs()
        if self._probabilities:
            logs = np.log(np.maximum(self._whole, 1e-7)) - np.log(np.maximum(outputs, 1e-7))
            return float((self._whole * logs).sum(axis=-1).mean())
        return float(((outputs - self._whole) ** 2).mean() / max(self._whole.var(), 1e-7))

    def _outputs(self):
        return np.concatenate([self._asked.predict_on_batch(batch) for batch in self._batches])


def operations_ratio(config, sizes, retention):
    """How many times fewer operations a configuration takes than BERT, one text at a time.

    Args:
        config: `EncoderConfig`.
        sizes: int array (texts,), their lengths.
        retention: `RetentionConfiguration`.
    """
    lengths, counts = np.unique(sizes, return_counts=True)
    extraction = Extraction(retention)
    whole, reduced = 0, 0
    for length, count in zip(lengths.tolist(), counts.tolist(), strict=True):
        whole += count * encoders_flops(config, length)
        kept = extraction.kept(config.num_layers, length)
        entering = extraction.entering(config.num_layers, length)
        reduced += count * encoders_flops(config, length, kept, entering)
    return whole / reduced


def eliminate(answers, config, sizes, sequence_length, times, basis="absolute"):
    """Leaves out word-vectors, encoder by encoder, where the answers move least for what it saves.

    Each step shortens the encoder, and those after it that keep more, whose shortening has the
    smallest loss for each operation saved. The last step is cut back to what was asked for.

    Args:
        answers: `Answers`, or what has its `loss`.
        config: `EncoderConfig`.
        sizes: int array (texts,), the lengths of the texts that speed is to count for.
        sequence_length: int, N.
        times: float, above 1: how many times fewer operations than BERT's, without padding.
        basis: "absolute" or "relative".

    Returns:
        list of `Found`, each faster than the one before; the last is what was asked for, or the
        fastest there is.
    """
    reference = sequence_length if basis == "relative" else None
    longest = sequence_length if reference else int(max(sizes))
    # After the last encoder only CLS is used.
    lengths = (longest,) * (config.num_layers - 1) + (1,)

    def found(lengths):
        retention = RetentionConfiguration(lengths, reference)
        ratio = operations_ratio(config, sizes, retention)
        return Found(retention, ratio, answers.loss(retention))

    path = [found(lengths)]
    while path[-1].times < times:
        last = path[-1]
        candidates = [
            found(shortened)
            for encoder in range(config.num_layers - 1)
            if (shortened := shorten(last.retention.lengths, encoder)) is not None
        ]
        if not candidates:
            break
        path.append(min(candidates, key=lambda candidate: _price(last, candidate)))
    if len(path) > 1 and path[-1].times > times:
        path[-1] = _cut_back(path[-2], path[-1], times, found, config, sizes)
    return path


def shorten(lengths, encoder, length=None):
    """Lengths of which one encoder, and all after it, are at most `length`.

    Args:
        lengths: tuple of ints, one for each encoder.
        encoder: int, from 0.
        length: int; a quarter less than now where None.

    Returns:
        tuple of ints, or None where nothing would change.
    """
    if length is None:
        length = max(1, int(lengths[encoder] * (1 - _STEP)))
    shortened = (
        *lengths[:encoder],
        *(min(length, each) for each in lengths[encoder:]),
    )
    return None if shortened == tuple(lengths) else shortened


def _price(before, after):
    """The loss of a step for what it saves: a share of BERT's operations."""
    saved = 1 / before.times - 1 / after.times
    # Positions that these texts do not reach save nothing, and cost nothing.
    return max(after.loss - before.loss, _LEAST_LOSS) / max(saved, 1e-12) if saved else -1.0


def _cut_back(before, after, times, found, config, sizes):
    """As much of the last step as is needed: the slowest configuration that is fast enough."""
    longer, shorter = before.retention, after.retention
    encoder = next(
        index
        for index, pair in enumerate(zip(longer.lengths, shorter.lengths, strict=True))
        if pair[0] != pair[1]
    )
    low, high = shorter.lengths[encoder], longer.lengths[encoder]
    while high - low > 1:
        middle = (low + high) // 2
        lengths = shorten(longer.lengths, encoder, middle)
        candidate = RetentionConfiguration(lengths, longer.reference_length)
        if operations_ratio(config, sizes, candidate) >= times:
            low = middle
        else:
            high = middle
    return found(shorten(longer.lengths, encoder, low))
