"""A report for people: Markdown for a file, a summary for the terminal."""

import textwrap

from tabulate import tabulate

from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.measure.comparison import labels
from power_bert_tf.methods import get_method
from power_bert_tf.methods.method import CONTROL
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.runs.class_text import calibration_line
from power_bert_tf.runs.class_text import changed_table
from power_bert_tf.runs.class_text import class_table
from power_bert_tf.runs.class_text import confusion_table
from power_bert_tf.runs.class_text import number_line
from power_bert_tf.runs.folder import DEV

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
    """Which runtime, dtype and form are fastest, and by what that was measured."""
    each = ", ".join(f"{mode_name(mode)} {mode['ms_a_text']:.2f}" for mode in report["modes"])
    time = report["time"]
    padded, unpadded = (
        time["seconds"][way]["median"] for way in ("reduced_padded", "reduced_unpadded")
    )
    without = _without_padding(time)
    if unpadded < padded:
        form = f"{without}, {padded / unpadded:.2f} times as fast as padding to N"
    else:
        form = f"padding to N, {unpadded / padded:.2f} times as fast as {without}"
    return (
        f"Fastest here: {mode_name(report['modes'][0])} (ms a text, in one batch of middle "
        f"length: {each}); and {form} (in {mode_name({'jit_compile': False, **time})})."
    )


def _without_padding(time):
    """In which form texts were timed where unpadded."""
    return "packed rows" if time["packed"] else "length buckets"


def interval_text(score):
    """The interval of a drop in brackets, after a space; empty where there is none."""
    interval = score.get("interval")
    return "" if interval is None else f" ({interval[0]:.1f} to {interval[1]:.1f})"


def score_line(report, score):
    """Both scores and the drop with its interval, in points of the metric."""
    return (
        f"{100 * score['bert']:.1f} BERT, {100 * score['reduced']:.1f} {report['title']}, "
        f"drop {score['drop_points']:.1f} points{interval_text(score)}"
    )


def set_name(report):
    """What the examples are that the figures are of, such as "8,000 held-out examples"."""
    count = f"{report['examples'][report['measured_by']]:,}"
    if report["measured_by"] == DEV:
        return f"{count} dev examples"
    return f"{count} held-out examples" if report["held_out"] else f"{count} test examples"


def model_names(report):
    """What each model of a report's `models` is called, a dict."""
    names = {FINE_TUNE: "BERT, fine-tuned", CONTROL: "BERT, control"}
    return {step: names.get(step, report["title"]) for step in report["models"]}


def caveats(report):
    """Sentences on what the drop is against, on what was chosen by which examples, and on a model
    that drops nothing."""
    models, bert = report["models"], report["bert"]
    words = report["word_vectors"]["unpadded"]
    if words["reduced"] >= words["bert"]:
        yield f"Nothing is dropped: no text loses a word-vector.{_more_strength(report)}"
    if CONTROL not in models:
        yield (
            "No control was trained: a BERT that is given as many further epochs may score higher."
        )
    else:
        other = FINE_TUNE if bert == CONTROL else CONTROL
        what = {
            CONTROL: f"the control, trained on for {models[CONTROL]['epochs']} epochs",
            FINE_TUNE: "the fine-tuned one",
        }
        yield (
            f"The drop is against the better BERT by dev: {what[bert]} "
            f"({100 * models[bert]['dev']:.1f} against {100 * models[other]['dev']:.1f})."
        )
    if report["measured_by"] == DEV:
        yield "Choices were made on these dev examples too, so the scores are a little too good."


def _more_strength(report):
    """What would drop more, after a space; empty for a method that has no strength."""
    strength = get_method(report["method"]).strength
    value = report["configuration"]["strength"]
    if strength is None or value is None:
        return ""
    return (
        f" More of --{strength.replace('_', '-')} (here {value:g}) drops more, and --max-drop "
        "finds how much a task allows."
    )


def _differing(score):
    """How many answers differ each way, in a sentence; empty for regression."""
    if "p_value" not in score:
        return ""
    return (
        f" BERT alone is right on {score['only_bert_right']}, the faster model alone on "
        f"{score['only_reduced_right']} (McNemar's exact test: p = {score['p_value']:.2g})."
    )


def _sentence_on_drop(score):
    if score["interval"] is None:
        return f"Drop: {score['drop_points']:.2f} points."
    low, high = score["interval"]
    return (
        f"Drop: {score['drop_points']:.2f} points; with a confidence of 95 % between {low:.2f} and "
        f"{high:.2f}, by a paired bootstrap of the examples; another seed of training moves it too."
        f"{_differing(score)}"
    )


