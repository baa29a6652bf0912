"""Strengths tried over one fine-tuned BERT, as lines of text and as lines of a picture."""


def panel(results):
    """The title and the lines of what `draw_trade_offs` draws.

    Args:
        results: dicts as `TradeOff.execute` returns them, of one task. A point that is not
            re-trained has no drop, and is left out.
    """
    lines = {}
    for result in results:
        for point in result["points"]:
            if "drop_points" not in point["score"]:
                continue
            lines.setdefault(point["basis"], []).append(
                {
                    "speed": point["operations"]["speedup"]["unpadded_over_unpadded"],
                    "drop": point["score"]["drop_points"],
                    "strength": point["strength"],
                }
            )
    first = results[0]
    title = f"{first['task']}, {first['metric']} on {first['examples']['dev']} dev examples"
    return title, lines


def table(result):
    """A line for each point, as text."""
    title = (
        f"{result['task']}, {result['metric']} on {result['examples']['dev']} dev examples; "
        "operations of BERT over PoWER-BERT's, both padded to N and both without padding"
    )
    return "\n".join([title, row(None), *map(row, result["points"])])


def row(point):
    """A point as a line of a table, one that is not re-trained too; the header where None."""
    if point is None:
        return (
            f"{'basis':10}{'lambda':>10}{'BERT':>7}{'soft':>7}{'PoWER':>7}{'drop':>7}"
            f"{'padded':>8}{'unpadded':>10}  retention"
        )
    score, speed = point["score"], point["operations"]["speedup"]
    scores = "".join(
        f"{100 * score[name]:7.2f}" if name in score else f"{'-':>7}"
        for name in ("bert", "soft", "power_bert")
    )
    drop = f"{score['drop_points']:7.2f}" if "drop_points" in score else f"{'-':>7}"
    return (
        f"{point['basis']:10}{point['strength']:10g}{scores}{drop}"
        f"{speed['padded_over_padded']:7.2f}x{speed['unpadded_over_unpadded']:9.2f}x  "
        f"{point['retention']}"
    )
