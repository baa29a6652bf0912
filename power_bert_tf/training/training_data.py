"""What goes into a training and what comes out of it. Imports nothing heavy."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """What a model is trained on and measured by, and how its batches are made.

    Args:
        train, dev: `Examples`.
        preprocessor: `Preprocessor`, of the model's sequence length.
        metric: str, the task's metric.
        batch_size: int; questions for multiple choice.
        seed: int. Shuffling and dropout are functions of it.
        group_by_length: bool. Groups texts of similar length, so batches contain less padding.
        jit_compile: bool. Compile training steps with XLA.
    """

    train: typing.Any
    dev: typing.Any
    preprocessor: typing.Any
    metric: str
    batch_size: int
    seed: int = 0
    group_by_length: bool = False
    jit_compile: bool = False

    @property
    def steps_per_epoch(self):
        """Number of batches an epoch; the last, partial one is left out."""
        return max(1, len(self.train) // self.batch_size)


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """A trained model, the logs of its epochs, and its score on the dev set (at most 1)."""

    model: typing.Any
    history: list
    best_epoch: int
    score: float
