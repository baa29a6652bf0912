"""`power-bert benchmark`: how much faster, measured on this machine."""

import dataclasses
import importlib.metadata
import os
import pathlib
import platform

import keras
import numpy as np
import simple_parsing

from power_bert_tf.deploy.comparison import WAYS
from power_bert_tf.deploy.comparison import operations
from power_bert_tf.deploy.comparison import times
from power_bert_tf.deploy.peak import matrix_product_peak
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling import RetentionConfiguration

# Encoders, width and attention heads.
SIZES = {
    "bert-tiny": (2, 128, 2),
    "bert-mini": (4, 256, 4),
    "bert-small": (4, 512, 8),
    "bert-medium": (8, 512, 8),
    "minilm-l6": (6, 384, 12),
    "bert-base": (12, 768, 12),
    "bert-large": (24, 1024, 16),
}
DTYPES = ("float32", "bfloat16", "float16")
_LONGEST = 512


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Time BERT and PoWER-BERT side by side, padded and in length buckets, on random weights.

    Speed depends on sizes, lengths and the retention configuration, not on what the weights are.
    All ways are interleaved in one process. Runs on TensorFlow and, with KERAS_BACKEND=jax, on
    JAX without TensorFlow installed.
    """

    retention: str = simple_parsing.field(positional=True)
    """Retention configuration, such as '80,73,70' or, relative, '80,73,70 of 128'."""
    size: str = "bert-base"
    """bert-tiny, bert-mini, bert-small, bert-medium, minilm-l6, bert-base or bert-large."""
    sequence_length: int = 128
    """N, in word-pieces."""
    lengths: pathlib.Path | None = None
    """File with the length of a real text in each line, in word-pieces; N each where left out."""
    texts: int | None = None
    """How many texts, drawn from --lengths; one batch where left out."""
    batch_size: int = 128
    """Texts a batch."""
    runs: int = 100
    """Measured rounds of all ways."""
    dtype: str = "float32"
    """float32, bfloat16 or float16."""
    xla: bool = False
    """Compile with XLA; JAX always does."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints a table; returns the figures as a dict.

        Raises:
            InputError: where an option or the file of lengths cannot be used.
        """
        self._check()
        num_layers, hidden_dim, num_heads = SIZES[self.size]
        config = EncoderConfig(
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=4 * hidden_dim,
        )
        retention = RetentionConfiguration.parse(self.retention)
        retention.check(num_layers, self.sequence_length)
        sizes = self._sizes()
        keras.utils.set_random_seed(0)
        policy = self.dtype if self.dtype == "float32" else f"mixed_{self.dtype}"
        bert = BertClassifier(config, 2, self.sequence_length, dtype=policy)
        power = bert.with_reduction(Extraction(retention))
        random = np.random.default_rng(0)
        token_ids = [random.integers(1000, 30000, size) for size in sizes]
        result = {
            "size": self.size,
            "sequence_length": self.sequence_length,
            "mean_length": float(sizes.mean()),
            "retention": str(retention),
            "dtype": self.dtype,
            "xla": self.xla or keras.config.backend() == "jax",
            "operations": operations(config, self.sequence_length, retention, sizes),
            "time": times(
                bert,
                power,
                token_ids,
                [np.zeros_like(ids) for ids in token_ids],
                self.batch_size,
                self.xla,
                budget_seconds=float("inf"),
                least_runs=self.runs,
                most_runs=self.runs,
            ),
            "matrix_product_peak": matrix_product_peak(self.dtype),
            **_machine(),
        }
        print(table(result))
        if self.output is not None:
            write_json(self.output, result)
        return result

    def _check(self):
        for name, allowed in (("size", SIZES), ("dtype", DTYPES)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"`{name}` must be one of {', '.join(allowed)}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
        for name in ("batch_size", "runs", "texts", "sequence_length"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"`{name}` must be at least 1. Received: {name}={value}")
        if self.sequence_length > _LONGEST:
            raise InputError(
                f"`sequence_length` must be at most {_LONGEST}. "
                f"Received: sequence_length={self.sequence_length}"
            )

    def _sizes(self):
        count = self.batch_size if self.texts is None else self.texts
        if self.lengths is None:
            return np.full(count, self.sequence_length)
        try:
            lengths = np.array([int(line) for line in self.lengths.read_text().split()])
        except (OSError, ValueError) as error:
            raise InputError(
                f"`lengths` must be a file with a whole number in each line. Received: {error}"
            ) from error
        if not len(lengths) or lengths.min() < 1:
            raise InputError(
                f"`lengths` must be a file with lengths of at least 1. Received: {self.lengths}"
            )
        # At even ranks, so that few texts have the distribution of many.
        ranks = np.linspace(0, len(lengths) - 1, count).astype(int)
        drawn = np.minimum(np.sort(lengths)[ranks], self.sequence_length)
        return np.random.default_rng(0).permutation(drawn)


def _machine():
    backend = keras.config.backend()
    device = f"{os.cpu_count()} cores, {platform.machine()}"
    if backend == "jax":
        import jax

        device = f"{jax.devices()[0].device_kind}; {device}"
    return {
        "backend": backend,
        "device": device,
        "versions": {
            name: importlib.metadata.version(name) for name in ("keras", backend, "numpy")
        },
    }


def table(result):
    """The figures of a benchmark as text for the terminal."""
    per_text, time = result["operations"]["per_text"], result["time"]
    lines = [
        f"{result['size']}, N = {result['sequence_length']}, mean length "
        f"{result['mean_length']:.1f}, retention {result['retention']}, {result['dtype']}, batch "
        f"{time['batch_size']}, {time['texts']} texts, {time['rounds']} rounds, "
        f"{result['backend']} on {result['device']}",
        "",
        _row(
            "", "ms a text", "texts", "GFLOP", "share", "speedup over", "padded BERT", "time over"
        ),
        _row(
            "", "median (p5 to p95)", "a second", "a text", "of peak", "time", *2 * ["operations"]
        ),
    ]
    for name, label in WAYS.items():
        seconds = time["seconds"][name]
        median, p5, p95 = (1000 * seconds[key] / time["texts"] for key in ("median", "p5", "p95"))
        faster = time["seconds"]["bert_padded"]["median"] / seconds["median"]
        fewer = per_text["bert_padded"] / per_text[name]
        share = per_text[name] * time["texts"] / seconds["median"] / result["matrix_product_peak"]
        lines.append(
            _row(
                label,
                f"{median:.2f} ({p5:.2f} to {p95:.2f})",
                f"{time['texts'] / seconds['median']:.1f}",
                f"{per_text[name] / 1e9:.2f}",
                f"{100 * share:.0f}%",
                f"{faster:.2f}x",
                f"{fewer:.2f}x",
                f"{faster / fewer:.2f}",
            )
        )
    gain = time["speedup"]["unpadded_over_unpadded"]
    counted = result["operations"]["speedup"]["unpadded_over_unpadded"]
    lines += ["", f"PoWER-BERT over BERT, both without padding: {gain:.2f}x ({counted:.2f}x)"]
    return "\n".join(lines)


def _row(label, *cells):
    widths = (24, 11, 9, 9, 14, 13, 12)
    return f"{label:28}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )
