"""Figures by class for people: tables of text."""

from tabulate import tabulate

# More do not fit a page; report.json has them all.
_MOST_CLASSES = 20
_MOST_CHARACTERS = 160


def class_table(names, figures, style="pipe"):
    """Precision, recall and F1 of each class, of one model or several side by side.

    Args:
        names: sequence of str, the classes.
        figures: dict of a model's title to what `class_figures` gives.
        style: str, as `tabulate` knows it.
    """
    first = next(iter(figures.values()))
    rows = [
        [
            name,
            f"{first['examples'][index]:,}",
            *(
                f"{100 * each[measure][index]:.1f}"
                for each in figures.values()
                for measure in ("precision", "recall", "f1")
            ),
        ]
        for index, name in enumerate(names[:_MOST_CLASSES])
    ]
    several = len(figures) > 1
    headers = [
        f"{title}: {measure}" if several else measure
        for title in figures
        for measure in ("precision", "recall", "F1")
    ]
    table = tabulate(rows, ["class", "examples", *headers], style, disable_numparse=True)
    left = len(names) - len(rows)
    return f"{table}\n\nand {left} classes more, in report.json." if left > 0 else table


def confusion_table(names, confusion):
    """What is taken for what; empty where there are too many classes."""
    if len(names) > _MOST_CLASSES:
        return ""
    rows = [
        [name, *(f"{count:,}" for count in row)] for name, row in zip(names, confusion, strict=True)
    ]
    return tabulate(rows, ["is, and is found to be", *names], "pipe", disable_numparse=True)


def calibration_line(figures):
    """How far each model's confidence is from how often it is right, in a sentence."""
    each = ", ".join(
        f"{100 * its['calibration_error']:.1f} points ({title})" for title, its in figures.items()
    )
    return f"Expected calibration error: {each}."


def changed_table(title, changed):
    """The texts whose answers change most, as Markdown; empty where none does."""
    rows = [
        [
            answer_text(each["bert"]),
            answer_text(each["reduced"]),
            each["label"],
            _one_line(each["text"]),
        ]
        for each in changed
    ]
    if not rows:
        return ""
    return tabulate(rows, ["BERT", title, "is", "text"], "pipe", disable_numparse=True)


def answer_text(answer):
    """An answer with its probability, such as "positive, 91 %"."""
    name, share = answer
    return f"{name}, {100 * share:.0f} %"


def _one_line(text):
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."


def number_line(figures):
    """Root mean square error and Pearson's correlation of each model, in a sentence."""
    each = "; ".join(
        f"{title} {its['rmse']:.4g}, {100 * its['pearson']:.1f}" for title, its in figures.items()
    )
    return f"Root mean square error, and Pearson's correlation: {each}."
