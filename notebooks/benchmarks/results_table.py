"""The table of results, from run folders that the command line made.

python notebooks/benchmarks/results_table.py runs/sst2 runs/mrpc --keep notebooks/results/tasks
python notebooks/benchmarks/results_table.py notebooks/results/tasks/*.json
"""

import argparse
import dataclasses
import pathlib
import shlex

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_options
from power_bert_tf.methods.method import BERT_STEPS
from power_bert_tf.methods.method import Plan
from power_bert_tf.runs.folder import DEV
from power_bert_tf.runs.folder import read_json
from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import RunOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.options import TuningOptions
from power_bert_tf.runs.options import as_json
from power_bert_tf.runs.report_text import interval_text
from power_bert_tf.runs.report_text import set_name
from power_bert_tf.runs.report_text import without_texts
from power_bert_tf.runs.run import open_run
from power_bert_tf.runs.tune import RESULT

# PoWER-BERT, tables 1 and 2: BERT-base padded to N, over PoWER-BERT padded to N, on a K80.
PAPERS_SPEED = {
    "cola": 4.5,
    "rte": 3.4,
    "qqp": 4.5,
    "mrpc": 2.7,
    "sst2": 2.4,
    "mnli-m": 2.6,
    "mnli-mm": 2.1,
    "qnli": 2.0,
    "stsb": 2.0,
    "imdb": 2.7,
    "race": 2.0,
}
# AdapLeR, table 1: BERT-base, floating-point operations one text at a time.
ADAPLERS_SPEED = {
    "sst2": 1.49,
    "imdb": 3.21,
    "hatexplain": 4.73,
    "mrpc": 1.27,
    "mnli-m": 1.42,
    "mnli-mm": 1.42,
    "qnli": 1.47,
    "agnews": 17.10,
    "dbpedia": 22.23,
}
# What a path of the machine that ran is called here.
_PLACES = {"tfds_dir": "TFDS_DIR", "data_dir": "DATA_DIR"}


def read(path):
    """A run's report with the command that made it, from its folder or from a file kept of it.

    Raises:
        InputError: where a run was made in Python, and so has no command.
    """
    if path.is_file():
        return read_json(path)
    run = open_run(path)
    # What a tuning hands back was made by the tuning's command, not by its own.
    tuned = path / RESULT
    name, given = ("tune", _of_tuning(tuned)) if tuned.exists() else ("fit", _of_run(run, path))
    return {**without_texts(run.report), "command": command(name, given)}


def _of_tuning(path):
    """The options that a tuning was given, a dict."""
    given = read_json(path)["command"]
    if "checkpoint" not in given:
        raise InputError(f"{path.parent} must be a tuning of the command line, not of Python")
    return {**given, **given["options"]}


def _of_run(run, path):
    """The options that make a run again, a dict; of its method's own what is not the task's."""
    settings, method = run.folder.settings(), run.method
    if settings["source"] is None:
        raise InputError(f"{path} must be a run of the command line, not of examples in memory")
    return {
        "checkpoint": settings["checkpoint"],
        "output": path.resolve(),
        "method": method.name,
        **settings["source"],
        **settings["training"],
        **_of_method(run),
    }


