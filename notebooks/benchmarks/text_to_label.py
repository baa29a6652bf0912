"""From text to label: texts a second of a run's model, tokenizing included, and its share.

    python notebooks/benchmarks/text_to_label.py runs/imdb --tfds-dir TFDS_DIR --dtype int8

Over the test set of the run's task, or its dev set where test labels are hidden. Texts are taken in
parts of 2,000: a part is tokenized, sorted by length, cut into batches of packed rows and answered.
"""

import dataclasses
import pathlib
import time

import numpy as np
import simple_parsing

from power_bert_tf.data import load_from_tfds
from power_bert_tf.files import write_json
from power_bert_tf.measure.machine import measured_on
from power_bert_tf.runs.run import open_run
from power_bert_tf.training.metrics import task_score

PART = 2000


@dataclasses.dataclass(frozen=True)
class TextToLabel:
    """Time a run's model from texts."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    tfds_dir: pathlib.Path | None = None
    """Folder of tensorflow-datasets."""
    step: str | None = None
    """Whose model; the last step's where left out."""
    dtype: str | None = None
    """float32, bfloat16 or int8; what `power-bert choose` found where left out."""
    texts: int | None = None
    """How many, drawn by a fixed seed; all where left out."""
    output: pathlib.Path | None = None
    """JSON file for the figures."""

    def execute(self):
        """Prints the figures; returns them."""
        run = open_run(self.run)
        split = "test" if run.task.has_test else "dev"
        examples = load_from_tfds(run.task, split, self.tfds_dir)
        if self.texts is not None:
            examples = examples.take(self.texts, 0)
        compiled = run.compiled(self.step, dtype=self.dtype).warm_up()
        outputs, seconds = measure(compiled, examples)
        total = sum(seconds.values())
        score = task_score(run.task.metric, examples.labels, outputs)
        result = {
            "run": "/".join(self.run.parts[-2:]),
            "step": self.step or run.folder.steps[-1],
            "runtime": compiled.runtime,
            "dtype": compiled.dtype,
            "texts": len(examples),
            run.task.metric: score,
            "seconds": seconds,
            "texts_a_second": len(examples) / total,
            "share_of_tokenizing": seconds["tokenizing"] / total,
            **measured_on(compiled.runtime),
        }
        if self.output is not None:
            write_json(self.output, result)
        print(
            f"{len(examples):,} texts, {run.task.metric} {100 * score:.2f}, {compiled.runtime} "
            f"{compiled.dtype}: {result['texts_a_second']:.1f} texts a second, "
            f"{100 * result['share_of_tokenizing']:.1f} % of the time for tokenizing, "
            f"{100 * seconds['batching'] / total:.1f} % for cutting batches"
        )
        return result


def measure(compiled, examples):
    """Answers of all examples, and a dict of the seconds by part of the way."""
    seconds, outputs = dict.fromkeys(("tokenizing", "batching", "answering"), 0.0), []
    for begin in range(0, len(examples), PART):
        part = examples.select(np.arange(begin, min(begin + PART, len(examples))))
        times = [time.perf_counter()]
        tokens = compiled.preprocessor.encode(part.texts, part.text_pairs)
        times.append(time.perf_counter())
        batches = compiled.batches(*tokens)
        times.append(time.perf_counter())
        outputs.append(compiled.run(batches))
        times.append(time.perf_counter())
        for name, taken in zip(seconds, np.diff(times), strict=True):
            seconds[name] += float(taken)
    return np.concatenate(outputs), seconds


if __name__ == "__main__":
    simple_parsing.parse(
        TextToLabel, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
