"""What a run gained and lost, against BERT padded to N and against BERT without padding."""

import os
import platform

import numpy as np

from power_bert_tf.deploy.runtimes import usable_modes
from power_bert_tf.measure.by_class import class_figures
from power_bert_tf.measure.by_class import most_changed
from power_bert_tf.measure.by_class import number_figures
from power_bert_tf.measure.comparison import mode_times
from power_bert_tf.measure.comparison import operations
from power_bert_tf.measure.comparison import times
from power_bert_tf.methods import get_method
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.runs.scores import bert_at_its_best
from power_bert_tf.runs.scores import outputs
from power_bert_tf.runs.scores import scores
from power_bert_tf.training.loop import kept_by_text

BATCH_SIZE = 128
_PERCENTILES = (5, 25, 50, 75, 95)
_MOST_TIMED_TEXTS, _MOST_TIMED_POSITIONS = 512, 512 * 128
# Of a batch in which modes are compared: some runtimes keep all of its attention at once, which of
# 128 texts of 512 word-pieces takes 18 GB.
_MOST_MODE_POSITIONS = 128 * 128


def build_report(run, timed=True):
    """Scores, operations and times of a finished run.

    Args:
        run: `RunFolder`, all steps done.
        timed: bool. Measure the times too, which takes a minute or so, and say how each class
            does and which texts' answers change.

    Returns:
        dict, JSON-ready.
    """
    settings, preprocessor, dev = run.settings(), run.preprocessor(), run.dev()
    identity, method = settings["identity"], get_method(settings["identity"]["method"])
    bert = run.finished_step(FINE_TUNE).load_model()
    reduced = run.finished_step().load_model()
    encoded = preprocessor.encode(dev.texts, dev.text_pairs)
    sizes = np.array([len(ids) for ids in encoded[0]])
    kept = kept_by_text(reduced, reduced.reduction, dev, preprocessor, sizes)
    report = {
        "method": method.name,
        "title": method.title,
        "task": identity["task"]["name"],
        "metric": identity["task"]["metric"],
        "examples": settings["examples"],
        "sequence_length": bert.sequence_length,
        "mean_length": float(sizes.mean()),
        **_scored(run),
        "configuration": method.configuration(method.Options(**identity["options"]), reduced),
        "word_vectors": _word_vectors(bert, reduced.reduction, sizes, kept),
        "operations": operations(bert.config, bert.sequence_length, reduced.reduction, sizes, kept),
        "seconds_training": {name: run.step(name).metrics()["seconds"] for name in run.steps},
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": settings["versions"],
    }
    if dev.choices > 1:
        report["choices"] = dev.choices
    if run.further_sets:
        report["further"] = {name: scores(run, name) for name in run.further_sets}
    if timed:
        report |= _further_figures(run, identity["task"])
        report["time"] = _times(bert, reduced, encoded)
        report["modes"] = _mode_times(reduced, encoded, sizes)
    return report


def _scored(run):
    """The models' scores, on test where there is such a set, and beside it what was chosen by."""
    measured = scores(run, run.measured_by)
    models = {}
    for step, its in measured["models"].items():
        metrics = run.step(step).metrics()
        kept = {"epochs": metrics["epochs"], "best_epoch": metrics["best_epoch"]}
        models[step] = {"dev": metrics["score"], **kept, **its}
    return {
        "measured_by": run.measured_by,
        "held_out": run.settings()["held_out"],
        "bert": bert_at_its_best(run),
        "models": models,
        "score": measured["score"],
    }


def _further_figures(run, task):
    """Figures by class and what changes most, or of numbers more than their order."""
    if run.dev().choices > 1:
        return {}
    examples = run.examples(run.measured_by)
    steps = (bert_at_its_best(run), run.steps[-1])
    answers = {step: outputs(run, step, run.measured_by) for step in steps}
    if not task["labels"]:
        numbers = {step: number_figures(examples.labels, each) for step, each in answers.items()}
        return {"numbers": numbers}
    classes = {step: class_figures(examples.labels, each) for step, each in answers.items()}
    names, rows = list(task["labels"]), most_changed(*answers.values())
    return {
        "labels": names,
        "classes": classes,
        "changed": [_changed(examples, row, names, answers) for row in rows],
    }


def _changed(examples, row, names, answers):
    """A text that two models answer differently, JSON-ready."""
    bert, reduced = (each[row] for each in answers.values())
    text = examples.texts[row]
    if examples.text_pairs is not None:
        text = f"{text} [SEP] {examples.text_pairs[row]}"
    return {
        "text": text,
        "label": names[int(examples.labels[row])],
        "bert": [names[int(bert.argmax())], float(bert.max())],
        "reduced": [names[int(reduced.argmax())], float(reduced.max())],
    }


def _word_vectors(bert, reduction, sizes, kept):
    length, layers = bert.sequence_length, bert.config.num_layers
    return {
        "padded": {"bert": length * layers, "reduced": sum(reduction.kept(layers, length))},
        "unpadded": {
            "bert": float(sizes.mean() * layers),
            "reduced": float(kept.sum() / len(sizes)),
        },
        # Over the texts: how many there are, and how many are left after each encoder.
        "percentiles": {
            str(share): np.percentile(np.column_stack([sizes, kept]), share, axis=0).tolist()
            for share in _PERCENTILES
        },
    }


def timed_rows(texts, length):
    """Rows of the texts to time, spread over the whole set: the first may be of one kind.

    Whole batches where there is one, and so few that long texts take minutes, not an hour.

    Args:
        texts: int, how many there are.
        length: int, N.
    """
    count = min(texts, _MOST_TIMED_TEXTS, _MOST_TIMED_POSITIONS // length)
    if count >= BATCH_SIZE:
        count -= count % BATCH_SIZE
    return np.linspace(0, texts - 1, count).astype(int)


def _times(bert, reduced, encoded):
    rows = timed_rows(len(encoded[0]), bert.sequence_length)
    token_ids, segment_ids = ([ids[row] for row in rows] for ids in encoded)
    return times(
        bert,
        reduced,
        token_ids,
        segment_ids,
        batch_size=BATCH_SIZE,
        rounds={"budget_seconds": 12.0, "least_runs": 3},
    )


def middle_rows(sizes):
    """Rows of a batch of texts around the middle length, where most texts are.

    Args:
        sizes: int array, the lengths of all texts.
    """
    order = np.argsort(sizes, kind="stable")
    count = max(1, min(BATCH_SIZE, _MOST_MODE_POSITIONS // int(sizes.max())))
    begin = max(0, (len(order) - count) // 2)
    return order[begin : begin + count]


def _mode_times(reduced, encoded, sizes):
    rows = middle_rows(sizes)
    token_ids, segment_ids = ([ids[row] for row in rows] for ids in encoded)
    return mode_times(
        reduced, usable_modes(), token_ids, segment_ids, budget_seconds=4.0, least_runs=3
    )
