"""Training that survives being killed: the state after each epoch, written whole."""

import json
import pathlib
import re
import shutil

import keras
import numpy as np

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder

# What Keras numbers by how many there have been in the process.
_COUNTED = re.compile(r"(?<=seed_generator)_\d+(?=/)")
_COUNTED_OPTIMIZER = re.compile(r"(?<=[a-z])_\d+(?=/)")


def _weights(model):
    """Every variable of a model by its path, seeds of dropout included; none of its metrics."""
    metrics = {id(variable) for variable in model.metrics_variables}
    ours = (variable for variable in model.variables if id(variable) not in metrics)
    return _by_path(ours, _COUNTED)


def _optimizer_state(model):
    """Every variable of a model's optimizer, by its path."""
    return _by_path(model.optimizer.variables, _COUNTED_OPTIMIZER)


def _by_path(variables, counted):
    """Variables by paths that are the same in every process."""
    named = {}
    for variable in variables:
        path, number = counted.sub("", variable.path, count=1), 0
        while f"{path}#{number}" in named:
            number += 1
        named[f"{path}#{number}"] = variable
    return named


def _save(path, *named):
    arrays = {key: np.asarray(variable) for part in named for key, variable in part.items()}
    np.savez(path, **arrays)


def _assign(path, *named):
    """Gives variables the values in a file, which has each of them and perhaps others."""
    with np.load(path, allow_pickle=False) as arrays:
        for part in named:
            for key, variable in part.items():
                if key not in arrays:
                    raise InputError(
                        f"{path} must be the state of the same model and optimizer: it has no "
                        f"{key}. Start in a new folder"
                    )
                variable.assign(arrays[key])


class EpochBackup(keras.callbacks.Callback):
    """Keeps the state after each epoch in a folder, and the best weights beside it.

    Unlike Keras' `BackupAndRestore`, state, history and best weights appear together in one
    rename: a process killed at any point leaves the last whole epoch, never half of one.

    Args:
        folder: where the state goes, one sub-folder for the latest epoch.
        monitor: str or None. Name of the log whose highest value marks the best epoch; the last
            epoch counts as the best where None.
        patience: int or None. Ends the training after so many epochs in a row that are no better
            than the best one; never where None.
        kept: int. How many of the best epochs' weights are kept.
    """

    def __init__(self, folder, monitor=None, patience=None, kept=1):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.monitor = monitor
        self.patience = patience
        self.kept = kept
        self.history = []

    def restore(self, model):
        """Brings back the state of the latest epoch, if any.

        Args:
            model: the compiled model, built as it was when the state was written.

        Returns:
            int, the number of epochs that are done.
        """
        finished = sorted(self.folder.glob("epoch-[0-9][0-9][0-9][0-9]"))
        if not finished:
            return 0
        latest = finished[-1]
        recorded = json.loads((latest / "history.json").read_text(encoding="utf-8"))
        model.optimizer.build(model.trainable_variables)
        _assign(latest / "state.npz", _weights(model), _optimizer_state(model))
        self.history = recorded["history"]
        return len(self.history)

    @property
    def best_epochs(self):
        """The epochs whose weights are kept, the best first; the earlier one of equals."""
        epochs = range(1, len(self.history) + 1)
        if self.monitor is None:
            ordered = sorted(epochs, reverse=True)
        else:
            ordered = sorted(epochs, key=lambda epoch: -self.history[epoch - 1][self.monitor])
        return ordered[: self.kept]

    @property
    def best_epoch(self):
        """The best epoch, from 1; None before the first."""
        return self.best_epochs[0] if self.history else None

    @property
    def ended(self):
        """Whether there is nothing more to hope for: so many epochs were no better."""
        # Keras' `EarlyStopping` would forget the epochs before an interruption.
        return self.patience is not None and len(self.history) - (self.best_epoch or 0) >= max(
            self.patience, 1
        )

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in logs.items()})
        weights, optimizer = _weights(self.model), _optimizer_state(self.model)
        before = self.folder / f"epoch-{epoch:04d}"

        def write(folder):
            _save(folder / "state.npz", weights, optimizer)
            for best in self.best_epochs:
                if best == epoch + 1:
                    _save(folder / _weights_of(best), weights)
                else:
                    shutil.copyfile(before / _weights_of(best), folder / _weights_of(best))
            recorded = {"history": self.history}
            (folder / "history.json").write_text(json.dumps(recorded), encoding="utf-8")

        write_folder(self.folder / f"epoch-{epoch + 1:04d}", write)
        shutil.rmtree(before, ignore_errors=True)
        if self.ended:
            self.model.stop_training = True

    def load(self, model, epoch):
        """Gives `model` the weights of one of `best_epochs`."""
        latest = sorted(self.folder.glob("epoch-[0-9][0-9][0-9][0-9]"))[-1]
        _assign(latest / _weights_of(epoch), _weights(model))


def _weights_of(epoch):
    return f"best-{epoch:04d}.npz"
