"""What a run gained and lost, against BERT padded to N and against BERT without padding."""

import os
import platform

import numpy as np

from power_bert_tf.deploy.bucketed import BucketedClassifier
from power_bert_tf.deploy.bucketed import encode_texts
from power_bert_tf.deploy.flops import encoders_flops
from power_bert_tf.deploy.timing import interleaved_seconds

BATCH_SIZE = 128
_MOST_TIMED_TEXTS = 512


def build_report(run, dev, preprocessor):
    """Scores, operations and times of a finished run.

    Args:
        run: `RunFolder`, all steps done.
        dev: `Examples`.
        preprocessor: `Preprocessor`.

    Returns:
        dict, JSON-ready.
    """
    identity = run.settings()["identity"]
    bert = run.finished_step("fine-tune").load_model()
    power = run.finished_step("re-train").load_model()
    retention = run.retention()
    bert_score = run.step("fine-tune").metrics()["score"]
    power_score = run.step("re-train").metrics()["score"]
    encoded = encode_texts(preprocessor, dev.texts, dev.text_pairs)
    sizes = np.array([len(ids) for ids in encoded[0]])
    return {
        "task": identity["task"]["name"],
        "metric": identity["task"]["metric"],
        "basis": identity["basis"],
        "strength": None if identity["retention"] else identity["task"]["strength"],
        "examples": run.settings()["examples"],
        "sequence_length": bert.sequence_length,
        "mean_length": float(sizes.mean()),
        "score": {
            "bert": bert_score,
            "power_bert": power_score,
            "drop_points": 100 * (bert_score - power_score),
        },
        "retention": str(retention),
        "word_vectors": _word_vectors(bert, retention, sizes),
        "operations": _operations(bert.config, bert.sequence_length, retention, sizes),
        "time": _times(bert, power, encoded),
        "seconds_training": {
            name: run.step(name).metrics()["seconds"]
            for name in ("fine-tune", "search", "re-train")
            if run.step(name).finished
        },
        "device": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": run.settings()["versions"],
    }


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


def _operations(config, length, retention, sizes):
    """Floating-point operations a text, in the encoders; unpadded ones one text at a time."""
    lengths, counts = np.unique(sizes, return_counts=True)

    def mean(kept):
        each = [encoders_flops(config, int(size), kept) for size in lengths]
        return float(np.average(each, weights=counts))

    operations = {
        "bert_padded": encoders_flops(config, length),
        "bert_unpadded": mean(None),
        "power_bert_padded": encoders_flops(config, length, retention),
        "power_bert_unpadded": mean(retention),
    }
    return {"per_text": operations, "speedup": _speedups(operations)}


def _speedups(cost):
    return {
        "padded_over_padded": cost["bert_padded"] / cost["power_bert_padded"],
        "unpadded_over_padded": cost["bert_padded"] / cost["power_bert_unpadded"],
        "unpadded_over_unpadded": cost["bert_unpadded"] / cost["power_bert_unpadded"],
        "bert_by_skipping_padding": cost["bert_padded"] / cost["bert_unpadded"],
    }


def _times(bert, power, encoded):
    padded = (bert.sequence_length,)
    classifiers = {
        "bert_padded": BucketedClassifier(bert, padded, BATCH_SIZE),
        "bert_unpadded": BucketedClassifier(bert, None, BATCH_SIZE),
        "power_bert_padded": BucketedClassifier(power, padded, BATCH_SIZE),
        "power_bert_unpadded": BucketedClassifier(power, None, BATCH_SIZE),
    }
    # Spread over the whole set: the first texts may be of one kind.
    texts = len(encoded[0])
    count = min(texts, _MOST_TIMED_TEXTS)
    if count >= BATCH_SIZE:
        count -= count % BATCH_SIZE
    chosen = np.linspace(0, texts - 1, count).astype(int)
    token_ids, segment_ids = ([ids[row] for row in chosen] for ids in encoded)

    def work(classifier):
        batches = classifier.batches(token_ids, segment_ids)
        return lambda: classifier.run(batches)

    seconds = interleaved_seconds({name: work(each) for name, each in classifiers.items()})
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    return {
        "batch_size": BATCH_SIZE,
        "texts": count,
        "rounds": len(seconds["bert_padded"]),
        "seconds": {
            name: {
                "median": medians[name],
                "p5": float(np.percentile(values, 5)),
                "p95": float(np.percentile(values, 95)),
            }
            for name, values in seconds.items()
        },
        "speedup": _speedups(medians),
    }


_ROWS = (
    ("BERT, padded to N", "bert_padded"),
    ("BERT, without padding", "bert_unpadded"),
    ("PoWER-BERT, padded to N", "power_bert_padded"),
    ("PoWER-BERT, without padding", "power_bert_unpadded"),
)


def _cost_rows(report):
    operations = report["operations"]["per_text"]
    seconds = report["time"]["seconds"]
    for label, name in _ROWS:
        yield (
            label,
            f"{operations[name] / 1e9:.3f}",
            f"{operations['bert_padded'] / operations[name]:.2f}x",
            f"{operations['bert_unpadded'] / operations[name]:.2f}x",
            f"{1000 * seconds[name]['median'] / report['time']['texts']:.2f}",
            f"{seconds['bert_padded']['median'] / seconds[name]['median']:.2f}x",
            f"{seconds['bert_unpadded']['median'] / seconds[name]['median']:.2f}x",
        )


def _score_line(report):
    score = report["score"]
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
    strength = "given" if report["strength"] is None else f"lambda {report['strength']:g}"
    return f"""# PoWER-BERT on {report["task"]}

| | {report["metric"]} on {report["examples"]["dev"]} dev examples |
|---|---|
| BERT, fine-tuned | {100 * report["score"]["bert"]:.2f} |
| PoWER-BERT, re-trained | {100 * report["score"]["power_bert"]:.2f} |
| drop | {report["score"]["drop_points"]:.2f} points |

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
"""


def summary(report):
    """A dozen lines for the terminal."""
    lines = [
        f"{report['task']}, {report['metric']} on {report['examples']['dev']} dev examples: "
        f"{_score_line(report)}",
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
    return "\n".join(lines)
