"""What is fastest here for a run's PoWER-BERT: runtime, dtype and buckets."""

import functools
import sys

import numpy as np

from power_bert_tf.commands.run_options import CHOICE
from power_bert_tf.commands.run_options import load_dev_examples
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.deploy.runtimes import usable_modes
from power_bert_tf.files import write_json
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.training.metrics import task_score

_MOST_TEXTS = 512


def bucket_sets(length):
    """Sets of lengths to pad to, by name."""
    doubled = [8]
    while 2 * doubled[-1] < length:
        doubled.append(2 * doubled[-1])
    return {
        "fine buckets": bucket_lengths(length),
        "doubling buckets": (*(each for each in doubled if each < length), length),
        "padded to N": (length,),
    }


def choose(path, batch_size, runs, most_drop, output=None):
    """Times a run's PoWER-BERT in every mode there is, and writes the best into the run folder.

    A mode may cost `most_drop` points against float32 on the dev examples. Runtimes and dtypes
    are compared in fine buckets, bucket sets in the best of these.

    Args:
        path: folder of a finished run.
        batch_size: int.
        runs: int, measured rounds.
        most_drop: float, points of the metric.
        output: JSON file for all figures, or None.

    Returns:
        dict of `candidates`, each with its options, score and milliseconds a text, and `choice`,
        the options of `CompiledClassifier`.
    """
    run, model = open_step(path, "re-train")
    dev = load_dev_examples(run)
    metric = run.settings()["identity"]["task"]["metric"]
    tokens = run.preprocessor().encode(dev.texts, dev.text_pairs)
    rows = np.linspace(0, len(dev) - 1, min(len(dev), _MOST_TEXTS)).astype(int)
    timed = [[ids[row] for row in rows] for ids in tokens]

    def candidate(name, options):
        # Several runtimes take minutes to compile all buckets.
        print(f"  {name}: compiling, answering the dev examples", file=sys.stderr, flush=True)
        compiled = CompiledClassifier(model, batch_size=batch_size, **options)
        score = task_score(metric, dev.labels, compiled.predict_tokens(*tokens))
        return {"name": name, "options": options, "score": score, "compiled": compiled}

    def measure(candidates):
        work = {}
        for each in candidates:
            compiled = each.pop("compiled")
            batches = compiled.batches(*timed)
            work[each["name"]] = functools.partial(compiled.run_each, batches)
        seconds = interleaved_seconds(work, least_runs=min(runs, 5), most_runs=runs)
        for each in candidates:
            each["ms_a_text"] = 1000 * float(np.median(seconds[each["name"]])) / len(rows)
        return candidates

    by_mode = measure([candidate(mode_name(mode), mode) for mode in usable_modes()])
    exact = max(each["score"] for each in by_mode if each["options"]["dtype"] == "float32")
    allowed = [each for each in by_mode if each["score"] >= exact - most_drop / 100]
    mode = min(allowed, key=lambda each: each["ms_a_text"])["options"]
    by_buckets = measure(
        [
            candidate(name, {**mode, "lengths": list(lengths)})
            for name, lengths in bucket_sets(model.sequence_length).items()
        ]
    )
    choice = min(by_buckets, key=lambda each: each["ms_a_text"])["options"]
    result = {"candidates": [*by_mode, *by_buckets], "choice": choice}
    write_json(run.path / CHOICE, choice)
    if output is not None:
        write_json(output, result)
    print(_table(metric, by_mode, by_buckets, allowed))
    print(f"Written to {run.path / CHOICE}")
    return result


def _table(metric, by_mode, by_buckets, allowed):
    lines = [f"{'':32}{metric:>10}{'ms a text':>12}"]
    fastest = min(each["ms_a_text"] for each in allowed)
    for each in by_mode:
        remark = "" if each in allowed else "  costs too much"
        if each in allowed and each["ms_a_text"] == fastest:
            remark = "  <- fastest"
        lines.append(_line(each) + remark)
    fastest = min(each["ms_a_text"] for each in by_buckets)
    for each in by_buckets:
        lines.append(_line(each) + ("  <- fastest" if each["ms_a_text"] == fastest else ""))
    return "\n".join(lines)


def _line(each):
    return f"{each['name']:32}{100 * each['score']:>10.2f}{each['ms_a_text']:>12.3f}"
