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
        by_word: dict of name to what is known of each word-piece, see `training_dataset`.
    """

    train: typing.Any
    dev: typing.Any
    preprocessor: typing.Any
    metric: str
    batch_size: int
    seed: int = 0
    group_by_length: bool = False
    jit_compile: bool = False
    by_word: dict = dataclasses.field(default_factory=dict)

    @property
    def steps_per_epoch(self):
        """Number of batches an epoch; the last, partial one is left out."""
        return max(1, len(self.train) // self.batch_size)


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """A trained model, the logs of its epochs, and its score on the dev set (at most 1).

    Args:
        model: `BertClassifier`, or None where there is none.
        history: list of dict, the logs of each epoch.
        best_epoch: int, from 1; 0 where nothing was trained.
        score: float, or None.
        runners_up: functions that write the models of the next best epochs to a path each.
    """

    model: typing.Any
    history: list
    best_epoch: int
    score: float | None
    runners_up: tuple = ()
