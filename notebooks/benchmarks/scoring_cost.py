"""What scoring and extracting cost: PoWER-BERT against one that keeps the first rows unasked.

    python notebooks/benchmarks/scoring_cost.py

Both compute the same matrix products over the same number of word-vectors; the second takes a
slice where the first scores, ranks and gathers. Random weights, interleaved, medians.
"""

import dataclasses
import pathlib

import keras
import numpy as np
import simple_parsing
from two_graphs import compare
from two_graphs import words

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import Extraction


@keras.saving.register_keras_serializable(package="scoring_cost")
class FirstRows(Extraction):
    """Keeps the first word-vectors without a score."""

    def before_output(
        self, shared, index, hidden, probabilities, by_query, padding_mask, input_mask
    ):
        kept = self.retention.at_length(input_mask.shape[1])[index]
        return hidden[:, :kept], by_query[:, :, :kept], padding_mask[:, :kept]


@dataclasses.dataclass(frozen=True)
class ScoringCost:
    """Time PoWER-BERT with and without scoring and extracting."""

    retention: str = "80,73,70,50,50,40,33,27,20,15,13,3"
    """Retention configuration."""
    size: str = "bert-base"
    """As that of `power-bert benchmark`."""
    sequence_length: int = 128
    """N."""
    batch_size: int = 32
    """Texts a batch."""
    runs: int = 20
    """Measured rounds."""
    runtime: str | None = None
    """As that of `power-bert benchmark`."""
    dtype: str = "float32"
    """float32, bfloat16 or float16."""
    xla: bool = False
    """Compile with XLA."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints the medians and the share of the forward pass."""
        power = BertClassifier(
            EncoderConfig.of_size(self.size),
            2,
            self.sequence_length,
            reduction=Extraction(self.retention),
        )
        models = {
            "scored": power,
            "first_rows": power.with_reduction(FirstRows(self.retention)),
        }
        random = np.random.default_rng(0)
        token_ids = random.integers(1000, 30000, (self.batch_size, self.sequence_length))
        graphs = {}
        for name, model in models.items():
            compiled = CompiledClassifier(
                model,
                batch_size=self.batch_size,
                runtime=self.runtime,
                dtype=self.dtype,
                jit_compile=self.xla,
            )
            graphs[name] = (compiled, compiled.batches(list(token_ids)))
        result = compare(self, graphs)
        what, scored, sliced = words(result)
        print(
            f"{what}: {scored} with scores, {sliced} with the first rows; "
            f"scoring and extracting are {100 * (1 - result['ratio']):.1f} % of the forward pass"
        )


if __name__ == "__main__":
    simple_parsing.parse(
        ScoringCost, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
