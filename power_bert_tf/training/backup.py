"""Training that survives being killed: the state after each epoch, written whole."""

import json
import pathlib
import shutil

import keras
import numpy as np

from power_bert_tf.files import write_folder


def _state(model):
    """Every variable that decides how training goes on, seeds of dropout included."""
    metrics = {id(variable) for variable in model.metrics_variables}
    ours = [variable for variable in model.variables if id(variable) not in metrics]
    return ours, list(model.optimizer.variables)


def _arrays(variables):
    return {str(index): np.asarray(variable) for index, variable in enumerate(variables)}


def _assign(variables, path):
    with np.load(path, allow_pickle=False) as arrays:
        for index, variable in enumerate(variables):
            variable.assign(arrays[str(index)])


class EpochBackup(keras.callbacks.Callback):
    """Keeps the state after each epoch in a folder, and the best weights beside it.

    Unlike Keras' `BackupAndRestore`, state, history and best weights appear together in one
    rename: a process killed at any point leaves the last whole epoch, never half of one.

    Args:
        folder: where the state goes, one sub-folder for the latest epoch.
        monitor: str or None. Name of the log whose highest value marks the best epoch; the last
            epoch counts as the best where None.
    """

    def __init__(self, folder, monitor=None):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.monitor = monitor
        self.history = []
        self.best_epoch = None

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
        weights, optimizer = _state(model)
        _assign(weights + optimizer, latest / "state.npz")
        self.history = recorded["history"]
        self.best_epoch = recorded["best_epoch"]
        return len(self.history)

    def on_epoch_end(self, epoch, logs=None):
        self.history.append({name: float(value) for name, value in logs.items()})
        weights, optimizer = _state(self.model)
        before = self.folder / f"epoch-{epoch:04d}"
        is_best = self._is_best()
        if is_best:
            self.best_epoch = epoch + 1

        def write(folder):
            np.savez(folder / "state.npz", **_arrays(weights + optimizer))
            if is_best:
                np.savez(folder / "best.npz", **_arrays(weights))
            else:
                shutil.copyfile(before / "best.npz", folder / "best.npz")
            recorded = {"history": self.history, "best_epoch": self.best_epoch}
            (folder / "history.json").write_text(json.dumps(recorded), encoding="utf-8")

        write_folder(self.folder / f"epoch-{epoch + 1:04d}", write)
        shutil.rmtree(before, ignore_errors=True)

    def _is_best(self):
        if self.monitor is None:
            return True
        scores = [logs[self.monitor] for logs in self.history]
        return scores[-1] > max(scores[:-1], default=-np.inf)

    def load_best(self, model):
        """Gives `model` the weights of the best epoch."""
        latest = sorted(self.folder.glob("epoch-[0-9][0-9][0-9][0-9]"))[-1]
        _assign(_state(model)[0], latest / "best.npz")
