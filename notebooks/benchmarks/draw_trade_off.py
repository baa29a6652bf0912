"""One picture of several trade-offs: a panel for each task, a line for each basis and file.

python notebooks/benchmarks/draw_trade_off.py A/trade_off.json B/trade_off.json --output both.png
"""

import argparse
import json
import pathlib

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.commands.trade_off_table import panel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path, help="trade_off.json files")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="PNG file to write")
    arguments = parser.parse_args()
    by_task = {}
    for path in arguments.files:
        result = json.loads(path.read_text(encoding="utf-8"))
        by_task.setdefault(result["task"], []).append(result)
    draw_trade_offs(dict(map(panel, by_task.values())), arguments.output)


if __name__ == "__main__":
    main()
