"""The figures of a benchmark as a table."""

from tabulate import tabulate

from power_bert_tf.measure.comparison import TEXTBOOK
from power_bert_tf.measure.comparison import labels
from power_bert_tf.measure.comparison import speedups

_HEADERS = (
    "",
    "ms a text\nmedian (p5 to p95)",
    "texts\na second",
    "GFLOP\na text",
    "share\nof peak",
    "speedup over padded\nBERT: time",
    "\noperations",
    "time over\noperations",
)


def rows(result):
    """One dict for each way of a benchmark's result.

    Speedups and operations are against BERT padded to N in the graph for inference; the
    operations by the paper's scheme for ratios, those really computed for the share of the peak.
    """
    time, operations = result["time"], result["operations"]
    peak = result["matrix_product_peak"]
    baseline = time["seconds"]["bert_padded"]["median"]
    named = {TEXTBOOK: "BERT, textbook graph, padded", **labels(result["title"])}
    for way, label in named.items():
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
            # There is no such peak of 8-bit products.
            "share_of_peak": peak and computed * time["texts"] / seconds["median"] / peak,
            "faster": faster,
            "fewer": fewer,
            "time_over_operations": faster / fewer,
        }


def table(result):
    """The figures of a benchmark, with its `rows`, as text for the terminal."""
    time = result["time"]
    cells = [
        (
            row["label"],
            f"{row['ms_median']:.2f} ({row['ms_p5']:.2f} to {row['ms_p95']:.2f})",
            f"{row['texts_a_second']:.1f}",
            f"{row['gflop']:.2f}",
            "-" if row["share_of_peak"] is None else f"{100 * row['share_of_peak']:.0f}%",
            f"{row['faster']:.2f}x",
            f"{row['fewer']:.2f}x",
            f"{row['time_over_operations']:.2f}",
        )
        for row in result["rows"]
    ]
    gain, counted = time["speedup"], result["operations"]["speedup"]
    computed = speedups(result["operations"]["computed_per_text"])
    gains = ", ".join(
        f"both {how} {gain[name]:.2f}x ({counted[name]:.2f}x; {computed[name]:.2f}x)"
        for how, name in (
            ("padded", "padded_over_padded"),
            ("without padding", "unpadded_over_unpadded"),
        )
    )
    return (
        f"{result['model']}, N = {result['sequence_length']}, mean length "
        f"{result['mean_length']:.1f}, {result['title']} {result['configuration']}, batch "
        f"{time['batch_size']}, {time['texts']} texts, {time['rounds']} rounds, "
        f"{time['runtime']} {time['dtype']}{' XLA' if result['xla'] else ''} on "
        f"{result['device']}\n\n"
        + tabulate(
            cells,
            _HEADERS,
            "plain",
            disable_numparse=True,
            colalign=("left", *["right"] * (len(_HEADERS) - 1)),
        )
        + f"\n\n{result['title']} over BERT, time (operations by the paper's scheme; as really "
        f"computed):\n{gains}"
    )
