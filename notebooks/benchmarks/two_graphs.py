"""What the scripts share that time two graphs over the same texts."""

import dataclasses
import functools

import numpy as np

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.files import write_json
from power_bert_tf.measure.machine import measured_on
from power_bert_tf.measure.timing import interleaved_seconds


def built(model, token_ids, **options):
    """A graph that has run once over texts, which builds it.

    Args:
        model: `BertClassifier`.
        token_ids: int array (texts, length).
        **options: those of `CompiledClassifier`.

    Returns:
        `CompiledClassifier` and its batches, as `compare` takes them.
    """
    compiled = CompiledClassifier(model, **options)
    batches = compiled.batches(list(token_ids))
    compiled.run(batches)
    return compiled, batches


def compare(options, graphs):
    """Times two graphs, interleaved; returns all figures, and writes them if there is a file.

    Args:
        options: a script's dataclass, with `runs` and `output`.
        graphs: dict of two names to `CompiledClassifier` and its batches.

    Returns:
        dict, JSON-ready: the options, `seconds` of one round by name, `ratio` of the second to
        the first, and what they were measured on.
    """
    work = {
        name: functools.partial(graph.run, batches) for name, (graph, batches) in graphs.items()
    }
    seconds = interleaved_seconds(work, least_runs=options.runs, most_runs=options.runs)
    first, second = seconds.values()
    compiled, _ = next(iter(graphs.values()))
    result = {
        **{name: value for name, value in dataclasses.asdict(options).items() if name != "output"},
        "runtime": compiled.runtime,
        "seconds": {
            name: dict(
                zip(("p5", "median", "p95"), np.percentile(each, (5, 50, 95)).tolist(), strict=True)
            )
            for name, each in seconds.items()
        },
        # Of neighbouring rounds, so that a machine whose speed drifts does it to both.
        "ratio": float(np.median(second / first)),
        **measured_on(compiled.runtime),
    }
    if options.output is not None:
        write_json(options.output, result)
    return result


def words(result):
    """What was timed, and the median milliseconds of both, as text."""
    first, second = (1000 * each["median"] for each in result["seconds"].values())
    what = (
        f"{result['size']}, N = {result['sequence_length']}, batch {result['batch_size']}, "
        f"{result['runtime']} {result['dtype']}, median of {result['runs']} interleaved rounds"
    )
    return what, f"{first:.1f} ms", f"{second:.1f} ms"