def _models_table(report):
    rows = []
    for step, name in model_names(report).items():
        model = report["models"][step]
        error = model["standard_error"]
        rows.append(
            (
                name,
                f"{100 * model['dev']:.2f}",
                f"{100 * model['score']:.2f}",
                "-" if error is None else f"{100 * error:.2f}",
                f"{model['best_epoch']} of {model['epochs']}" if model["epochs"] else "-",
            )
        )
    dev = f"{report['metric']} on {report['examples'][DEV]:,} dev examples"
    headers = ("", dev, f"on {set_name(report)}", "standard error", "best epoch")
    if report["measured_by"] == DEV:
        rows = [(name, *cells[1:]) for name, *cells in rows]
        headers = ("", dev, *headers[3:])
    return tabulate(rows, headers, "pipe", disable_numparse=True)


def _percentiles_table(percentiles):
    """Words that are left after each encoder; column 0 is before the first."""
    rows = [(f"{share} %", *map("{:.0f}".format, words)) for share, words in percentiles.items()]
    headers = ("texts with at most so many words after encoder", *range(len(rows[0]) - 1))
    return tabulate(rows, headers, "pipe", disable_numparse=True)


def configuration_lines(report):
    """What a configuration is with how it came about, and its text: two str."""
    configuration = report["configuration"]
    return get_method(report["method"]).describe(configuration), configuration["text"]


def titled(report, key):
    """Figures of a report's models, `classes` or `numbers`, by what the models are called."""
    names = model_names(report)
    return {names[step]: figures for step, figures in report[key].items()}


def _further_markdown(report):
    """Figures by class and the texts that change most, or the error of numbers; after a line."""
    if "numbers" in report:
        return f"\n{number_line(titled(report, 'numbers'))}\n"
    if "classes" not in report:
        return ""
    figures = titled(report, "classes")
    *_, (title, last) = figures.items()
    parts = [
        f"## By class, on {set_name(report)}",
        class_table(report["labels"], figures),
        calibration_line(figures),
    ]
    confusion = confusion_table(report["labels"], last["confusion"])
    if confusion:
        parts.append(f"What {title} takes for what:\n\n{confusion}")
    changed = changed_table(title, report.get("changed", ()))
    if changed:
        parts.append(f"The texts whose answers change most:\n\n{changed}")
    return "\n" + "\n\n".join(parts) + "\n"


def without_texts(report):
    """A report without texts of the data, which may not be for everybody who gets the model."""
    return {name: value for name, value in report.items() if name != "changed"}


def markdown(report):
    """The report as Markdown text."""
    vectors, title, time = report["word_vectors"], report["title"], report["time"]
    costs = tabulate(cost_rows(report), _MARKDOWN_HEADERS, "pipe", disable_numparse=True)
    further = "".join(
        f"\nOn the {each['examples']:,} dev examples of {name}, by which nothing was chosen: "
        f"{100 * each['score']['bert']:.2f} BERT, {100 * each['score']['reduced']:.2f} "
        f"{title}. {_sentence_on_drop(each['score'])}\n"
        for name, each in report.get("further", {}).items()
    )
    what, text = configuration_lines(report)
    return f"""# {title} on {report["task"]}

{_models_table(report)}

{textwrap.fill(_sentence_on_drop(report["score"]), 100)}

{textwrap.fill(" ".join(caveats(report)), 100)}
{further}{_QUESTIONS if report.get("choices") else ""}
Trained on {report["examples"]["train"]:,} examples. Inputs are padded or cut to N =
{report["sequence_length"]} word-pieces; the mean length of the dev examples is
{report["mean_length"]:.1f}.

{what}: `{text}`

Word-vectors kept over all encoders: {vectors["padded"]["reduced"]} of
{vectors["padded"]["bert"]} with padding; {vectors["unpadded"]["reduced"]:.1f} of
{vectors["unpadded"]["bert"]:.1f} on average without.

{_percentiles_table(vectors["percentiles"])}

{costs}

Operations: matrix products of the encoders in closed form, one text at a time where unpadded.
Time: median of {time["rounds"]} interleaved rounds over {time["texts"]} dev texts in batches of
{time["batch_size"]}, in {_without_padding(time)} where unpadded, tokenizing left out;
{report["device"]}.

{fastest_line(report)} `power-bert choose RUN` has `predict` use the fastest.
{_further_markdown(report)}"""


def summary(report):
    """A dozen lines for the terminal."""
    lines = [
        f"{report['task']}, {report['metric']} on {set_name(report)}: "
        f"{score_line(report, report['score'])}"
    ]
    lines += [
        f"{name}, {report['metric']} on {each['examples']:,} dev examples: "
        f"{score_line(report, each['score'])}"
        for name, each in report.get("further", {}).items()
    ]
    lines += textwrap.wrap(" ".join(caveats(report)), 100)
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
