"""A report for people: Markdown for a file, a summary for the terminal."""

import textwrap

from tabulate import tabulate

from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.measure.comparison import labels
from power_bert_tf.methods import get_method

_QUESTIONS = """
An example is a question. A text, in what follows, is one of its options with the article.
"""
_HEADERS = (
    "",
    "GFLOP\na text",
    "speedup over\npadded BERT",
    "over\nunpadded",
    "ms\na text",
    "speedup over\npadded BERT",
    "over\nunpadded",
)
_MARKDOWN_HEADERS = (
    "",
    "GFLOP a text",
    "vs padded BERT",
    "vs unpadded BERT",
    "ms a text",
    "vs padded BERT",
    "vs unpadded BERT",
)


def cost_rows(report):
    """A row of cells for each way: operations and times with speedups over both baselines.

    Columns: the way, GFLOP a text, its speedup over BERT padded to N and over BERT without
    padding, milliseconds a text, and the same two speedups.
    """
    per_text = report["operations"]["per_text"]
    seconds = report["time"]["seconds"]
    for name, label in labels(report["title"]).items():
        yield (
            label,
            f"{per_text[name] / 1e9:.3f}",
            f"{per_text['bert_padded'] / per_text[name]:.2f}x",
            f"{per_text['bert_unpadded'] / per_text[name]:.2f}x",
            f"{1000 * seconds[name]['median'] / report['time']['texts']:.2f}",
            f"{seconds['bert_padded']['median'] / seconds[name]['median']:.2f}x",
            f"{seconds['bert_unpadded']['median'] / seconds[name]['median']:.2f}x",
        )


def fastest_line(report):
    """Which runtime, dtype and buckets are fastest, and by what that was measured."""
    each = ", ".join(f"{mode_name(mode)} {mode['ms_a_text']:.2f}" for mode in report["modes"])
    time = report["time"]
    padded, unpadded = (
        time["seconds"][way]["median"] for way in ("reduced_padded", "reduced_unpadded")
    )
    if unpadded < padded:
        buckets = f"length buckets, {padded / unpadded:.2f} times as fast as padding to N"
    else:
        buckets = f"padding to N, {unpadded / padded:.2f} times as fast as length buckets"
    return (
        f"Fastest here: {mode_name(report['modes'][0])} (ms a text, in one batch of middle "
        f"length: {each}); and {buckets} (in {mode_name({'jit_compile': False, **time})})."
    )


def score_line(report, score):
    """Both scores and the drop, in points of the metric."""
    return (
        f"{100 * score['bert']:.1f} BERT, {100 * score['reduced']:.1f} {report['title']}, "
        f"drop {score['drop_points']:.1f} points"
    )


def configuration_lines(report):
    """What a configuration is with how it came about, and its text: two str."""
    configuration = report["configuration"]
    return get_method(report["method"]).describe(configuration), configuration["text"]


def markdown(report):
    """The report as Markdown text."""
    vectors, title, time = report["word_vectors"], report["title"], report["time"]
    score = report["score"]
    scores = tabulate(
        [
            ("BERT, fine-tuned", f"{100 * score['bert']:.2f}"),
            (title, f"{100 * score['reduced']:.2f}"),
            ("drop", f"{score['drop_points']:.2f} points"),
        ],
        ("", f"{report['metric']} on {report['examples']['dev']} dev examples"),
        "pipe",
        disable_numparse=True,
    )
    costs = tabulate(cost_rows(report), _MARKDOWN_HEADERS, "pipe", disable_numparse=True)
    further = "".join(
        f"\nOn the {each['examples']} dev examples of {name}, by which nothing was chosen: "
        f"{100 * each['score']['bert']:.2f} BERT, {100 * each['score']['reduced']:.2f} "
        f"{title}, drop {each['score']['drop_points']:.2f} points.\n"
        for name, each in report.get("further", {}).items()
    )
    what, text = configuration_lines(report)
    return f"""# {title} on {report["task"]}

{scores}
{further}{_QUESTIONS if report.get("choices") else ""}
Trained on {report["examples"]["train"]} examples. Inputs are padded or cut to N =
{report["sequence_length"]} word-pieces; the mean length of the dev examples is
{report["mean_length"]:.1f}.

{what}: `{text}`

Word-vectors kept over all encoders: {vectors["padded"]["reduced"]} of
{vectors["padded"]["bert"]} with padding; {vectors["unpadded"]["reduced"]:.1f} of
{vectors["unpadded"]["bert"]:.1f} on average without.

{costs}

Operations: matrix products of the encoders in closed form, one text at a time where unpadded.
Time: median of {time["rounds"]} interleaved rounds over {time["texts"]} dev texts in batches of
{time["batch_size"]}, in length buckets where unpadded, tokenizing left out; {report["device"]}.

{fastest_line(report)} `power-bert choose RUN` has `predict` use the fastest.
"""


def summary(report):
    """A dozen lines for the terminal."""
    sets = {"": {"examples": report["examples"]["dev"], "score": report["score"]}}
    lines = [
        f"{name or report['task']}, {report['metric']} on {each['examples']} dev examples: "
        f"{score_line(report, each['score'])}"
        for name, each in (sets | report.get("further", {})).items()
    ]
    what, text = configuration_lines(report)
    table = tabulate(
        cost_rows(report),
        _HEADERS,
        "plain",
        disable_numparse=True,
        colalign=("left", *["right"] * 6),
    )
    lines += [f"{what}: {text}", "", table, "", textwrap.fill(fastest_line(report), 100)]
    return "\n".join(lines)
