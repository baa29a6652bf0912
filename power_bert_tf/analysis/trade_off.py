"""Pictures of what elimination costs and gains."""

import itertools

from power_bert_tf.files import write_file


def draw_trade_offs(panels, path):
    """Draws the score over the speed, one panel for each task, with BERT as a line.

    Args:
        panels: dict of a title to its lines: a dict of a label to a list of points, each a dict
            of `speed` (operations of BERT without padding over those of the faster model), `bert`
            and `drop` (in points of the metric), `interval` (of the drop, a pair, or None) and
            `label` (str, beside the point, such as its strength).
        path: PNG file to write.
    """
    from matplotlib import figure

    picture = figure.Figure(figsize=(5.5 * len(panels), 4.2), layout="constrained")
    for axes, (title, lines) in zip(
        picture.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        # Beside the points of one line above them, of the next below, where lines meet.
        for marker, above, (label, points) in zip(
            _markers(), itertools.cycle((4, -10)), lines.items(), strict=False
        ):
            _draw_line(axes, sorted(points, key=lambda point: point["speed"]), label, marker, above)
        for bert in sorted({point["bert"] for points in lines.values() for point in points}):
            axes.axhline(bert, color="black", linestyle="--", linewidth=0.8, label="BERT")
        axes.set(
            title=title,
            xlabel="operations of BERT without padding, over the faster model's",
            ylabel="score (points)",
        )
        axes.legend(fontsize="small")
    write_file(path, lambda aside: picture.savefig(aside, dpi=110))


def _draw_line(axes, points, label, marker, above):
    speeds = [point["speed"] for point in points]
    scores = [point["bert"] - point["drop"] for point in points]
    # A drop of so much more is a score of so much less.
    bars = [
        (0, 0)
        if point["interval"] is None
        else (point["interval"][1] - point["drop"], point["drop"] - point["interval"][0])
        for point in points
    ]
    axes.errorbar(
        speeds,
        scores,
        yerr=list(zip(*bars, strict=True)),
        marker=marker,
        # Hollow, so that of two points in one place both are seen.
        markerfacecolor="none",
        linewidth=1.2,
        elinewidth=0.7,
        capsize=2,
        label=label,
    )
    for point, speed, score in zip(points, speeds, scores, strict=True):
        axes.annotate(
            point["label"],
            (speed, score),
            xytext=(4, above),
            textcoords="offset points",
            fontsize="x-small",
        )


def _markers():
    while True:
        yield from "osD^vPX"
