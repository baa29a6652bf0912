"""Pictures of what elimination costs and gains."""

import itertools

from power_bert_tf.files import write_file


def draw_trade_offs(panels, path):
    """Draws the drop in score over the speed, one panel for each task.

    Args:
        panels: dict of a title to its lines: a dict of a label to a list of points, each a dict
            of `speed` (operations of BERT without padding over those of PoWER-BERT), `drop` (in
            points of the metric) and `strength` (the search's lambda; None where the retention
            configuration was given).
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
            points = sorted(points, key=lambda point: point["speed"])
            axes.plot(
                [point["speed"] for point in points],
                [point["drop"] for point in points],
                marker=marker,
                # Hollow, so that of two points in one place both are seen.
                markerfacecolor="none",
                label=label,
            )
            for point in points:
                axes.annotate(
                    "given" if point["strength"] is None else f"{point['strength']:g}",
                    (point["speed"], point["drop"]),
                    xytext=(4, above),
                    textcoords="offset points",
                    fontsize="x-small",
                )
        axes.axhline(0, color="grey", linewidth=0.8)
        axes.plot([1], [0], marker="*", color="black", linestyle="none", label="BERT")
        axes.set(
            title=title,
            xlabel="operations of BERT without padding, over the faster model's",
            ylabel="drop (points)",
        )
        # A drop downwards, so that better is up and to the right.
        axes.invert_yaxis()
        axes.legend(fontsize="small", title="lambda beside each point", title_fontsize="x-small")
    write_file(path, lambda aside: picture.savefig(aside, dpi=110))


def _markers():
    while True:
        yield from "osD^vPX"
