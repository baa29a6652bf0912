"""Trials over one fine-tuned BERT, as a table and as lines of a picture."""

from tabulate import tabulate

from power_bert_tf.methods import get_method
from power_bert_tf.runs.report_text import interval_text
from power_bert_tf.runs.report_text import set_name


def panel(results):
    """The title and the lines of what `draw_trade_offs` draws.

    Args:
        results: dicts as `trade_off` and `tune` write them, of one task. A point that is not
            trained to the end has no drop, and is left out.
    """
    lines, several = {}, len({result["method"] for result in results}) > 1
    for result in results:
        method = get_method(result["method"])
        for point in result["points"]:
            if "drop_points" not in point["score"]:
                continue
            variant = point["configuration"]["variant"]
            name = f"{method.title} {variant}".strip() if several or not variant else variant
            lines.setdefault(name, []).append(
                {
                    "speed": point["operations"]["speedup"]["unpadded_over_unpadded"],
                    "bert": 100 * point["score"]["bert"],
                    "drop": point["score"]["drop_points"],
                    "interval": point["score"]["interval"],
                    "label": method.point_label(point["configuration"]),
                }
            )
    first = results[0]
    return f"{first['task']}, {first['metric']} on {set_name(first)}", lines


def table(method, points):
    """Points as text, those that are not trained to the end too.

    Args:
        method: str, the method's name.
        points: dicts of `configuration`, `score` and `operations`, and perhaps `verdict`.
    """
    method = get_method(method)
    rows = []
    for point in points:
        configuration, score = point["configuration"], point["score"]
        speed = point["operations"]["speedup"]
        scores = [
            f"{100 * score[name]:.2f}" if name in score else "-"
            for name in ("bert", "strengthened", "reduced")
        ]
        drop = f"{score['drop_points']:.2f}" if "drop_points" in score else "-"
        drop += interval_text(score)
        speeds = [
            f"{speed[name]:.2f}x" for name in ("padded_over_padded", "unpadded_over_unpadded")
        ]
        rows.append(
            [
                configuration["variant"],
                method.strength_text(configuration),
                *scores,
                drop,
                *speeds,
                configuration["text"],
                point.get("verdict", ""),
            ]
        )
    headers = [
        "",
        "strength",
        "BERT",
        f"{method.strengthened}, dev",
        method.title,
        "drop",
        "padded",
        "unpadded",
        "found",
        "",
    ]
    alignment = ("left", *["right"] * 7, "left", "left")
    return tabulate(rows, headers, "plain", disable_numparse=True, colalign=alignment)
