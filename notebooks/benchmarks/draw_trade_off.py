"""One picture of several trade-offs: a panel for each task, a line for each variant.

python notebooks/benchmarks/draw_trade_off.py A/trade_off.json B/report.json --output both.png

So do the trials of `power-bert tune` (tuning.json); a run's report.json is one more point of its
task.
"""

import argparse
import json
import pathlib

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.runs.points import panel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "files", nargs="+", type=pathlib.Path, help="trade_off.json, tuning.json, report.json"
    )
    parser.add_argument("--output", type=pathlib.Path, required=True, help="PNG file to write")
    arguments = parser.parse_args()
    by_task = {}
    for path in arguments.files:
        result = json.loads(path.read_text(encoding="utf-8"))
        if "points" not in result:
            result = {**result, "points": [result]}
        by_task.setdefault(result["task"], []).append(result)
    draw_trade_offs(dict(map(panel, by_task.values())), arguments.output)


if __name__ == "__main__":
    main()