def _of_method(run):
    """Those options of a run's method that it would not have had unasked, a dict."""
    settings, task, method = run.folder.settings(), run.task, run.method
    steps = max(1, settings["examples"]["train"] // task.batch_size)
    plan = Plan(task, method.Options(), task.epochs, steps, run.model().config.num_layers)
    rate_given = settings["training"]["learning_rate"] is not None
    plan = dataclasses.replace(plan, learning_rate_given=rate_given)

    def resolved(given):
        return as_json(method.resolve(dataclasses.replace(plan, options=method.Options(**given))))

    given, usual = as_json(run.options), resolved({})
    given = {name: value for name, value in given.items() if value != usual[name]}
    for name, value in list(given.items()):
        # What follows from the others.
        others = {other: each for other, each in given.items() if other != name}
        if resolved(others)[name] == value:
            given = others
    return given


def command(name, given):
    """A command of `power-bert` with what is not the default.

    Args:
        name: str, "fit" or "tune".
        given: dict of options.
    """
    words = ["power-bert", name]
    parts = (
        RunOptions,
        DataOptions,
        TrainingOptions,
        get_options(given["method"]),
        TuningOptions,
    )
    for field in (field for part in parts for field in dataclasses.fields(part)):
        value = given.get(field.name, field.default)
        if value in ([], field.default):
            continue
        if field.name == "output":
            value = f"runs/{pathlib.Path(value).name}"
        if field.name == "fine_tuned":
            value = _place(pathlib.Path(value)) or f"runs/{pathlib.Path(value).name}"
        words.append(f"--{field.name.replace('_', '-')}")
        if field.name == "checkpoint":
            value = _place(pathlib.Path(value)) or "CHECKPOINT"
        if value is not True:
            value = _PLACES.get(field.name, value)
            words += map(str, value if isinstance(value, list) else [value])
    return shlex.join(words)


def _place(path):
    """The place of a run, or of what is in it, among the runs; empty where it is in none."""
    holders = [each for each in (path, *path.parents) if _is_run(each)]
    return f"runs/{path.relative_to(holders[-1].parent)}" if holders else ""


def _is_run(path):
    return any((path / name).exists() for name in (RESULT, "settings.json"))


def _how(report):
    """What is said of a row that was not simply trained from the table's checkpoint and lambda."""
    command = report["command"]
    said = "" if report["method"] == DEFAULT else f", {report['title']}"
    said += ", from another task's BERT" if "--checkpoint runs/" in command else ""
    if report["configuration"].get("search") == "linear":
        return f"{said}, linear"
    if any(option in command for option in ("--max-drop", "--speedup")):
        return f"{said}, lambda found"
    return f"{said}, retention given" if "--retention " in command else said


def _papers(report):
    """The speed that the paper of a report's method has for its task; empty where it has none."""
    task = report["task"].removesuffix("-middle").removesuffix("-high")
    speeds, way = PAPERS_SPEED, "padded"
    if report["method"] != DEFAULT:
        speeds, way = ADAPLERS_SPEED, "unpadded"
    return f"{speeds[task]}x, {way}" if task in speeds else ""


def row(report):
    """A task as a line of the table."""
    score, operations = report["score"], report["operations"]["speedup"]
    time, models = report["time"]["speedup"], report["models"]
    examples = report["examples"]
    measured = DEV if report["measured_by"] == DEV else set_name(report)
    each = [
        report["task"] + _how(report),
        f"{report['sequence_length']}; {report['mean_length']:.0f}",
        f"{examples['train']:,}; {examples['dev']:,}; {measured}",
        report["metric"],
        *(f"{100 * models[step]['score']:.1f}" if step in models else "-" for step in BERT_STEPS),
        f"{100 * score['reduced']:.1f}",
        f"{score['drop_points']:.1f}{interval_text(score)}",
        *(
            f"{operations[way]:.2f}x, {time[way]:.2f}x"
            for way in ("padded_over_padded", "unpadded_over_unpadded", "unpadded_over_padded")
        ),
        _papers(report),
        f"`{report['configuration']['text']}`",
    ]
    return f"| {' | '.join(each)} |"


def table(reports):
    """All of them as Markdown, with the commands below."""
    header = (
        "| task | N; mean length | trained; dev; measured on | metric | BERT, fine-tuned "
        "| BERT, control | faster model | drop from the better by dev "
        "| padded over padded: operations, time | unpadded over unpadded | unpadded over padded "
        "| paper | configuration |"
    )
    lines = [header, "|---" * 13 + "|", *map(row, reports), "", "```bash"]
    return "\n".join([*lines, *(report["command"] for report in reports), "```"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=pathlib.Path, help="run folders, or files kept")
    parser.add_argument("--keep", type=pathlib.Path, help="folder to write a file of each to")
    arguments = parser.parse_args()
    try:
        reports = {path.stem: read(path) for path in arguments.runs}
    except InputError as error:
        parser.error(str(error))
    for name, report in reports.items() if arguments.keep else ():
        write_json(arguments.keep / f"{name}.json", report)
    print(table(reports.values()))


if __name__ == "__main__":
    main()
