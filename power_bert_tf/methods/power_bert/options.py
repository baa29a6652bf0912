"""What PoWER-BERT can be told, and the paper's own values for each task."""

import dataclasses
import math

from power_bert_tf.errors import InputError

BOTH = "both"
PAPER, LINEAR = "paper", "linear"
SEARCHES = (PAPER, LINEAR)

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
# How many times fewer operations the linear search is to find where nothing is said.
_TIMES = 1.6


@dataclasses.dataclass(frozen=True)
class PowerBertOptions:
    """The options of PoWER-BERT. Where one is left out, the task's own value holds."""

    retention_learning_rate: float | None = None
    """Peak learning rate of the retention parameters; where left out the paper's, or, if that is
    too low for the number of steps, one that fits it."""
    search: str | None = None
    """paper: soft-extract layers are trained, and show how many word-vectors to keep; linear: as
    many fewer from encoder to encoder, and nothing is trained. tune takes linear where left out,
    the others paper."""
    strength: float | None = None
    """The paper's lambda: how strongly its search prefers few word-vectors. For the linear
    search: how many times fewer operations than BERT's, both without padding; 1.6 where left
    out."""
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
        if self.search not in (None, *SEARCHES):
            raise InputError(
                f"`search` must be one of {', '.join(SEARCHES)}. Received: search={self.search!r}"
            )
        if self.strength is None:
            return
        if not 0 <= self.strength < math.inf:
            raise InputError(f"`strength` must be at least 0. Received: strength={self.strength}")
        if self.search == LINEAR and self.strength <= 1:
            raise InputError(
                "`strength` must be above 1 for the linear search: so many times fewer "
                f"operations (--search paper takes lambda). Received: strength={self.strength}"
            )

    def with_published(self, task_name):
        """The options with the paper's values for a task where none are given."""
        rate, strength = _PUBLISHED.get(task_name, _OTHERWISE)
        if self.search == LINEAR:
            strength = _TIMES
        return dataclasses.replace(
            self,
            retention_learning_rate=self.retention_learning_rate or rate,
            strength=strength if self.strength is None else self.strength,
        )


OPTIONS = PowerBertOptions
