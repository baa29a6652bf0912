"""What a run gained and lost, against BERT padded to N and against BERT without padding."""

import os
import platform
import textwrap

import numpy as np

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.deploy.runtimes import usable_modes
from power_bert_tf.measure.comparison import WAYS
from power_bert_tf.measure.comparison import mode_times
from power_bert_tf.measure.comparison import operations
from power_bert_tf.measure.comparison import times
from power_bert_tf.training.metrics import task_score

BATCH_SIZE = 128
_MOST_TIMED_TEXTS = 512
_QUESTIONS = """
An example is a question. A text, in what follows, is one of its options with the article.
"""


def build_report(run, dev, timed=True, beside=None):
    """Scores, operations and times of a finished run.

    Args:
        run: `RunFolder`, all steps done.
        dev: `Examples`.
        timed: bool. Measure the times too, which takes a minute or so.
        beside: dict of name and `Examples`: further sets to measure the scores on.

    Returns:
        dict, JSON-ready.
    """
    identity, preprocessor = run.settings()["identity"], run.preprocessor()
    bert = run.finished_step("fine-tune").load_model()
    retention = run.retention()
    bert_score = run.step("fine-tune").metrics()["score"]
    power_score = run.step("re-train").metrics()["score"]
    encoded = preprocessor.encode(dev.texts, dev.text_pairs)
    sizes = np.array([len(ids) for ids in encoded[0]])
    report = {
        "task": identity["task"]["name"],
        "metric": identity["task"]["metric"],
        "basis": identity["basis"],
        "strength": None if identity["retention"] else identity["task"]["strength"],
        "examples": run.settings()["examples"],
        "sequence_length": bert.sequence_length,
        "mean_length": float(sizes.mean()),
        "score": _score(bert_score, power_score),
        "retention": str(retention),
        "word_vectors": _word_vectors(bert, retention, sizes),
        "operations": operations(bert.config, bert.sequence_length, retention, sizes),
        "seconds_training": {
            name: run.step(name).metrics()["seconds"]
            for name in ("fine-tune", "search", "re-train")
            if run.step(name).finished
        },
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": run.settings()["versions"],
    }
    power = run.finished_step("re-train").load_model() if timed or beside else None
    if dev.choices > 1:
        report["choices"] = dev.choices
    if beside:
        report["beside"] = {
            name: {
                "examples": len(examples),
                "score": _score(
                    *(
                        _measured(model, preprocessor, examples, report["metric"])
                        for model in (bert, power)
                    )
                ),
            }
            for name, examples in beside.items()
        }
    if timed:
        report["time"] = _times(bert, power, encoded)
        report["modes"] = _mode_times(power, encoded, sizes)
    return report


def _score(bert, power):
    return {"bert": bert, "power_bert": power, "drop_points": 100 * (bert - power)}


def _measured(model, preprocessor, examples, metric):
    outputs = CompiledClassifier(model, preprocessor).predict(examples.texts, examples.text_pairs)
    return task_score(metric, examples.labels, outputs)


def _word_vectors(bert, retention, sizes):
    length, layers = bert.sequence_length, bert.config.num_layers
    own = sum(np.minimum(retention.at_length(int(size)), int(size)).sum() for size in sizes)
    return {
        "padded": {"bert": length * layers, "power_bert": sum(retention.at_length(length))},
        "unpadded": {
            "bert": float(sizes.mean() * layers),
            "power_bert": float(own / len(sizes)),
        },
    }


def _times(bert, power, encoded):
    # Spread over the whole set: the first texts may be of one kind.
    texts = len(encoded[0])
    count = min(texts, _MOST_TIMED_TEXTS)
    if count >= BATCH_SIZE:
        count -= count % BATCH_SIZE
    chosen = np.linspace(0, texts - 1, count).astype(int)
    token_ids, segment_ids = ([ids[row] for row in chosen] for ids in encoded)
    return times(
        bert,
        power,
        token_ids,
        segment_ids,
        batch_size=BATCH_SIZE,
        rounds={"budget_seconds": 12.0, "least_runs": 3},
    )


