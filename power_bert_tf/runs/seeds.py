"""The same run with several seeds: how far a score depends on chance in training."""

import dataclasses
import statistics

from tabulate import tabulate

from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import check_holds_only
from power_bert_tf.runs.layout import BEST
from power_bert_tf.runs.report_text import set_name
from power_bert_tf.runs.run import finish

RESULT, TEXT = "seeds.json", "seeds.md"


def fit_seeds(job, count):
    """Makes a run with each of several seeds, on the same examples.

    The output folder gets a run for each, seeds.json and seeds.md with their mean and deviation,
    and `best`, the one with the highest dev score, which is what `open_run` opens. What was
    interrupted goes on when it is called again.

    Args:
        job: `Job`, whose output is the folder, and whose seed is the first.
        count: int, at least 2.

    Returns:
        `Run`, the best one by dev.

    Raises:
        InputError: where an option or the folder cannot be used.
    """
    output, first = job.output, job.training.seed
    check_holds_only(output, (RESULT, TEXT, BEST, "seed-*"), "the same seeds")
    runs = []
    for seed in range(first, first + count):
        print(f"\n[seed {seed}, {len(runs) + 1} of {count}]", flush=True)
        training = dataclasses.replace(job.training, seed=seed, seeds=1)
        made = dataclasses.replace(job, output=output / f"seed-{seed}", training=training)
        runs.append(finish(made.run()))
    result = summary_of_seeds([run.report for run in runs], range(first, first + count))
    write_json(output / RESULT, result)
    write_text(output / TEXT, f"{table(result)}\n")
    print(f"\n{result['task']}, {result['metric']} on {set_name(result)}\n{table(result)}")
    best = max(runs, key=lambda run: run.folder.finished_step().metrics()["score"])
    if not (output / BEST).exists():
        best.folder.link_to(output / BEST)
    return finish(RunFolder.open(output))


def summary_of_seeds(reports, seeds):
    """Mean and standard deviation of the reports of several seeds, a JSON-ready dict.

    Args:
        reports: dicts as `build_report` makes them, with times or without.
        seeds: sequence of int.
    """
    rows = [
        {
            "seed": seed,
            "bert": 100 * report["score"]["bert"],
            "reduced": 100 * report["score"]["reduced"],
            "drop": report["score"]["drop_points"],
            "unpadded": report["operations"]["speedup"]["unpadded_over_unpadded"],
            "padded": report["operations"]["speedup"]["padded_over_padded"],
        }
        for seed, report in zip(seeds, reports, strict=True)
    ]
    figures = [name for name in rows[0] if name != "seed"]
    shared = ("task", "title", "metric", "examples", "measured_by", "held_out")
    return {
        **{name: reports[0][name] for name in shared},
        "seeds": rows,
        "mean": {name: statistics.fmean(row[name] for row in rows) for name in figures},
        "deviation": {name: statistics.stdev(row[name] for row in rows) for name in figures},
    }


def table(result):
    """A row a seed, their mean and their deviation, as Markdown."""
    rows = [(str(row["seed"]), row) for row in result["seeds"]]
    rows += [("mean", result["mean"]), ("standard deviation", result["deviation"])]
    headers = (
        "seed",
        "BERT",
        result["title"],
        "drop",
        "speed in operations, unpadded",
        "padded",
    )
    cells = [
        (
            name,
            *(f"{row[figure]:.2f}" for figure in ("bert", "reduced", "drop")),
            *(f"{row[figure]:.2f}x" for figure in ("unpadded", "padded")),
        )
        for name, row in rows
    ]
    return tabulate(cells, headers, "pipe", disable_numparse=True)
