"""BERT and a faster model side by side, padded to N and without padding."""

import functools

import numpy as np

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling.flops import computed_flops
from power_bert_tf.modeling.flops import encoders_flops
from power_bert_tf.modeling.flops import mean_flops

# BERT and the model of a method, padded to N and without padding: packed rows or length buckets.
WAYS = ("bert_padded", "bert_unpadded", "reduced_padded", "reduced_unpadded")
TEXTBOOK = "bert_textbook_padded"


def labels(title):
    """What each of `WAYS` is called in a table.

    Args:
        title: str, the method's, such as "PoWER-BERT".
    """
    return {
        "bert_padded": "BERT, padded to N",
        "bert_unpadded": "BERT, without padding",
        "reduced_padded": f"{title}, padded to N",
        "reduced_unpadded": f"{title}, without padding",
    }


def speedups(cost):
    """Ratios of a cost given for each of `WAYS`, against both baselines."""
    return {
        "padded_over_padded": cost["bert_padded"] / cost["reduced_padded"],
        "unpadded_over_padded": cost["bert_padded"] / cost["reduced_unpadded"],
        "unpadded_over_unpadded": cost["bert_unpadded"] / cost["reduced_unpadded"],
        "bert_by_skipping_padding": cost["bert_padded"] / cost["bert_unpadded"],
    }


def operations(config, length, reduction, sizes, kept=None):
    """Floating-point operations a text, in the encoders; unpadded ones one text at a time.

    Args:
        config: `EncoderConfig`.
        length: int, N.
        reduction: `Reduction` of the faster model.
        sizes: int array (texts,), the texts' own lengths.
        kept: int array (texts, encoders), the word-vectors that are left after each encoder, see
            `kept_words`. By the reduction where None, which then must not be adaptive.

    Returns:
        dict of `per_text`, for each of `WAYS` by the paper's scheme, their `speedup`, and
        `computed_per_text`, what the graph for inference computes.
    """
    whole = [length]

    def each_way(flops):
        return {
            "bert_padded": mean_flops(config, NoReduction(), whole, flops=flops),
            "bert_unpadded": mean_flops(config, NoReduction(), sizes, flops=flops),
            "reduced_padded": mean_flops(config, reduction, whole, flops=flops),
            "reduced_unpadded": mean_flops(config, reduction, sizes, kept, flops),
        }

    per_text = each_way(encoders_flops)
    return {
        "per_text": per_text,
        "speedup": speedups(per_text),
        "computed_per_text": each_way(computed_flops),
    }


def times(bert, reduced, token_ids, segment_ids, textbook=False, rounds=None, **options):
    """Wall clock of the same texts in each of `WAYS`, interleaved batch by batch.

    BERT is the fastest honest one: it too leaves out what does not reach [CLS].

    Args:
        bert, reduced: `BertClassifier`, of the same sequence length.
        token_ids, segment_ids: lists of int sequences, one for each text.
        textbook: bool. Time BERT's textbook graph as well, padded.
        rounds: dict, arguments of `interleaved_seconds`.
        **options: those of `CompiledClassifier`.

    Returns:
        dict, JSON-ready: `seconds` (median, p5, p95 for all texts), `speedup` and how they were
        measured.
    """
    models, compiled = {"bert": bert, "reduced": reduced}, {}
    for way in WAYS:
        model, padding = way.rsplit("_", 1)
        lengths = {"lengths": (bert.sequence_length,)} if padding == "padded" else {}
        compiled[way] = CompiledClassifier(models[model], **{**options, **lengths})
    work = {}
    if textbook:
        padded = {"lengths": (bert.sequence_length,), "lean": False}
        whole = CompiledClassifier(bert, **{**options, **padded})
        work[TEXTBOOK] = (whole, whole.batches(token_ids, segment_ids))
    for way in WAYS:
        work[way] = (compiled[way], compiled[way].batches(token_ids, segment_ids))
    seconds = interleaved_seconds(
        {
            way: functools.partial(classifier.run_each, batches)
            for way, (classifier, batches) in work.items()
        },
        **(rounds or {}),
    )
    medians = {way: float(np.median(values)) for way, values in seconds.items()}
    return {
        "runtime": compiled[WAYS[0]].runtime,
        "dtype": compiled[WAYS[0]].dtype,
        "batch_size": compiled[WAYS[0]].batch_size,
        "packed": compiled["reduced_unpadded"].packed,
        "texts": len(token_ids),
        "rounds": len(seconds["bert_padded"]),
        "batches": {way: len(batches) for way, (_, batches) in work.items()},
        "seconds": {
            way: {
                "median": medians[way],
                "p5": float(np.percentile(values, 5)),
                "p95": float(np.percentile(values, 95)),
            }
            for way, values in seconds.items()
        },
        "speedup": speedups(medians),
    }


def mode_times(model, modes, token_ids, segment_ids, **rounds):
    """Wall clock of one batch of texts, in ways to compile the same model.

    Args:
        model: `BertClassifier`.
        modes: list of dict, arguments of `CompiledClassifier` such as `usable_modes` gives.
        token_ids, segment_ids: lists of int sequences, one for each text of the batch.
        **rounds: those of `interleaved_seconds`.

    Returns:
        list of dict, JSON-ready, fastest first: each mode with `ms_a_text`, the median.
    """
    longest = (max(len(ids) for ids in token_ids),)
    work = []
    for mode in modes:
        compiled = CompiledClassifier(model, batch_size=len(token_ids), **mode)
        if not compiled.packed and "lengths" not in mode:
            compiled = CompiledClassifier(model, lengths=longest, batch_size=len(token_ids), **mode)
        batches = compiled.batches(token_ids, segment_ids)
        work.append(lambda compiled=compiled, batches=batches: compiled.run(batches))
    seconds = interleaved_seconds(dict(enumerate(work)), **rounds)
    each = [
        {**mode, "ms_a_text": 1000 * float(np.median(seconds[index])) / len(token_ids)}
        for index, mode in enumerate(modes)
    ]
    return sorted(each, key=lambda mode: mode["ms_a_text"])