def _mode_times(power, encoded, sizes):
    # Around the middle, where most texts are.
    order = np.argsort(sizes, kind="stable")
    begin = max(0, (len(order) - BATCH_SIZE) // 2)
    token_ids, segment_ids = (
        [ids[row] for row in order[begin : begin + BATCH_SIZE]] for ids in encoded
    )
    return mode_times(
        power, usable_modes(), token_ids, segment_ids, budget_seconds=4.0, least_runs=3
    )


def _modes_line(report):
    """Which runtime, dtype and buckets are fastest, and by what that was measured."""
    each = ", ".join(f"{mode_name(mode)} {mode['ms_a_text']:.2f}" for mode in report["modes"])
    time = report["time"]
    padded, unpadded = (
        time["seconds"][way]["median"] for way in ("power_bert_padded", "power_bert_unpadded")
    )
    if unpadded < padded:
        buckets = f"length buckets, {padded / unpadded:.2f} times as fast as padding to N"
    else:
        buckets = f"padding to N, {unpadded / padded:.2f} times as fast as length buckets"
    return (
        f"Fastest here: {mode_name(report['modes'][0])} (ms a text, in one batch of middle "
        f"length: {each}); and {buckets} (in {mode_name({'jit_compile': False, **time})})."
    )


def _cost_rows(report):
    per_text = report["operations"]["per_text"]
    seconds = report["time"]["seconds"]
    for name, label in WAYS.items():
        yield (
            label,
            f"{per_text[name] / 1e9:.3f}",
            f"{per_text['bert_padded'] / per_text[name]:.2f}x",
            f"{per_text['bert_unpadded'] / per_text[name]:.2f}x",
            f"{1000 * seconds[name]['median'] / report['time']['texts']:.2f}",
            f"{seconds['bert_padded']['median'] / seconds[name]['median']:.2f}x",
            f"{seconds['bert_unpadded']['median'] / seconds[name]['median']:.2f}x",
        )


def _score_line(score):
    return (
        f"{100 * score['bert']:.1f} BERT, {100 * score['power_bert']:.1f} PoWER-BERT, "
        f"drop {score['drop_points']:.1f} points"
    )


def markdown(report):
    """The report as Markdown text."""
    vectors = report["word_vectors"]
    header = (
        "| | GFLOP a text | vs padded BERT | vs unpadded BERT | ms a text "
        "| vs padded BERT | vs unpadded BERT |"
    )
    rows = "\n".join(f"| {' | '.join(row)} |" for row in _cost_rows(report))
    beside = "".join(
        f"\nOn the {each['examples']} dev examples of {name}, which nothing was chosen by: "
        f"{100 * each['score']['bert']:.2f} BERT, {100 * each['score']['power_bert']:.2f} "
        f"PoWER-BERT, drop {each['score']['drop_points']:.2f} points.\n"
        for name, each in report.get("beside", {}).items()
    )
    strength = "given" if report["strength"] is None else f"lambda {report['strength']:g}"
    return f"""# PoWER-BERT on {report["task"]}

| | {report["metric"]} on {report["examples"]["dev"]} dev examples |
|---|---|
| BERT, fine-tuned | {100 * report["score"]["bert"]:.2f} |
| PoWER-BERT, re-trained | {100 * report["score"]["power_bert"]:.2f} |
| drop | {report["score"]["drop_points"]:.2f} points |
{beside}{_QUESTIONS if report.get("choices") else ""}
Trained on {report["examples"]["train"]} examples. Inputs are padded or cut to N =
{report["sequence_length"]} word-pieces; the mean length of the dev examples is
{report["mean_length"]:.1f}.

Retention configuration ({report["basis"]}, {strength}): `{report["retention"]}`

Word-vectors kept over all encoders: {vectors["padded"]["power_bert"]} of
{vectors["padded"]["bert"]} with padding; {vectors["unpadded"]["power_bert"]:.1f} of
{vectors["unpadded"]["bert"]:.1f} on average without.

{header}
|---|---|---|---|---|---|---|
{rows}

Operations: matrix products of the encoders in closed form, one text at a time where unpadded.
Time: median of {report["time"]["rounds"]} interleaved rounds over {report["time"]["texts"]} dev
texts in batches of {report["time"]["batch_size"]}, in length buckets where unpadded, tokenizing
left out; {report["device"]}.

{_modes_line(report)} `power-bert benchmark --run RUN --choose` has `predict` use the fastest.
"""


def summary(report):
    """A dozen lines for the terminal."""
    lines = [
        f"{report['task']}, {report['metric']} on {report['examples']['dev']} dev examples: "
        f"{_score_line(report['score'])}",
        *(
            f"{name}, {report['metric']} on {each['examples']} dev examples: "
            f"{_score_line(each['score'])}"
            for name, each in report.get("beside", {}).items()
        ),
        f"retention ({report['basis']}): {report['retention']}",
        "",
        f"{'':28}{'GFLOP':>8}{'speedup over BERT':>21}{'ms':>9}{'speedup over BERT':>21}",
        f"{'':28}{'a text':>8}{'padded':>11}{'unpadded':>10}{'a text':>9}{'padded':>11}"
        f"{'unpadded':>10}",
    ]
    for label, flops, padded, unpadded, ms, padded_time, unpadded_time in _cost_rows(report):
        lines.append(
            f"{label:28}{flops:>8}{padded:>11}{unpadded:>10}{ms:>9}{padded_time:>11}"
            f"{unpadded_time:>10}"
        )
    lines += ["", textwrap.fill(_modes_line(report), 100)]
    return "\n".join(lines)
