"""The masses over a configuration search."""

import json
import pathlib

import keras

from power_bert_tf.files import write_json


class MassHistory(keras.callbacks.Callback):
    """Records the mass of every encoder while the search runs.

    Args:
        path: JSON file that is written after each epoch, and read when a search goes on.
        steps_per_epoch: int.
        points_per_epoch: int, about how many times an epoch to look.
    """

    def __init__(self, path, steps_per_epoch, points_per_epoch=20):
        super().__init__()
        self.path = pathlib.Path(path)
        self.steps_per_epoch = steps_per_epoch
        self.every = max(1, steps_per_epoch // points_per_epoch)
        self.record = {"steps": [], "masses": []}
        self._epoch = 0
        if self.path.exists():
            self.record = json.loads(self.path.read_text(encoding="utf-8"))

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        done = epoch * self.steps_per_epoch
        kept = sum(step <= done for step in self.record["steps"])
        self.record = {name: values[:kept] for name, values in self.record.items()}
        if not self.record["steps"]:
            self._look(0)

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.every == 0 or batch + 1 == self.steps_per_epoch:
            self._look(self._epoch * self.steps_per_epoch + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        write_json(self.path, self.record)

    def _look(self, step):
        self.record["steps"].append(step)
        self.record["masses"].append(self.model.reduction.masses(self.model))
