"""Whether the backend's fused attention is faster where no word-vector is scored: plain BERT.

    KERAS_BACKEND=jax python notebooks/benchmarks/fused_attention.py

Random weights, no padding, interleaved, medians. JAX needs its GPU plugin to use a GPU.
"""

import dataclasses
import pathlib
from unittest import mock

import numpy as np
import simple_parsing
from two_graphs import built
from two_graphs import compare
from two_graphs import words

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import encoder


@dataclasses.dataclass(frozen=True)
class FusedAttention:
    """Time plain BERT with the backend's fused attention and with products and softmax."""

    size: str = "bert-base"
    """As that of `power-bert benchmark`."""
    sequence_length: int = 128
    """N."""
    batch_size: int = 8
    """Texts a batch."""
    runs: int = 15
    """Measured rounds."""
    dtype: str = "float32"
    """float32, bfloat16 or float16."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints both medians and their ratio."""
        bert = BertClassifier(EncoderConfig.of_size(self.size), 2, self.sequence_length)
        token_ids = np.random.default_rng(0).integers(
            0, bert.config.vocabulary_size, (self.batch_size, self.sequence_length)
        )
        graphs = {}
        for name in ("fused", "products"):
            # Building the graph asks.
            with mock.patch.object(encoder, "fuses_attention", return_value=name == "fused"):
                graphs[name] = built(bert, token_ids, batch_size=self.batch_size, dtype=self.dtype)
        result = compare(self, graphs)
        what, fused, products = words(result)
        print(
            f"{what}: {fused} with fused attention, {products} with products; "
            f"fused is {result['ratio']:.2f} times as fast"
        )


if __name__ == "__main__":
    simple_parsing.parse(
        FusedAttention, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
