"""One training: `model.fit` that can be interrupted, and that knows the task's own metric."""

import sys

import keras
import numpy as np

from power_bert_tf.data import evaluation_dataset
from power_bert_tf.data import training_dataset
from power_bert_tf.training.backup import EpochBackup
from power_bert_tf.training.metrics import DevScore
from power_bert_tf.training.metrics import task_score
from power_bert_tf.training.objectives import objective
from power_bert_tf.training.training_data import TrainingResult

# Word-vectors in a batch that is answered: of 128 texts of 512, one tensor of attention has 1.6 GB.
_MOST_WORDS = 16384


def predict(model, examples, preprocessor, batch_size=128):
    """What a model answers, padded to the longest text of each batch.

    Without a graph: to trace one would take longer than most sets do.

    Args:
        model: `BertClassifier`.
        examples: `Examples`.
        preprocessor: `Preprocessor`, of the model's sequence length.
        batch_size: int, examples a batch; fewer where N is long.

    Returns:
        Array in the order of the examples, as `task_score` takes it.
    """
    pad_to_longest = not model.reduction.sees_padding
    most = max(1, _MOST_WORDS // (model.sequence_length * examples.choices))
    batch_size = min(batch_size, most)
    order = np.argsort(examples.characters(), kind="stable")
    dataset = evaluation_dataset(examples.select(order), preprocessor, batch_size, pad_to_longest)
    graph = model.for_training(None if pad_to_longest else model.sequence_length)
    batches = [graph(inputs, training=False) for inputs, _ in dataset]
    outputs = np.concatenate([keras.ops.convert_to_numpy(batch) for batch in batches])
    by_example = outputs.reshape(len(examples), -1)
    answers = np.empty_like(by_example)
    answers[order] = by_example
    return answers.reshape(outputs.shape)


def evaluate(model, data):
    """The score of a model on the dev examples of a `TrainingData`, a float."""
    outputs = predict(model, data.dev, data.preprocessor)
    return task_score(data.metric, data.dev.labels, outputs)


def train(
    model,
    optimizer,
    data,
    epochs,
    backup_folder,
    keep_best=True,
    callbacks=(),
    patience=None,
):
    """Trains a model, and goes on where an earlier process was killed.

    Args:
        model: `BertClassifier`; it is trained in place.
        optimizer: a Keras optimizer for all of the epochs.
        data: `TrainingData`.
        epochs: int.
        backup_folder: folder for the state after each epoch; training goes on from there.
        keep_best: bool. Give back the best epoch by the task's metric; the last where False.
        callbacks: Keras callbacks, called before the state is written.
        patience: int. Ends after so many epochs that are no better than the best; trains through
            all of them where None.

    Returns:
        `TrainingResult`.
    """
    # Padding a batch to its longest text changes no answer and saves much of the time; XLA would
    # compile each length anew.
    pad_to_longest = not (data.jit_compile or model.reduction.sees_padding)
    if data.group_by_length:
        # Grouping is to save time, and so is this.
        trained = model.for_training(None if pad_to_longest else model.sequence_length)
    else:
        trained = model.at_length(None) if pad_to_longest else model
    _compile(trained, optimizer, data)
    # By length, so that less is padding: a score does not depend on the order.
    in_order = data.dev.select(np.argsort(data.dev.characters(), kind="stable"))
    dev = evaluation_dataset(in_order, data.preprocessor, data.batch_size, pad_to_longest)
    score = DevScore(dev, in_order.labels, data.metric)
    backup = EpochBackup(backup_folder, score.log_name if keep_best else None, patience)
    first_epoch = backup.restore(trained)
    if first_epoch < epochs and not backup.ended:
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
    return TrainingResult(
        model,
        backup.history,
        backup.best_epoch,
        backup.history[backup.best_epoch - 1][score.log_name],
    )


def _compile(model, optimizer, data):
    choices = data.train.choices
    loss, metrics = objective(model.head, choices)
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, jit_compile=data.jit_compile)
    # Variables that are first made inside the training function have it traced twice.
    model.optimizer.build(model.trainable_variables)
    model.compute_metrics(
        x=None, y=data.train.labels[:1], y_pred=keras.ops.zeros((choices, model.num_classes))
    )
    model.reset_metrics()
