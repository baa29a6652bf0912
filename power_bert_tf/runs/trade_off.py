"""The drop against the speed, over strengths and variants of a method."""

import dataclasses
import itertools
import pathlib

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.runs.fit import job_of_run
from power_bert_tf.runs.folder import StepFolder
from power_bert_tf.runs.points import panel
from power_bert_tf.runs.points import table
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.report_text import set_name
from power_bert_tf.runs.run import Run
from power_bert_tf.runs.run import open_run
from power_bert_tf.runs.scores import bert_steps
from power_bert_tf.runs.scores import outputs

RESULT, PICTURE = "trade_off.json", "trade_off.png"


def trade_off(run, strengths, *, output, variants=None, train=None, **options):
    """Makes a fine-tuned BERT faster at several strengths, in each variant of a method.

    Each pair of a variant and a strength is a run in a folder of its own below the output, over
    the same fine-tuned model. What was interrupted goes on when it is called again, and a finished
    run is never repeated.

    Args:
        run: `Run`, or the path of its folder; its fine-tuning is finished.
        strengths: floats.
        output: path of the folder for the runs, trade_off.json and trade_off.png.
        variants: names of the method's variants; all of them where None.
        train: the training examples of a run that was made from examples in memory, see `fit`.
        **options: fields of `TrainingOptions` and of the method's own options that differ from
            those of the run.

    Returns:
        dict, what trade_off.json holds.

    Raises:
        InputError: where an argument cannot be used.
    """
    run, output = run if isinstance(run, Run) else open_run(run), pathlib.Path(output)
    run.method.check_tuning(run.method.searching(run.options))
    measured_by, shared = run.folder.measured_by, bert_steps(run.folder)
    for step in shared:
        # Kept beside the models, so that no run has to ask them again.
        outputs(run.folder, step, measured_by)
    jobs = _jobs(run, strengths, output, variants, train, options)
    for job in jobs:
        job.plan()  # Fails where an option cannot be used.
    names = [step.name for step in jobs[0].steps() if not step.shared]
    done = sum(StepFolder(job.output / names[-1]).finished for job in jobs)
    print(
        f"{len(jobs)} runs of {' and '.join(names)} each, below {output}; {done} of them done "
        "before",
        flush=True,
    )
    points = []
    for number, job in enumerate(jobs, start=1):
        print(f"\n[{number}/{len(jobs)}: {job.output.name}]", flush=True)
        points.append(_point(job.run(), run.method))
    result = {
        "method": run.method.name,
        "task": points[0]["task"],
        "metric": points[0]["metric"],
        "examples": points[0]["examples"],
        "measured_by": measured_by,
        "held_out": points[0]["held_out"],
        "bert": {step: points[0]["models"][step] for step in shared},
        "points": points,
    }
    write_json(output / RESULT, result)
    print(
        f"\n{result['task']}, {result['metric']} on {set_name(result)}; "
        f"operations of BERT over {run.method.title}'s, both padded to N and both without padding"
    )
    print(table(run.method.name, points))
    draw_trade_offs(dict([panel([result])]), output / PICTURE)
    return result


def _jobs(run, strengths, output, variants, train, given):
    method, first = run.method, job_of_run(run, train, given)
    known = method.variants(first.options)
    variants = known if variants is None else variants
    if not strengths or not variants:
        raise InputError("give at least one of `strengths` and one of `variants`")
    unknown = [name for name in variants if name not in known]
    if unknown:
        raise InputError(
            f"`variants` must be of {', '.join(known)}. Received: {', '.join(unknown)}"
        )
    first = dataclasses.replace(
        first,
        training=dataclasses.replace(
            first.training, fine_tuned=run.path, skip_fine_tuning=False, fine_tuning_epochs=None
        ),
    )
    # Each pair once, in the order that is given.
    return [
        dataclasses.replace(
            first,
            output=output / (f"{name}-{strength:g}" if name else f"{strength:g}"),
            options=dataclasses.replace(
                method.with_variant(method.searching(first.options), name),
                **{method.strength: strength},
            ),
        )
        for name, strength in dict.fromkeys(itertools.product(variants, strengths))
    ]


def _point(folder, method):
    """A row of the table: a run's report without times, with the score before the last steps."""
    report = build_report(folder, timed=False)
    score = folder.step(method.strengthened).metrics()["score"]
    return {**report, "score": {**report["score"], "strengthened": score}}
