"""A training that is interrupted and restored ends as if nothing had happened."""

import json
import shutil

import keras
import numpy as np
import pytest

from power_bert_tf.training.backup import EpochBackup
from power_bert_tf.training.optimizers import BertAdamW
from power_bert_tf.training.schedules import WarmupLinearDecay

EPOCHS = 4
# What the dev set says of each epoch: the second is the best, and the first of its equals.
SCORES = [0.3, 0.8, 0.8, 0.5]


class Scores(keras.callbacks.Callback):
    """Stands for the score on a dev set."""

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = SCORES[epoch]


class Interruption(Exception):
    pass


class Interrupter(keras.callbacks.Callback):
    """Raises in the middle of an epoch."""

    def __init__(self, epoch, batch=1):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise Interruption


def small_model():
    """Half of its activations are dropped, so that the state of the dropout's seed matters."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, name="hidden"),
            keras.layers.Dropout(0.5, name="dropout"),
            keras.layers.Dense(1, name="output"),
        ],
        name="small",
    )
    model.compile(BertAdamW(WarmupLinearDecay(0.1, 3 * EPOCHS)), "mse", metrics=["mae"])
    return model


def train(folder, monitor="score", interrupt=None, epochs=EPOCHS, patience=None, kept=1):
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(6, 4)), generator.normal(size=(6, 1))
    model = small_model()
    backup = EpochBackup(folder, monitor, patience, kept)
    first_epoch = backup.restore(model)
    if backup.ended:
        return model, backup, first_epoch
    model.fit(
        inputs,
        targets,
        batch_size=2,
        epochs=epochs,
        initial_epoch=first_epoch,
        shuffle=False,
        callbacks=[Scores(), *([Interrupter(interrupt)] if interrupt is not None else []), backup],
        verbose=0,
    )
    return model, backup, first_epoch


def state(model):
    return [np.array(each) for each in (*model.variables, *model.optimizer.variables)]


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    model, backup, _ = train(tmp_path_factory.mktemp("run"))
    weights = [np.array(each) for each in model.weights]
    backup.load(model, backup.best_epoch)
    return {
        "weights": weights,
        "optimizer": [np.array(each) for each in model.optimizer.variables],
        "history": backup.history,
        "best": [np.array(each) for each in model.weights],
    }


@pytest.mark.parametrize("interrupt", [0, 2, 3])
def test_interrupted_and_restored_is_as_uninterrupted(tmp_path, uninterrupted, interrupt):
    with pytest.raises(Interruption):
        train(tmp_path, interrupt=interrupt)
    model, backup, first_epoch = train(tmp_path)
    assert first_epoch == interrupt
    assert_equal(model.weights, uninterrupted["weights"])
    assert_equal(model.optimizer.variables, uninterrupted["optimizer"])
    assert backup.history == uninterrupted["history"]
    backup.load(model, backup.best_epoch)
    assert_equal(model.weights, uninterrupted["best"])


# Of 0.3, 0.8, 0.8, 0.5 the second is the best.
@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (9, 4)])
def test_it_ends_where_nothing_gets_better(tmp_path, patience, epochs):
    _, backup, _ = train(tmp_path / "whole", patience=patience)
    assert (len(backup.history), backup.best_epoch) == (epochs, 2)
    # The epochs before an interruption count too, and what has ended does not go on.
    with pytest.raises(Interruption):
        train(tmp_path / "killed", patience=patience, interrupt=2)
    for _ in range(2):
        _, again, _ = train(tmp_path / "killed", patience=patience)
        assert again.history == backup.history and again.best_epoch == 2


def test_dropout_goes_on_where_it_was(tmp_path, uninterrupted):
    """Without the seeds' state in the backup the comparison above could not fail."""
    train(tmp_path, epochs=2)
    latest = tmp_path / "epoch-0002" / "state.npz"
    with np.load(latest) as arrays:
        arrays = dict(arrays)
    seeds = [name for name, array in arrays.items() if array.shape == (2,)]
    assert len(seeds) == 1
    arrays[seeds[0]] = arrays[seeds[0]] + 1
    np.savez(latest, **arrays)
    model, _, _ = train(tmp_path)
    assert not np.array_equal(model.weights[0], uninterrupted["weights"][0])


def test_keeps_the_best_epoch_and_its_weights(tmp_path, uninterrupted):
    model, backup, _ = train(tmp_path, epochs=2)
    after_two = [np.array(each) for each in model.weights]
    assert backup.best_epoch == 2
    model, backup, _ = train(tmp_path)
    assert backup.best_epoch == 2
    assert not np.array_equal(model.weights[0], after_two[0])
    backup.load(model, backup.best_epoch)
    assert_equal(model.weights, after_two)
    assert_equal(after_two, uninterrupted["best"])


def test_keeps_the_weights_of_several_epochs(tmp_path, uninterrupted):
    """Of 0.3, 0.8, 0.8, 0.5 the second, the third and the fourth are the best three."""
    with pytest.raises(Interruption):
        train(tmp_path, interrupt=2, kept=3)
    model, backup, _ = train(tmp_path, kept=3)
    assert backup.best_epochs == [2, 3, 4]
    seen = []
    for epoch in backup.best_epochs:
        backup.load(model, epoch)
        seen.append([np.array(each) for each in model.weights])
    assert_equal(seen[0], uninterrupted["best"])
    assert_equal(seen[2], uninterrupted["weights"])
    assert not any(np.array_equal(seen[1][0], other[0]) for other in (seen[0], seen[2]))


def test_the_last_epoch_is_the_best_without_a_monitor(tmp_path, uninterrupted):
    model, backup, _ = train(tmp_path, monitor=None)
    assert backup.best_epoch == EPOCHS
    backup.load(model, backup.best_epoch)
    assert_equal(model.weights, uninterrupted["weights"])


def test_restores_nothing_from_nothing(tmp_path):
    model = small_model()
    before = state(model)
    assert EpochBackup(tmp_path / "absent").restore(model) == 0
    assert_equal(state(model), before)


def test_one_folder_is_left_with_history(tmp_path):
    train(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"epoch-{EPOCHS:04d}"]
    recorded = json.loads((tmp_path / f"epoch-{EPOCHS:04d}" / "history.json").read_text())
    assert [logs["score"] for logs in recorded["history"]] == SCORES
    assert set(recorded["history"][0]) == {"loss", "mae", "score"}


def test_half_written_folders_are_ignored(tmp_path, monkeypatch):
    """A process that is killed while it writes leaves a folder with a name aside."""
    real = np.savez

    def dies(path, **arrays):
        real(path, **arrays)
        if "best" in path.name and len(list(tmp_path.glob("epoch-*"))) == 1:
            # As SIGKILL would: nothing is cleaned up.
            monkeypatch.setattr("shutil.rmtree", lambda *arguments, **named: None)
            raise Interruption

    monkeypatch.setattr(np, "savez", dies)
    with pytest.raises(Interruption):
        train(tmp_path)
    monkeypatch.undo()
    aside = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(aside) == 1 and aside[0].startswith(".epoch-0002-")
    assert EpochBackup(tmp_path).restore(small_model()) == 1


def test_the_later_of_two_whole_folders_counts(tmp_path):
    """A process may be killed between writing an epoch and removing the one before."""
    train(tmp_path, epochs=1)
    shutil.copytree(tmp_path / "epoch-0001", tmp_path / "kept")
    train(tmp_path, epochs=2)
    (tmp_path / "kept").rename(tmp_path / "epoch-0001")
    assert EpochBackup(tmp_path).restore(small_model()) == 2
