"""The figures of a benchmark as text and as a picture."""

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file
from power_bert_tf.measure.comparison import TEXTBOOK
from power_bert_tf.measure.comparison import WAYS
from power_bert_tf.measure.comparison import speedups

LABELS = {TEXTBOOK: "BERT, textbook graph, padded", **WAYS}


def rows(result):
    """One dict for each way of a benchmark's result.

    Speedups and operations are against BERT padded to N in the graph for inference; the
    operations by the paper's scheme for ratios, those really computed for the share of the peak.
    """
    time, operations = result["time"], result["operations"]
    baseline = time["seconds"]["bert_padded"]["median"]
    for way, label in LABELS.items():
        seconds = time["seconds"][way]
        scheme = operations["per_text"]
        if way == TEXTBOOK:
            per_text = computed = scheme["bert_padded"]
        else:
            per_text, computed = scheme[way], operations["computed_per_text"][way]
        faster, fewer = baseline / seconds["median"], scheme["bert_padded"] / per_text
        yield {
            "way": way,
            "label": label,
            **{f"ms_{key}": 1000 * value / time["texts"] for key, value in seconds.items()},
            "texts_a_second": time["texts"] / seconds["median"],
            "gflop": per_text / 1e9,
            "share_of_peak": computed
            * time["texts"]
            / seconds["median"]
            / result["matrix_product_peak"],
            "faster": faster,
            "fewer": fewer,
            "time_over_operations": faster / fewer,
        }


def table(result):
    """The figures of a benchmark, with its `rows`, as text for the terminal."""
    time = result["time"]
    lines = [
        f"{result['model']}, N = {result['sequence_length']}, mean length "
        f"{result['mean_length']:.1f}, retention {result['retention']}, batch "
        f"{time['batch_size']}, {time['texts']} texts, {time['rounds']} rounds, "
        f"{time['runtime']} {time['dtype']}{' XLA' if result['xla'] else ''} on "
        f"{result['device']}",
        "",
        _row("", "ms a text", "texts", "GFLOP", "share", "speedup over", "padded BERT", "time"),
        _row("", "median (p5 to p95)", "a second", "a text", "of peak", "time", "op.s", "over op."),
    ]
    for row in result["rows"]:
        lines.append(
            _row(
                row["label"],
                f"{row['ms_median']:.2f} ({row['ms_p5']:.2f} to {row['ms_p95']:.2f})",
                f"{row['texts_a_second']:.1f}",
                f"{row['gflop']:.2f}",
                f"{100 * row['share_of_peak']:.0f}%",
                f"{row['faster']:.2f}x",
                f"{row['fewer']:.2f}x",
                f"{row['time_over_operations']:.2f}",
            )
        )
    gain, counted = time["speedup"], result["operations"]["speedup"]
    computed = speedups(result["operations"]["computed_per_text"])
    lines += [
        "",
        "PoWER-BERT over BERT, time (operations by the paper's scheme; as really computed):",
        ", ".join(
            f"both {how} {gain[name]:.2f}x ({counted[name]:.2f}x; {computed[name]:.2f}x)"
            for how, name in (
                ("padded", "padded_over_padded"),
                ("without padding", "unpadded_over_unpadded"),
            )
        ),
    ]
    return "\n".join(lines)


def _row(label, *cells):
    widths = (25, 10, 9, 9, 14, 13, 10)
    return f"{label:30}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )


def draw(result, path):
    """Draws texts a second of each way, with the speedup over padded BERT, into a PNG file.

    Raises:
        InputError: where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("pictures need matplotlib: pip install 'power-bert-tf[plots]'") from error
    each = result["rows"]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    colours = ["0.75" if row["label"].startswith("BERT") else "tab:blue" for row in each]
    bars = axes.barh(
        [row["label"] for row in each], [row["texts_a_second"] for row in each], color=colours
    )
    axes.bar_label(bars, [f"{row['faster']:.2f}x" for row in each], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("texts a second")
    time = result["time"]
    axes.set_title(
        f"{result['model']}, N = {result['sequence_length']}, mean length "
        f"{result['mean_length']:.0f}, {time['runtime']} {time['dtype']}, batch "
        f"{time['batch_size']}",
        fontsize=10,
        loc="left",
    )
    write_file(path, lambda aside: figure.savefig(aside, dpi=150))
