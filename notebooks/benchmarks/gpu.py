"""The benchmark's table on a GPU, for several lengths and 16-bit dtypes, without TensorFlow.

    KERAS_BACKEND=jax python notebooks/benchmarks/gpu.py --output notebooks/results/gpu

needs keras, jax with its GPU plugin, safetensors, simple-parsing, tabulate and wrapt. Figure 1's
retention configuration (12 encoders, N = 128) is scaled to each length. A size with fewer or more
encoders takes its lengths at even steps: 6 encoders the second, the fourth and so on, 24 each
twice. Writes one JSON file for each length and dtype.
"""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.commands.benchmark import Benchmark
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import EncoderConfig

FIGURE_1 = RetentionConfiguration.parse("80,73,70,50,50,40,33,27,20,15,13,3 of 128")


def figure_1(num_layers, sequence_length):
    """Figure 1's configuration for a number of encoders and a length, as text."""
    kept = FIGURE_1.at_length(sequence_length)
    # Of the last one of each of `num_layers` equal parts.
    ends = [-(-len(kept) * part // num_layers) for part in range(1, num_layers + 1)]
    return ",".join(str(kept[end - 1]) for end in ends)


@dataclasses.dataclass(frozen=True)
class GpuTable:
    """Time BERT and PoWER-BERT on the device that JAX finds."""

    output: pathlib.Path
    """Folder for the JSON files."""
    size: str = "bert-base"
    """As that of `power-bert benchmark`."""
    sequence_lengths: list[int] = simple_parsing.field(default_factory=lambda: [64, 128, 256, 512])
    """N."""
    dtypes: list[str] = simple_parsing.field(default_factory=lambda: ["bfloat16", "float16"])
    """float32, bfloat16 or float16."""
    batch_size: int = 128
    """Texts a batch."""
    runs: int = 100
    """Measured rounds."""
    batch_overhead: float = 8192
    """What a batch costs beside its word-vectors: on a GPU as much as those of a small batch."""

    def execute(self):
        """Prints a table for each length and dtype, and writes its figures."""
        num_layers = EncoderConfig.of_size(self.size).num_layers
        for length in self.sequence_lengths:
            retention = figure_1(num_layers, length)
            for dtype in self.dtypes:
                Benchmark(
                    retention,
                    size=self.size,
                    sequence_length=length,
                    batch_size=self.batch_size,
                    batch_overhead=self.batch_overhead,
                    runs=self.runs,
                    dtype=dtype,
                    output=self.output / f"{self.size}_{length}_{dtype}.json",
                ).execute()
                print(flush=True)


if __name__ == "__main__":
    simple_parsing.parse(
        GpuTable, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
