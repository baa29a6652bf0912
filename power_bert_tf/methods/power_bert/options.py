"""What PoWER-BERT can be told, and the paper's own values for each task."""

import dataclasses
import math

from power_bert_tf.errors import InputError

BOTH = "both"

# The learning rate of the retention parameters and lambda (PoWER-BERT, supplement, table 1). WNLI
# is not in the paper: it has the values of RTE, its nearest kin.
_PUBLISHED = {
    "cola": (1.5e-3, 7e-3),
    "rte": (3e-3, 1e-3),
    "qqp": (1e-4, 3e-4),
    "mrpc": (3e-3, 3e-3),
    "sst2": (5e-4, 2e-4),
    "mnli-m": (2e-4, 1e-4),
    "mnli-mm": (1e-4, 1e-4),
    "qnli": (2e-4, 1.5e-4),
    "stsb": (3e-3, 1e-3),
    "imdb": (2e-4, 7e-4),
    "race": (2e-4, 1e-4),
    "race-middle": (2e-4, 1e-4),
    "race-high": (2e-4, 1e-4),
    "wnli": (3e-3, 1e-3),
}
# The middle of the ranges that the paper searched, for tasks of one's own.
_OTHERWISE = (3e-3, 1e-3)


@dataclasses.dataclass(frozen=True)
class PowerBertOptions:
    """The options of PoWER-BERT. Where one is left out, the task's own value holds."""

    retention_learning_rate: float | None = None
    """Peak learning rate of the retention parameters."""
    strength: float | None = None
    """The paper's lambda: how strongly the search prefers few word-vectors."""
    basis: str = "absolute"
    """absolute: numbers of word-vectors, as the paper; relative: shares of a text's length;
    both, for tuning: try each."""
    retention: str | None = None
    """Skip the search and use this: '40,30,20' or, relative, '40,30,20 of 64'."""
    search_epochs: int | None = None
    """Epochs of the search; --epochs where left out."""
    retraining_epochs: int | None = None
    """Epochs of re-training; --epochs where left out."""

    def check(self):
        """Raises InputError where an option is out of range."""
        for name in ("retention_learning_rate", "search_epochs", "retraining_epochs"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"`{name}` must be positive. Received: {name}={value}")
        if self.strength is not None and not 0 <= self.strength < math.inf:
            raise InputError(f"`strength` must be at least 0. Received: strength={self.strength}")

    def with_published(self, task_name):
        """The options with the paper's values for a task where none are given."""
        rate, strength = _PUBLISHED.get(task_name, _OTHERWISE)
        return dataclasses.replace(
            self,
            retention_learning_rate=self.retention_learning_rate or rate,
            strength=strength if self.strength is None else self.strength,
        )


OPTIONS = PowerBertOptions
