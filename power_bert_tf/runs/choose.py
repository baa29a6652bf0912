"""What is fastest here for a run's model: runtime, dtype, and packed rows or buckets."""

import functools
import importlib.util
import sys

import numpy as np
from tabulate import tabulate

from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.compiled import most_buckets
from power_bert_tf.deploy.runtimes import default_runtime
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.deploy.runtimes import usable_modes
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.measure.comparison import mode_times
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.runs.folder import read_json
from power_bert_tf.runs.int8 import MOST_DROP
from power_bert_tf.runs.int8 import int8_model
from power_bert_tf.training.metrics import task_score

# What `CompiledClassifier` is to be given, in a run folder.
CHOICE = "inference.json"
PACKED = "packed rows"
INT8 = {"runtime": "openvino", "dtype": "int8", "jit_compile": False}
_MOST_TEXTS = 512
# A mode that takes so many times as long as the fastest on one batch is not looked at any further.
_HOPELESS = 1.3
_SCREENED_TEXTS = 64


def chosen(folder):
    """The arguments of `CompiledClassifier` that were found for a run; none where none were.

    Args:
        folder: `RunFolder`.
    """
    path = folder.path / CHOICE
    return read_json(path) if path.exists() else {}


def forms(length, packs, most=None):
    """What `CompiledClassifier` is to be given for each form of a batch, a dict by name.

    Args:
        length: int, N.
        packs: bool. Whether rows can be packed.
        most: int, how many buckets there may be; any number where None.
    """
    packed = {PACKED: {}} if packs else {}
    return packed | {
        name: {"lengths": list(each)}
        for name, each in _bucket_sets(length).items()
        if most is None or len(each) <= most
    }


def _bucket_sets(length):
    doubled = [8]
    while 2 * doubled[-1] < length:
        doubled.append(2 * doubled[-1])
    return {
        "fine buckets": bucket_lengths(length),
        "doubling buckets": (*(each for each in doubled if each < length), length),
        "padded to N": (length,),
    }


def choose(folder, batch_size=128, runs=30, most_drop=0.1, max_int8_drop=MOST_DROP):
    """Times a run's model in every mode there is, and writes the best into the run folder.

    All modes answer one batch first; those that are hopeless there are left out. The others answer
    the dev examples, where 16 bits may cost `most_drop` points against float32 and int8
    `max_int8_drop`, and are timed on up to 512 of them, with packed rows, or in fine buckets where
    rows cannot be packed. In the best of these, buckets are compared with packed rows, unless one
    is no faster on that batch, or they would keep more weights than `most_buckets` lets them.

    Args:
        folder: `RunFolder`, finished.
        batch_size: int.
        runs: int, measured rounds at most.
        most_drop, max_int8_drop: floats, points of the metric.

    Returns:
        dict of `metric`; `left_out`, the modes that were hopeless; `modes` and `forms`, lists of
        candidates, each with its options, score and milliseconds a text; and `choice`, the options
        of `CompiledClassifier`.

    Raises:
        InputError: where an argument is out of range, or the run is not finished.
    """
    for name, value in (("most_drop", most_drop), ("max_int8_drop", max_int8_drop)):
        if not value >= 0:
            raise InputError(f"`{name}` must be at least 0. Received: {name}={value}")
    for name, value in (("batch_size", batch_size), ("runs", runs)):
        if value < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {name}={value}")
    trial = _Trial(folder, batch_size, runs)
    modes = usable_modes() + ([INT8] if _has_int8(folder) else [])
    promising, left_out = trial.promising({mode_name(mode): mode for mode in modes})
    modes = trial.measure(promising)
    exact = max(each["score"] for each in modes if each["options"]["dtype"] == "float32")
    for each in modes:
        most = max_int8_drop if each["options"]["dtype"] == "int8" else most_drop
        each["allowed"] = each["score"] >= exact - most / 100
    fastest = _fastest(filter(_is_allowed, modes))
    ways = trial.forms(fastest["options"])
    if list(ways) == [PACKED]:
        by_form = [{**fastest, "name": PACKED}]
    else:
        by_form = trial.measure(ways)
    choice = _fastest(by_form)["options"]
    write_json(folder.path / CHOICE, choice)
    return {
        "metric": trial.metric,
        "left_out": left_out,
        "modes": modes,
        "forms": by_form,
        "choice": choice,
    }


