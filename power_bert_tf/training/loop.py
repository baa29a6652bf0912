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
    graph = model.for_training(model.sequence_length if model.reduction.sees_padding else None)

    def answer(inputs):
        return keras.ops.convert_to_numpy(graph(inputs, training=False))

    return _of_each_text(answer, model, examples, preprocessor, batch_size)


def kept_words(model, examples, preprocessor, batch_size=128):
    """How many word-vectors of each text are left.

    Args:
        model: `BertClassifier` whose reduction drops word-vectors.
        examples, preprocessor, batch_size: see `predict`.

    Returns:
        Two int arrays in the order of the texts: (texts,), their lengths, and (texts, encoders),
        how many are left after each encoder.
    """
    length = preprocessor.sequence_length if model.reduction.sees_padding else None
    graph, layers = model.at_length(length).traced(), model.config.num_layers

    def count(inputs):
        seen = graph(inputs, training=False)
        positions = [seen[f"encoder_{index}_positions"] for index in range(layers)]
        columns = [inputs["padding_mask"], *positions]
        return np.stack([np.sum(np.asarray(each) > 0, axis=1) for each in columns], axis=1)

    counts = _of_each_text(count, model, examples, preprocessor, batch_size)
    return counts[:, 0], counts[:, 1:]


def kept_by_text(model, reduction, examples, preprocessor, sizes):
    """How many word-vectors of each text a reduction leaves after each encoder.

    Args:
        model: `BertClassifier`, which is asked where that depends on the text's words.
        reduction: `Reduction` of it, or another one for inference.
        examples, preprocessor: see `predict`.
        sizes: int array (texts,), the texts' lengths.

    Returns:
        int array (texts, encoders).
    """
    if reduction.adaptive:
        return kept_words(model, examples, preprocessor)[1]
    return np.array([reduction.kept(model.config.num_layers, int(size)) for size in sizes])


def _of_each_text(function, model, examples, preprocessor, batch_size):
    """What a function makes of batches of texts of similar length, (texts, ...), in their order."""
    pad_to_longest = not model.reduction.sees_padding
    most = max(1, _MOST_WORDS // (preprocessor.sequence_length * examples.choices))
    batch_size = min(batch_size, most)
    order = np.argsort(examples.characters(), kind="stable")
    dataset = evaluation_dataset(examples.select(order), preprocessor, batch_size, pad_to_longest)
    found = np.concatenate([function(inputs) for inputs, _ in dataset])
    by_example = found.reshape(len(examples), -1)
    in_order = np.empty_like(by_example)
    in_order[order] = by_example
    return in_order.reshape(found.shape)


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
    monitor=None,
    best_epochs=1,
):
    """Trains a model, and goes on where an earlier process was killed.

    The dev score of each epoch is that of the reduction that is deployed, see `Reduction`.

    Args:
        model: `BertClassifier`; it is trained in place.
        optimizer: a Keras optimizer for all of the epochs.
        data: `TrainingData`.
        epochs: int.
        backup_folder: folder for the state after each epoch; training goes on from there.
        keep_best: bool. Give back the best epoch; the last where False.
        callbacks: Keras callbacks, called after the dev score is in the logs and before the state
            is written.
        patience: int. Ends after so many epochs that are no better than the best; trains through
            all of them where None.
        monitor: str, the log whose highest value marks the best epoch; the task's metric on the
            dev set where None.
        best_epochs: int. How many of the best epochs are kept.

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
    scored = None
    if model.reduction.deployed is not model.reduction:
        scored = model.for_scoring(trained.sequence_length)
        scored.compile(jit_compile=data.jit_compile)
    score = DevScore(dev, in_order.labels, data.metric, scored)
    best = (monitor or score.log_name) if keep_best else None
    backup = EpochBackup(backup_folder, best, patience, best_epochs)
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
            data.by_word,
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
    runners_up = tuple(_writer(backup, epoch, model, trained) for epoch in backup.best_epochs[1:])
    backup.load(trained, backup.best_epoch)
    return TrainingResult(
        model,
        backup.history,
        backup.best_epoch,
        backup.history[backup.best_epoch - 1][score.log_name],
        runners_up,
    )


def _writer(backup, epoch, model, trained):
    """A function that writes the model of an epoch; afterwards it is what it was before."""

    def write(path):
        backup.load(trained, epoch)
        # A copy without the optimizer, whose state is twice the size of the weights.
        model.with_reduction(model.reduction).save(path)
        backup.load(trained, backup.best_epoch)

    return write


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
