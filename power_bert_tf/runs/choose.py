"""What is fastest here for a run's model: runtime, dtype, and packed rows or buckets."""

import functools
import sys

import numpy as np
from tabulate import tabulate

from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.deploy.runtimes import usable_modes
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.runs.folder import read_json
from power_bert_tf.training.metrics import task_score

# What `CompiledClassifier` is to be given, in a run folder.
CHOICE = "inference.json"
_MOST_TEXTS = 512


def chosen(folder):
    """The arguments of `CompiledClassifier` that were found for a run; none where none were.

    Args:
        folder: `RunFolder`.
    """
    path = folder.path / CHOICE
    return read_json(path) if path.exists() else {}


def forms(length, packs):
    """What `CompiledClassifier` is to be given for each form of a batch, a dict by name.

    Args:
        length: int, N.
        packs: bool. Whether rows can be packed.
    """
    packed = {"packed rows": {}} if packs else {}
    return packed | {name: {"lengths": list(each)} for name, each in _bucket_sets(length).items()}


def _bucket_sets(length):
    doubled = [8]
    while 2 * doubled[-1] < length:
        doubled.append(2 * doubled[-1])
    return {
        "fine buckets": bucket_lengths(length),
        "doubling buckets": (*(each for each in doubled if each < length), length),
        "padded to N": (length,),
    }


def choose(folder, batch_size=128, runs=30, most_drop=0.1):
    """Times a run's model in every mode there is, and writes the best into the run folder.

    A mode may cost `most_drop` points against float32 on the dev examples. Runtimes and dtypes
    are compared with packed rows, or in fine buckets where rows cannot be packed; packed rows and
    buckets in the best of these.

    Args:
        folder: `RunFolder`, finished.
        batch_size: int.
        runs: int, measured rounds at most.
        most_drop: float, points of the metric.

    Returns:
        dict of `metric`, `modes` and `forms`, lists of candidates, each with its options, score
        and milliseconds a text, and `choice`, the options of `CompiledClassifier`.

    Raises:
        InputError: where an argument is out of range, or the run is not finished.
    """
    if not most_drop >= 0:
        raise InputError(f"`most_drop` must be at least 0. Received: most_drop={most_drop}")
    for name, value in (("batch_size", batch_size), ("runs", runs)):
        if value < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {name}={value}")
    model, dev = folder.finished_step().load_model(), folder.dev()
    metric = folder.settings()["identity"]["task"]["metric"]
    tokens = folder.preprocessor().encode(dev.texts, dev.text_pairs)
    rows = np.linspace(0, len(dev) - 1, min(len(dev), _MOST_TEXTS)).astype(int)
    timed = [[ids[row] for row in rows] for ids in tokens]

    def candidate(name, options):
        # Some runtimes take minutes to compile all buckets.
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

    modes = measure([candidate(mode_name(mode), mode) for mode in usable_modes()])
    exact = max(each["score"] for each in modes if each["options"]["dtype"] == "float32")
    for each in modes:
        each["allowed"] = each["score"] >= exact - most_drop / 100
    mode = _fastest(each for each in modes if each["allowed"])["options"]
    packs = CompiledClassifier(model, **mode).packed
    by_form = measure(
        [
            candidate(name, {**mode, **options})
            for name, options in forms(model.sequence_length, packs).items()
        ]
    )
    choice = _fastest(by_form)["options"]
    write_json(folder.path / CHOICE, choice)
    return {"metric": metric, "modes": modes, "forms": by_form, "choice": choice}


def table(result):
    """What `choose` returns, as text."""
    rows = []
    for candidates in (result["modes"], result["forms"]):
        allowed = [each for each in candidates if each.get("allowed", True)]
        for each in candidates:
            remark = "" if each in allowed else "costs too much"
            if each is _fastest(allowed):
                remark = "<- fastest"
            score, time = f"{100 * each['score']:.2f}", f"{each['ms_a_text']:.3f}"
            rows.append((each["name"], score, time, remark))
    headers = ("", result["metric"], "ms a text", "")
    alignment = ("left", "right", "right", "left")
    return tabulate(rows, headers, "plain", disable_numparse=True, colalign=alignment)


def _fastest(candidates):
    return min(candidates, key=lambda each: each["ms_a_text"])