class _Trial:
    """A run's model on its dev examples, compiled in one way or another."""

    def __init__(self, folder, batch_size, runs):
        self.folder, self.batch_size, self.runs = folder, batch_size, runs
        self.model, self.dev = folder.finished_step().load_model(), folder.dev()
        self.metric = folder.settings()["identity"]["task"]["metric"]
        self.tokens = folder.preprocessor().encode(self.dev.texts, self.dev.text_pairs)
        texts = len(self.tokens[0])
        rows = np.linspace(0, texts - 1, min(texts, _MOST_TEXTS)).astype(int)
        self.timed = [[ids[row] for row in rows] for ids in self.tokens]
        # One batch around the middle, where most texts are.
        order = np.argsort([len(ids) for ids in self.timed[0]], kind="stable")
        count = min(batch_size, _SCREENED_TEXTS)
        begin = max(0, (len(order) - count) // 2)
        middle = order[begin : begin + count]
        self.batch = [[ids[row] for row in middle] for ids in self.timed]

    def promising(self, ways):
        """Those of `ways`, a dict, that are not hopeless on one batch, and a list of the others.

        The fastest in float32 is kept in any case: the others are measured by its score.
        """
        times = self._on_one_batch(ways)
        exact = next(name for name in times if ways[name]["dtype"] == "float32")
        most = _HOPELESS * min(times.values())
        promising = {name: ways[name] for name in times if name == exact or times[name] <= most}
        left_out = [
            {"name": name, "ms_a_text": times[name]} for name in times if name not in promising
        ]
        return promising, left_out

    def _on_one_batch(self, ways):
        """Milliseconds a text of each of `ways`, a dict by name, fastest first."""
        print(f"  one batch: {', '.join(ways)}", file=sys.stderr, flush=True)
        each = [self._with_calibration(way) for way in ways.values()]
        times = mode_times(self.model, each, *self.batch, budget_seconds=4.0, least_runs=3)
        names = [next(name for name in ways if ways[name].items() <= way.items()) for way in times]
        return {name: way["ms_a_text"] for name, way in zip(names, times, strict=True)}

    def forms(self, mode):
        """The ways to compile in a mode: packed rows, and buckets where they may be faster."""
        packs = CompiledClassifier(self.model, **self._with_calibration(mode)).packed
        packed = {PACKED: mode}
        if mode["dtype"] == "int8":
            return packed
        if packs:
            # A bucket of the batch's own length is the most that buckets can save.
            longest = max(len(ids) for ids in self.batch[0])
            bucket = {**mode, "lengths": [longest]}
            times = self._on_one_batch({"bucket": bucket, **packed})
            if times["bucket"] >= times[PACKED]:
                return packed
        most = most_buckets(self.model, mode["runtime"])
        every = forms(self.model.sequence_length, packs, most)
        return {name: {**mode, **options} for name, options in every.items()}

    def measure(self, ways):
        """Candidates, a dict each: name, options, dev score, and milliseconds a text."""
        candidates, work = [], {}
        for name, options in ways.items():
            print(f"  {name}: compiling, answering the dev examples", file=sys.stderr, flush=True)
            compiled = CompiledClassifier(
                self.model, batch_size=self.batch_size, **self._with_calibration(options)
            )
            answers = compiled.predict_tokens(*self.tokens)
            score = task_score(self.metric, self.dev.labels, answers)
            candidates.append({"name": name, "options": options, "score": score})
            work[name] = functools.partial(compiled.run_each, compiled.batches(*self.timed))
        seconds = interleaved_seconds(
            work, least_runs=min(self.runs, 3), most_runs=self.runs, budget_seconds=10.0
        )
        for each in candidates:
            seconds_a_text = np.median(seconds[each["name"]]) / len(self.timed[0])
            each["ms_a_text"] = 1000 * float(seconds_a_text)
        return candidates

    def _with_calibration(self, options):
        if options["dtype"] != "int8":
            return options
        return {**options, "calibration": int8_model(self.folder).path}


def _has_int8(folder):
    """Whether a run's model can be made an int8 one here."""
    packages = ("openvino", "nncf")
    there = all(importlib.util.find_spec(name) is not None for name in packages)
    return there and default_runtime() == "tensorflow" and folder.has_calibration


def _is_allowed(candidate):
    return candidate.get("allowed", True)


def table(result):
    """What `choose` returns, as text."""
    rows = []
    for candidates in (result["modes"], result["forms"]):
        allowed = list(filter(_is_allowed, candidates))
        for each in candidates:
            remark = "" if each in allowed else "costs too much"
            if each is _fastest(allowed):
                remark = "<- fastest"
            score, time = f"{100 * each['score']:.2f}", f"{each['ms_a_text']:.3f}"
            rows.append((each["name"], score, time, remark))
    for each in result["left_out"]:
        time = f"{each['ms_a_text']:.3f}"
        rows.append((each["name"], "", time, "left out after one batch"))
    headers = ("", result["metric"], "ms a text", "")
    alignment = ("left", "right", "right", "left")
    return tabulate(rows, headers, "plain", disable_numparse=True, colalign=alignment)


def _fastest(candidates):
    return min(candidates, key=lambda each: each["ms_a_text"])
