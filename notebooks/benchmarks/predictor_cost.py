"""What AdapLeR's predictors cost: BERT with them, though nothing leaves, against BERT without.

    python notebooks/benchmarks/predictor_cost.py

Both graphs are of packed rows. Random weights, interleaved, medians.
"""

import dataclasses
import pathlib

import keras
import numpy as np
import simple_parsing
from two_graphs import built
from two_graphs import compare
from two_graphs import words

from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.reduction import NoReduction


class Unmoved(keras.layers.Layer):
    """Contributions as a bias of attention that moves no answer, so that they are computed."""

    def call(self, contributed, delta):
        return 1e-6 * contributed * delta


class Predicted(Removal):
    """Predicts before each encoder, and drops nothing."""

    drops = adaptive = False

    def before_encoder(self, layers, index, vectors):
        contributed, delta = self._contributions(layers, index, vectors)
        unmoved = layers(Unmoved, f"encoder_{index}_unmoved")
        return vectors.replace(attention_bias=unmoved(contributed, delta))

    def select_before(self, layers, index, vectors):
        return None

    def check_source(self, model):
        """Has no predictors to take over: new ones cost as much."""


@dataclasses.dataclass(frozen=True)
class PredictorCost:
    """Time BERT with and without AdapLeR's predictors."""

    size: str = "bert-base"
    """As that of `power-bert benchmark`."""
    sequence_length: int = 128
    """The length of all texts."""
    batch_size: int = 32
    """Texts a batch."""
    runs: int = 20
    """Measured rounds."""
    runtime: str | None = None
    """As that of `power-bert benchmark`."""
    dtype: str = "float32"
    """float32, bfloat16 or float16."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints the medians and the share of the forward pass."""
        random = np.random.default_rng(0)
        token_ids = random.integers(1000, 30000, (self.batch_size, self.sequence_length))
        config = EncoderConfig.of_size(self.size)
        graphs = {}
        for name, reduction in (("bert", NoReduction()), ("predicted", Predicted())):
            graphs[name] = built(
                BertClassifier(config, 2, self.sequence_length, reduction=reduction),
                token_ids,
                batch_size=self.batch_size,
                runtime=self.runtime,
                dtype=self.dtype,
            )
        result = compare(self, graphs)
        what, bert, predicted = words(result)
        print(
            f"{what}: {bert} without predictors, {predicted} with them; "
            f"predictors are {100 * (result['ratio'] - 1):.1f} % of the forward pass"
        )


if __name__ == "__main__":
    simple_parsing.parse(
        PredictorCost, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
