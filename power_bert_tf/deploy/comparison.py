"""BERT and PoWER-BERT side by side, padded to N and in length buckets."""

import numpy as np

from power_bert_tf.deploy.bucketed import BucketedClassifier
from power_bert_tf.deploy.flops import encoders_flops
from power_bert_tf.deploy.timing import interleaved_seconds

WAYS = {
    "bert_padded": "BERT, padded to N",
    "bert_unpadded": "BERT, without padding",
    "power_bert_padded": "PoWER-BERT, padded to N",
    "power_bert_unpadded": "PoWER-BERT, without padding",
}


def speedups(cost):
    """Ratios of a cost given for each of `WAYS`, against both baselines."""
    return {
        "padded_over_padded": cost["bert_padded"] / cost["power_bert_padded"],
        "unpadded_over_padded": cost["bert_padded"] / cost["power_bert_unpadded"],
        "unpadded_over_unpadded": cost["bert_unpadded"] / cost["power_bert_unpadded"],
        "bert_by_skipping_padding": cost["bert_padded"] / cost["bert_unpadded"],
    }


def operations(config, length, retention, sizes):
    """Floating-point operations a text, in the encoders; unpadded ones one text at a time.

    Args:
        config: `EncoderConfig`.
        length: int, N.
        retention: `RetentionConfiguration`.
        sizes: int array (texts,), the texts' own lengths.

    Returns:
        dict of `per_text`, for each of `WAYS`, and `speedup`.
    """
    lengths, counts = np.unique(sizes, return_counts=True)

    def mean(kept):
        each = [encoders_flops(config, int(size), kept) for size in lengths]
        return float(np.average(each, weights=counts))

    per_text = {
        "bert_padded": encoders_flops(config, length),
        "bert_unpadded": mean(None),
        "power_bert_padded": encoders_flops(config, length, retention),
        "power_bert_unpadded": mean(retention),
    }
    return {"per_text": per_text, "speedup": speedups(per_text)}


def times(bert, power, token_ids, segment_ids, batch_size, jit_compile=False, **rounds):
    """Wall clock of the same texts in each of `WAYS`, interleaved.

    Args:
        bert, power: `BertClassifier`, of the same sequence length.
        token_ids, segment_ids: lists of int sequences, one for each text.
        batch_size: int.
        jit_compile: bool, XLA.
        **rounds: those of `interleaved_seconds`.

    Returns:
        dict, JSON-ready: `seconds` (median, p5, p95 for all texts), `speedup` and how they were
        measured.
    """
    padded = (bert.sequence_length,)
    classifiers = {
        "bert_padded": BucketedClassifier(bert, padded, batch_size, jit_compile),
        "bert_unpadded": BucketedClassifier(bert, None, batch_size, jit_compile),
        "power_bert_padded": BucketedClassifier(power, padded, batch_size, jit_compile),
        "power_bert_unpadded": BucketedClassifier(power, None, batch_size, jit_compile),
    }

    def work(classifier):
        batches = classifier.batches(token_ids, segment_ids)
        return lambda: classifier.run(batches)

    seconds = interleaved_seconds(
        {name: work(each) for name, each in classifiers.items()}, **rounds
    )
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    return {
        "batch_size": batch_size,
        "texts": len(token_ids),
        "rounds": len(seconds["bert_padded"]),
        "seconds": {
            name: {
                "median": medians[name],
                "p5": float(np.percentile(values, 5)),
                "p95": float(np.percentile(values, 95)),
            }
            for name, values in seconds.items()
        },
        "speedup": speedups(medians),
    }
