"""The memory that a compiled classifier takes, packed and in length buckets.

    python notebooks/benchmarks/memory.py --size bert-base --sequence-length 512

Each in a process of its own: what it holds beyond the Keras model once every length can be
answered, and the most that it holds while it answers full batches of some lengths. Random weights.
"""

import concurrent.futures
import dataclasses
import multiprocessing
import pathlib
import tempfile
import threading
import time

import psutil
import simple_parsing
from tabulate import tabulate

from power_bert_tf.files import write_json

# Half-way between two looks a batch of long texts has not come and gone.
_SECONDS = 0.02
FORMS = {"packed rows": {}, "length buckets": {"packed": False}}


@dataclasses.dataclass(frozen=True)
class Memory:
    """Measure the memory of a compiled BERT, or PoWER-BERT."""

    retention: str | None = None
    """Retention configuration; BERT where left out."""
    size: str = "bert-base"
    """As that of `power-bert benchmark`."""
    sequence_length: int = 512
    """N."""
    batch_size: int = 32
    """Texts a batch, at most."""
    runtime: str = "openvino"
    """As that of `power-bert benchmark`."""
    dtype: str = "float32"
    """As that of `power-bert benchmark`."""
    forms: list[str] = simple_parsing.field(default_factory=lambda: list(FORMS))
    """What to measure: packed rows, length buckets."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints a table; returns its rows."""
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            path = None
            if self.dtype == "int8":
                path = pathlib.Path(folder, "model.xml")
                _apart(quantize, self, path)
            for form in self.forms:
                rows.append(_apart(measure, self, form, path))
        if self.output is not None:
            write_json(self.output, {"options": _as_json(self), "rows": rows})
        print(tabulate(rows, "keys", floatfmt=".2f"))
        return rows


def _apart(function, *arguments):
    """What a function gives in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(function, *arguments).result()


def _model(options):
    from power_bert_tf.measure.benchmark import bert_of_size
    from power_bert_tf.methods.power_bert.reductions import Extraction

    model = bert_of_size(options.size, options.sequence_length)
    return model.with_reduction(Extraction(options.retention)) if options.retention else model


def quantize(options, path):
    """Writes the model in int8, which is loaded from there as that of a run is."""
    from power_bert_tf.deploy.compiled import CompiledClassifier
    from power_bert_tf.measure.benchmark import random_texts

    model = _model(options)
    texts = random_texts(model, [options.sequence_length // 4] * 32)
    compiled = CompiledClassifier(model, dtype="int8", calibration=(texts, None))
    compiled.save_quantized(path)


def measure(options, form, int8=None):
    """The memory of one form, in this process: a dict, in GB and seconds.

    Args:
        options: `Memory`.
        form: str, one of `FORMS`.
        int8: path of what `quantize` wrote, for int8.
    """
    import numpy as np

    from power_bert_tf.deploy.compiled import CompiledClassifier

    model = _model(options)
    compiled = CompiledClassifier(
        model,
        batch_size=options.batch_size,
        runtime=options.runtime,
        dtype=options.dtype,
        calibration=int8,
        **FORMS[form],
    )
    random = np.random.default_rng(0)
    longest = options.sequence_length
    lengths = np.repeat([longest // 8, longest // 2, longest], options.batch_size)
    texts = [random.integers(1000, 2000, length).tolist() for length in lengths]
    before = _resident()
    with _Peak() as peak:
        begin = time.perf_counter()
        compiled.warm_up()
        seconds = time.perf_counter() - begin
        held = _resident() - before
        compiled.predict_tokens(texts)
    return {
        "form": form,
        "before, GB": before,
        "compiled, GB more": held,
        "at most, GB more": peak.most - before,
        "seconds to compile": seconds,
    }


class _Peak:
    """Watches the memory of this process, from within a thread."""

    def __enter__(self):
        self.most, self._ended = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._ended.wait(_SECONDS):
            self.most = max(self.most, _resident())

    def __exit__(self, *error):
        self._ended.set()
        self._thread.join()


def _resident():
    return psutil.Process().memory_info().rss / 1e9


def _as_json(options):
    return {**dataclasses.asdict(options), "output": str(options.output)}


if __name__ == "__main__":
    simple_parsing.parse(
        Memory, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
