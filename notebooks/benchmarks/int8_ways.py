"""Ways to quantize a run's models: what each loses, and how long it takes.

    python notebooks/benchmarks/int8_ways.py runs/mrpc --output ways.json

BERT as it was fine-tuned and the run's last step, on the set that gives the run's figures and on
dev; calibrated on the training examples that the run keeps. Packed rows on OpenVINO. Speed is that
of up to 512 texts in batches of 128, interleaved, against float32 and bfloat16.
"""

import dataclasses
import functools
import pathlib
import tempfile
import unittest.mock

import numpy as np
import simple_parsing
from tabulate import tabulate

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.openvino_options import PRECISIONS
from power_bert_tf.deploy.quantization import CALIBRATION_BATCH
from power_bert_tf.deploy.runtimes.openvino import save_quantized
from power_bert_tf.files import write_json
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.runs.folder import DEV
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training.metrics import task_score

_BFLOAT16 = "the rest in bfloat16"
WAYS = {
    "SmoothQuant 0.95": {},
    "SmoothQuant 0.5": {"smooth": 0.5},
    "no SmoothQuant": {"smooth": -1},
    "attention too": {"attention": True},
    _BFLOAT16: {},
}
FLOATS = ("float32", "bfloat16")
NAMES = (*FLOATS, *WAYS)


@dataclasses.dataclass(frozen=True)
class Int8Ways:
    """Compare ways to quantize a run's models."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    steps: list[str] = simple_parsing.field(default_factory=list)
    """Steps of the run; the first and the last where left out."""
    ways: list[str] = simple_parsing.field(default_factory=list, choices=NAMES)
    """Ways to compute; all where left out."""
    rounds: int = 7
    """Measured rounds."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints a table; returns its rows."""
        folder = RunFolder.open(self.run)
        steps = self.steps or [folder.steps[0], folder.steps[-1]]
        ways = self.ways or NAMES
        rows = [row for step in steps for row in measure(folder, step, ways, self.rounds)]
        if self.output is not None:
            write_json(self.output, rows)
        print(tabulate(rows, "keys", floatfmt=".2f"))
        return rows


def measure(folder, step, ways, rounds):
    """A row for each way, of `NAMES`, to compile the model of a step."""
    model, preprocessor = folder.finished_step(step).load_model(), folder.preprocessor()
    model = model if model.compute_dtype == "float32" else model.with_dtype("float32")
    texts = folder.calibration()
    calibration = preprocessor.encode(texts.texts, texts.text_pairs)
    packed = CompiledClassifier(model, runtime="openvino")
    inputs = [batch.inputs for batch in packed.batches(*calibration, batch_size=CALIBRATION_BATCH)]
    with tempfile.TemporaryDirectory() as kept:
        compiled = {}
        for number, name in enumerate(ways):
            if name in FLOATS:
                compiled[name] = CompiledClassifier(model, runtime="openvino", dtype=name)
                continue
            path = pathlib.Path(kept, f"{number}.xml")
            save_quantized(model.for_inference(packed=True), inputs, path, **WAYS[name])
            rest = {"int8": "bf16" if name == _BFLOAT16 else "f32"}
            with unittest.mock.patch.dict(PRECISIONS, rest):
                compiled[name] = CompiledClassifier(model, dtype="int8", calibration=path)
                compiled[name].warm_up()
        return rows_of(folder, step, compiled, rounds)


def rows_of(folder, step, compiled, rounds):
    """Scores and milliseconds a text of classifiers by name, a list of dicts."""
    metric, rows = folder.settings()["identity"]["task"]["metric"], {}
    for set_name in dict.fromkeys((folder.measured_by, DEV)):
        examples = folder.examples(set_name)
        tokens = folder.preprocessor().encode(examples.texts, examples.text_pairs)
        for name, classifier in compiled.items():
            score = task_score(metric, examples.labels, classifier.predict_tokens(*tokens))
            row = rows.setdefault(name, {"step": step, "way": name})
            row[f"{metric}, {len(examples):,} {set_name}"] = 100 * score
    chosen = np.linspace(0, len(tokens[0]) - 1, min(512, len(tokens[0]))).astype(int)
    timed = [[ids[row] for row in chosen] for ids in tokens]
    work = {
        name: functools.partial(classifier.run_each, classifier.batches(*timed))
        for name, classifier in compiled.items()
    }
    seconds = interleaved_seconds(work, float("inf"), rounds, rounds)
    for name, row in rows.items():
        row["ms a text"] = 1000 * float(np.median(seconds[name])) / len(chosen)
    return list(rows.values())


if __name__ == "__main__":
    simple_parsing.parse(
        Int8Ways, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
