"""The three steps of PoWER-BERT's training (section 3.4), each plain `model.fit`."""

import dataclasses
import sys

import keras
import numpy as np

from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import evaluation_dataset
from power_bert_tf.data import training_dataset
from power_bert_tf.methods.power_bert.mass_history import RetentionCourse
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling import SoftExtraction
from power_bert_tf.training.backup import EpochBackup
from power_bert_tf.training.metrics import DevScore
from power_bert_tf.training.metrics import task_score
from power_bert_tf.training.objectives import MultipleChoiceAccuracy
from power_bert_tf.training.objectives import MultipleChoiceLoss
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.optimizers import search_optimizer


def _objective(head, choices):
    """Loss and metrics of a head."""
    return {
        "classification": ("sparse_categorical_crossentropy", ["accuracy"]),
        "regression": ("mean_squared_error", []),
        "multiple_choice": (MultipleChoiceLoss(choices), [MultipleChoiceAccuracy(choices)]),
    }[head]


@dataclasses.dataclass(frozen=True)
class StepData:
    """What every step trains on and is measured by.

    Args:
        train, dev: `Examples`.
        preprocessor: `Preprocessor`, of the model's sequence length.
        metric: str, the task's metric.
        batch_size: int; questions for multiple choice.
        seed: int. Shuffling and dropout are functions of it.
        group_by_length: bool. A batch gets texts of similar length, so that less is padding.
    """

    train: Examples
    dev: Examples
    preprocessor: Preprocessor
    metric: str
    batch_size: int
    seed: int = 0
    group_by_length: bool = False

    @property
    def steps_per_epoch(self):
        """Number of batches an epoch; the last, partial one is left out."""
        return max(1, len(self.train) // self.batch_size)


@dataclasses.dataclass(frozen=True)
class StepResult:
    """A trained model, the logs of its epochs, and its score on the dev set (at most 1)."""

    model: BertClassifier
    history: list
    best_epoch: int
    score: float


def evaluate(model, examples, preprocessor, metric, batch_size=128):
    """The score of a model on examples, a float, in the metric."""
    dataset = evaluation_dataset(examples, preprocessor, batch_size)
    return task_score(metric, examples.labels, model.predict(dataset, verbose=0))


def fine_tune(model, data, epochs, learning_rate, backup_folder, jit_compile=False):
    """Step 1: BERT learns the task. Gives back the best epoch by the task's metric.

    Args:
        model: `BertClassifier` without reduction.
        data: `StepData`.
        epochs: int.
        learning_rate: float, the peak.
        backup_folder: folder for the state after each epoch; training goes on from there.
        jit_compile: bool, XLA.

    Returns:
        `StepResult`.
    """
    optimizer = fine_tuning_optimizer(learning_rate, epochs * data.steps_per_epoch)
    return _fit(model, optimizer, data, epochs, backup_folder, jit_compile, best_epoch=True)


def take_fine_tuned(model, data):
    """Step 1 without training: the score of a BERT that has learnt the task elsewhere.

    Args:
        model: `BertClassifier` without reduction.
        data: `StepData`.

    Returns:
        `StepResult` without epochs.
    """
    score = evaluate(model, data.dev, data.preprocessor, data.metric)
    return StepResult(model, [], 0, score)


def search(
    model,
    data,
    epochs,
    learning_rate,
    retention_learning_rate,
    backup_folder,
    strength,
    basis="absolute",
    jit_compile=False,
):
    """Step 2: BERT with soft-extract layers learns how many word-vectors to keep.

    Gives back the last epoch, because the masses go on falling while the score does.

    Args:
        model: the fine-tuned `BertClassifier`; it is left as it is.
        data: `StepData`.
        epochs: int.
        learning_rate: float, the peak for BERT's weights.
        retention_learning_rate: float, the peak for the retention parameters.
        backup_folder: folder for the state after each epoch and the course of the masses.
        strength: float, the paper's lambda.
        basis: "absolute" or "relative".
        jit_compile: bool, XLA.

    Returns:
        `StepResult` and the course of the masses, a dict of `steps` and `masses`.
    """
    model = model.with_reduction(SoftExtraction(strength, basis))
    steps = epochs * data.steps_per_epoch
    optimizer = search_optimizer(learning_rate, retention_learning_rate, steps)
    course = RetentionCourse(f"{backup_folder}/course.json", data.steps_per_epoch)
    result = _fit(
        model, optimizer, data, epochs, backup_folder, jit_compile, False, callbacks=(course,)
    )
    return result, course.record


def re_train(model, data, epochs, learning_rate, backup_folder, retention, jit_compile=False):
    """Step 3: BERT with extract layers recovers. Gives back the best epoch.

    Args:
        model: the `BertClassifier` of the search; it is left as it is.
        data: `StepData`.
        epochs: int.
        learning_rate: float, the peak.
        backup_folder: folder for the state after each epoch.
        retention: `RetentionConfiguration`.
        jit_compile: bool, XLA.

    Returns:
        `StepResult`.
    """
    model = model.with_reduction(Extraction(retention))
    optimizer = fine_tuning_optimizer(learning_rate, epochs * data.steps_per_epoch)
    return _fit(model, optimizer, data, epochs, backup_folder, jit_compile, best_epoch=True)


def _fit(model, optimizer, data, epochs, backup_folder, jit_compile, best_epoch, callbacks=()):
    # Padding a batch to its longest text changes no answer and saves much of the time; XLA would
    # compile each length anew.
    pad_to_longest = not (jit_compile or model.reduction.sees_padding)
    trained = model.at_length(None) if pad_to_longest else model
    choices = data.train.choices
    loss, metrics = _objective(model.head, choices)
    trained.compile(optimizer=optimizer, loss=loss, metrics=metrics, jit_compile=jit_compile)
    # Variables that are first made inside the training function have it traced twice.
    trained.optimizer.build(trained.trainable_variables)
    trained.compute_metrics(
        x=None, y=data.train.labels[:1], y_pred=keras.ops.zeros((choices, trained.num_classes))
    )
    trained.reset_metrics()
    # By length, so that less is padding: a score does not depend on the order.
    in_order = data.dev.select(np.argsort(data.dev.characters(), kind="stable"))
    dev = evaluation_dataset(in_order, data.preprocessor, data.batch_size, pad_to_longest)
    score = DevScore(dev, in_order.labels, data.metric)
    backup = EpochBackup(backup_folder, score.log_name if best_epoch else None)
    first_epoch = backup.restore(trained)
    if first_epoch < epochs:
        dataset, steps = training_dataset(
            data.train,
            data.preprocessor,
            data.batch_size,
            data.seed,
            first_epoch,
            epochs,
            pad_to_longest,
            data.group_by_length,
        )
        trained.fit(
            dataset,
            epochs=epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=steps,
            shuffle=False,  # The stream is shuffled already.
            callbacks=[score, *callbacks, backup],
            # A bar that redraws itself makes a log unreadable.
            verbose=1 if sys.stdout.isatty() else 2,
        )
    backup.load_best(trained)
    return StepResult(
        model,
        backup.history,
        backup.best_epoch,
        backup.history[backup.best_epoch - 1][score.log_name],
    )


def reachable_retention(retention_learning_rate, steps):
    """How far down a retention parameter can come from 1 in a search of so many steps.

    Adam moves a weight by about the learning rate a step, so the area under the schedule bounds
    the way: at 0.4 no position can be dropped below 0.6 of itself, whatever lambda is.

    Args:
        retention_learning_rate: float, the peak.
        steps: int.

    Returns:
        float in [0, 1]: the lowest value that a retention parameter can reach.
    """
    return max(0.0, 1.0 - 0.5 * retention_learning_rate * steps)


def reaching_rate(steps):
    """The retention learning rate that can bring a parameter from 1 to 0, and a quarter further.

    Args:
        steps: int, of the search.
    """
    return 1.25 / (0.5 * steps)
