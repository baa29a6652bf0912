"""What scoring and extracting cost: PoWER-BERT against one that keeps the first rows unasked.

    python notebooks/benchmarks/scoring_cost.py

Both compute the same matrix products over the same number of word-vectors; the second takes a
slice where the first scores, ranks and gathers. Random weights, interleaved, medians.
"""

import dataclasses

import keras
import numpy as np
import simple_parsing

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.timing import interleaved_seconds
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

    def execute(self):
        """Prints the medians and the share of the forward pass."""
        power = BertClassifier(
            EncoderConfig.of_size(self.size),
            2,
            self.sequence_length,
            reduction=Extraction(self.retention),
        )
        models = {
            "scored and extracted": power,
            "first rows": power.with_reduction(FirstRows(self.retention)),
        }
        random = np.random.default_rng(0)
        token_ids = random.integers(1000, 30000, (self.batch_size, self.sequence_length))
        work = {}
        for name, model in models.items():
            compiled = CompiledClassifier(
                model,
                batch_size=self.batch_size,
                runtime=self.runtime,
                dtype=self.dtype,
                jit_compile=self.xla,
            )
            batches = compiled.batches(list(token_ids))
            work[name] = lambda compiled=compiled, batches=batches: compiled.run(batches)
        seconds = interleaved_seconds(work, least_runs=self.runs, most_runs=self.runs)
        scored, sliced = (float(np.median(seconds[name])) for name in work)
        # Of neighbouring rounds, so that a machine whose speed drifts does it to both.
        ratio = float(np.median(seconds["first rows"] / seconds["scored and extracted"]))
        print(
            f"{self.size}, N = {self.sequence_length}, batch {self.batch_size}, {self.dtype}: "
            f"{1000 * scored:.1f} ms with scores, {1000 * sliced:.1f} ms with the first rows; "
            f"scoring and extracting are {100 * (1 - ratio):.1f} % of the forward pass "
            f"(median of {self.runs} interleaved rounds)"
        )


if __name__ == "__main__":
    simple_parsing.parse(
        ScoringCost, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
