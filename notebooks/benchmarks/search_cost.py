"""What the soft-extract layers cost in training: the search against fine-tuning.

    python notebooks/benchmarks/search_cost.py --steps 12

Random weights and texts, with and without XLA. Steps are interleaved, and medians are compared.
"""

import dataclasses

import keras
import numpy as np
import simple_parsing

from power_bert_tf.errors import InputError
from power_bert_tf.measure.timing import interleaved_seconds
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.search_optimizer import search_optimizer
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.training.optimizers import fine_tuning_optimizer


@dataclasses.dataclass(frozen=True)
class SearchCost:
    """Time a training step of the search against one of fine-tuning, with and without XLA.

    An epoch has the same number of steps in both.
    """

    num_layers: int = 6
    """Encoders."""
    hidden_dim: int = 384
    """Width of a word-vector."""
    num_heads: int = 12
    """Attention heads."""
    sequence_length: int = 64
    """N."""
    batch_size: int = 32
    """Texts a step."""
    steps: int = 30
    """Measured steps of each kind."""
    basis: str = "absolute"
    """absolute or relative."""

    def execute(self):
        """Prints the medians and their ratio; returns the ratios, without and with XLA."""
        for name in ("batch_size", "steps"):
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` must be positive. Received: {getattr(self, name)}")
        config = EncoderConfig(
            vocabulary_size=30522,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            hidden_dim=self.hidden_dim,
            intermediate_dim=4 * self.hidden_dim,
        )
        bert = BertClassifier(config, num_classes=2, sequence_length=self.sequence_length)
        inputs, labels = self._batch(config)
        ratios = []
        for xla in (False, True):
            seconds = self._seconds(bert, inputs, labels, xla)
            tuning, search = (float(np.median(seconds[name])) for name in ("tuning", "search"))
            ratios.append(search / tuning)
            print(
                f"{'with' if xla else 'without'} XLA: fine-tuning {1000 * tuning:.0f} ms a step, "
                f"search {1000 * search:.0f} ms, ratio {ratios[-1]:.3f} "
                f"(medians of {len(seconds['tuning'])} interleaved steps)",
                flush=True,
            )
        return ratios

    def _batch(self, config):
        random = np.random.default_rng(0)
        shape = (self.batch_size, self.sequence_length)
        lengths = random.integers(4, self.sequence_length + 1, self.batch_size)
        mask = (np.arange(self.sequence_length) < lengths[:, None]).astype("int32")
        inputs = {
            "token_ids": random.integers(0, config.vocabulary_size, shape).astype("int32") * mask,
            "segment_ids": np.zeros(shape, "int32"),
            "padding_mask": mask,
        }
        return inputs, random.integers(0, 2, self.batch_size)

    def _seconds(self, bert, inputs, labels, xla):
        steps = 1000
        models = {
            "tuning": (bert.with_reduction(bert.reduction), fine_tuning_optimizer(3e-5, steps)),
            "search": (
                bert.with_reduction(SoftExtraction(1e-3, self.basis)),
                search_optimizer(3e-5, 3e-3, steps),
            ),
        }
        for model, optimizer in models.values():
            model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=xla)
        steps = {
            name: lambda model=model: model.train_on_batch(inputs, labels)
            for name, (model, _) in models.items()
        }
        seconds = interleaved_seconds(
            steps, budget_seconds=float("inf"), most_runs=self.steps + self.steps // 3
        )
        keras.backend.clear_session(free_memory=True)
        # The first quarter warms up.
        return {name: values[self.steps // 3 :] for name, values in seconds.items()}


if __name__ == "__main__":
    simple_parsing.parse(
        SearchCost, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
