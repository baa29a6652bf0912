"""A report as one HTML file that needs no other: figures, pictures, the table, struck-out words."""

import base64
import html
import pathlib
import tempfile

from tabulate import tabulate

from power_bert_tf.analysis.confusion import draw_confusion
from power_bert_tf.analysis.speed_bars import draw_speeds
from power_bert_tf.analysis.trace import trace
from power_bert_tf.analysis.word_counts import draw_word_counts
from power_bert_tf.files import write_text
from power_bert_tf.measure.comparison import labels
from power_bert_tf.runs.class_text import answer_text
from power_bert_tf.runs.class_text import calibration_line
from power_bert_tf.runs.class_text import class_table
from power_bert_tf.runs.class_text import number_line
from power_bert_tf.runs.report_text import caveats
from power_bert_tf.runs.report_text import configuration_lines
from power_bert_tf.runs.report_text import cost_rows
from power_bert_tf.runs.report_text import fastest_line
from power_bert_tf.runs.report_text import interval_text
from power_bert_tf.runs.report_text import model_names
from power_bert_tf.runs.report_text import set_name
from power_bert_tf.runs.report_text import titled

_TRACED = 2
_MOST_DRAWN_CLASSES = 20
_NICE_LENGTH = 75
_HEADERS = (
    "",
    "GFLOP a text",
    "speedup over padded BERT",
    "over unpadded BERT",
    "ms a text",
    "speedup over padded BERT",
    "over unpadded BERT",
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; }
.figures div { background: #f3f5f8; border-radius: .5rem; padding: .75rem 1.25rem; }
.figures b { display: block; font-size: 1.6rem; }
table { border-collapse: collapse; } th, td { padding: .3rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
tr + tr { border-top: 1px solid #ddd; }
img { max-width: 100%; } code { background: #f3f5f8; padding: .1rem .3rem; }
.encoder { color: #777; display: inline-block; width: 7rem; } s { color: #b44; }
"""


def write_page(run, report, path):
    """Writes a report as an HTML page; no network is needed to show it.

    Args:
        run: `Run`, finished.
        report: dict as `build_report` makes it, with times.
        path: HTML file to write.
    """
    title = html.escape(f"{report['title']} on {report['task']}")
    what, text = configuration_lines(report)
    pictures = {
        **_speed_picture(report),
        **_words_picture(report),
        **_confusion_picture(report),
        **_method_pictures(run),
    }
    parts = [
        f"<h1>{title}</h1>",
        _figures(report),
        f"<p>{html.escape(' '.join(caveats(report)))}</p>",
        f"<p>{html.escape(what)}: <code>{html.escape(text)}</code></p>",
        "<h2>What it costs</h2>",
        tabulate(cost_rows(report), _HEADERS, "html", disable_numparse=True),
        f"<p>{html.escape(fastest_line(report))}</p>",
        *(
            f'<h2>{html.escape(name)}</h2><img alt="{html.escape(name)}" '
            f'src="data:image/png;base64,{base64.b64encode(image).decode()}">'
            for name, image in pictures.items()
        ),
        _by_class(report),
        _struck_out(run),
    ]
    page = "\n".join(part for part in parts if part)
    write_text(
        path,
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{page}\n</body>\n</html>\n",
    )


def _figures(report):
    score, speed = report["score"], report["time"]["speedup"]
    figures = (
        *(
            (f"{100 * report['models'][step]['score']:.1f}", f"{name}, {report['metric']}")
            for step, name in model_names(report).items()
        ),
        (f"{score['drop_points']:.1f}", f"points of drop{interval_text(score)}"),
        (f"{speed['unpadded_over_unpadded']:.2f}x", "as fast, both without padding"),
        (f"{speed['padded_over_padded']:.2f}x", "as fast, both padded to N"),
    )
    cells = "".join(f"<div><b>{value}</b>{html.escape(name)}</div>" for value, name in figures)
    measured = f"<p>Scores on {set_name(report)}.</p>"
    return f'<div class="figures">{cells}</div>{measured}'


def _speed_picture(report):
    time = report["time"]
    seconds = {way: each["median"] for way, each in time["seconds"].items()}
    bars = [
        (label, time["texts"] / seconds[way], seconds["bert_padded"] / seconds[way])
        for way, label in labels(report["title"]).items()
    ]
    title = f"{time['runtime']} {time['dtype']}, batch {time['batch_size']}"
    return {"Speed": _drawn(draw_speeds, bars, title)}


def _words_picture(report):
    percentiles = report["word_vectors"]["percentiles"]
    return {"Words that are left after each encoder": _drawn(draw_word_counts, percentiles)}


def _confusion_picture(report):
    names = report.get("labels", ())
    if not 0 < len(names) <= _MOST_DRAWN_CLASSES:
        return {}
    *_, (title, figures) = titled(report, "classes").items()
    drawn = _drawn(draw_confusion, figures["confusion"], names)
    return {f"What {title} takes for what, on {set_name(report)}": drawn}


def _by_class(report):
    """Figures by class, or of numbers, and the texts whose answers change most."""
    if "numbers" in report:
        return f"<p>{html.escape(number_line(titled(report, 'numbers')))}</p>"
    if "classes" not in report:
        return ""
    figures = titled(report, "classes")
    parts = [
        f"<h2>By class, on {set_name(report)}</h2>",
        class_table(report["labels"], figures, "html"),
        f"<p>{html.escape(calibration_line(figures))}</p>",
    ]
    if report["changed"]:
        parts.append("<h2>Texts whose answers change most</h2>")
    for each in report["changed"]:
        bert, reduced = answer_text(each["bert"]), answer_text(each["reduced"])
        said = f"BERT: {bert}; {report['title']}: {reduced}; is {each['label']}"
        parts.append(f"<p>{html.escape(each['text'])}<br><b>{html.escape(said)}</b></p>")
    return "\n".join(parts)


def _drawn(draw, *arguments):
    """The bytes of what a function draws into a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "drawn.png")
        draw(*arguments, path)
        return path.read_bytes()


def _method_pictures(run):
    pictures = run.method.pictures(run.path)
    return {name: path.read_bytes() for name, path in pictures.items() if path.exists()}


def _struck_out(run):
    """What each encoder drops of a text of each of two classes."""
    model = run.model()
    if not model.reduction.drops:
        return ""
    parts = ["<h2>What each encoder drops</h2>"]
    texts, text_pairs = readable_texts(run.folder.dev())
    for traced in trace(model, run.preprocessor, texts, text_pairs):
        answer = ""
        if model.head == "classification":
            name = model.label_names[int(traced.outputs.argmax())]
            answer = f"<b>{html.escape(name)}</b>, {100 * traced.outputs.max():.0f} %"
        parts.append(f"<p>{html.escape(' '.join(traced.pieces))}<br>{answer}</p><p>")
        for number, words in traced.steps():
            line = " ".join(
                html.escape(piece) if stays else f"<s>{html.escape(piece)}</s>"
                for piece, stays in words
            )
            parts.append(f'<span class="encoder">encoder {number}</span>{line}<br>')
        parts.append("</p>")
    return "\n".join(parts)


def readable_texts(examples):
    """A text of each of two classes whose length is nearest to a line of the terminal.

    Returns:
        Texts, and text pairs or None.
    """
    lengths = abs(examples.characters() - _NICE_LENGTH)
    chosen = []
    for label in sorted(set(examples.labels.tolist()))[:_TRACED]:
        rows = [row for row, its in enumerate(examples.labels) if its == label]
        chosen.append(min(rows, key=lambda row: lengths[row]))
    rows = [row * examples.choices for row in chosen]
    pairs = None if examples.text_pairs is None else [examples.text_pairs[row] for row in rows]
    return [examples.texts[row] for row in rows], pairs
