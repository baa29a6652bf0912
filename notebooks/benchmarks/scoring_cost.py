"""What scoring and extracting cost: PoWER-BERT against one that keeps the first rows unasked.

    python notebooks/benchmarks/scoring_cost.py

Both compute the same matrix products over the same number of word-vectors; the second takes a
slice where the first scores, ranks and gathers. Random weights, interleaved, medians.
"""

import contextlib
import dataclasses
import pathlib
from unittest import mock

import numpy as np
import simple_parsing
from two_graphs import built
from two_graphs import compare
from two_graphs import words

from power_bert_tf.layers import Extract
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import encoder
from power_bert_tf.modeling.reduction import Selection


class Unscored(Extraction):
    """Keeps as many word-vectors, and asks for no score."""

    def select(self, layers, index, vectors, probabilities):
        most = self.retention.at_length(vectors.input_mask.shape[1])[index]
        return Selection(vectors.padding_mask, most)


class FirstRows(Extract):
    """Keeps the first rows, whatever their priority."""

    def call(self, hidden, by_query, score, padding_mask, budget=None):
        kept = slice(self.length)
        return hidden[:, kept], by_query[:, :, kept], padding_mask[:, kept]


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
            "scored": (power, contextlib.nullcontext()),
            "first_rows": (
                power.with_reduction(Unscored(self.retention)),
                mock.patch.object(encoder, "Extract", FirstRows),
            ),
        }
        random = np.random.default_rng(0)
        token_ids = random.integers(1000, 30000, (self.batch_size, self.sequence_length))
        graphs = {}
        for name, (model, as_it_is_built) in models.items():
            with as_it_is_built:
                graphs[name] = built(
                    model,
                    token_ids,
                    batch_size=self.batch_size,
                    runtime=self.runtime,
                    dtype=self.dtype,
                    jit_compile=self.xla,
                    packed=False,
                )
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
