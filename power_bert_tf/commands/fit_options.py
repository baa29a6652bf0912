"""What `power-bert fit` can be told, and what of it cannot be."""

import dataclasses
import math
import pathlib

import simple_parsing

from power_bert_tf.errors import InputError
from power_bert_tf.runs.folder import STEPS
from power_bert_tf.runs.tune import SPEEDS

DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class FitOptions:
    """The options of `power-bert fit`. Where one is left out, the task's own value holds."""

    checkpoint: str
    """A BERT, ALBERT or DistilBERT to begin with: a folder in Hugging Face's or Google's layout, a
    preset of KerasHub, a run or a .keras file of this package, or hf://owner/name."""
    output: pathlib.Path
    """Run folder: new, empty, or that of the run to go on with."""
    task: str | None = None
    """A task of the paper: cola, rte, qqp, mrpc, sst2, mnli-m, mnli-mm, qnli, stsb, imdb or race;
    race-middle, race-high and wnli too."""
    train: pathlib.Path | None = None
    """Your own examples: TSV, CSV or JSONL with text, optional text_pair, and label."""
    dev: pathlib.Path | None = None
    """Examples to measure on; a tenth of --train, held out, where left out."""
    tfds_dir: pathlib.Path | None = None
    """Where tensorflow-datasets has prepared the task; it downloads where left out."""
    data_dir: pathlib.Path | None = None
    """Folder of GLUE's own TSV folders, instead of tensorflow-datasets."""
    labels: list[str] = simple_parsing.field(default_factory=list)
    """The classes of --train in the order of their ids; found by themselves where left out."""
    regression: bool = False
    """The labels of --train are numbers."""
    metric: str | None = None
    """accuracy, f1, matthews or spearman."""
    skip_fine_tuning: bool = False
    """The checkpoint is fine-tuned for this task: begin with the search."""
    fine_tuned: pathlib.Path | None = None
    """Go on from the finished fine-tuning of this run: same task, checkpoint and dev examples."""
    train_examples: int | None = None
    """Train on a random subset of this size."""
    dev_examples: int | None = None
    """Measure on a random subset of this size."""
    sequence_length: int | None = None
    """N, the length that inputs are padded or cut to, in word-pieces; by the paper's rule from
    the texts of --train where left out."""
    batch_size: int | None = None
    """Examples a training step; questions for race."""
    learning_rate: float | None = None
    """Peak learning rate of BERT's weights."""
    retention_learning_rate: float | None = None
    """Peak learning rate of the retention parameters."""
    strength: float | None = None
    """The paper's lambda: how strongly the search prefers few word-vectors."""
    basis: str = "absolute"
    """absolute: numbers of word-vectors, as the paper; relative: shares of a text's length;
    with --max-drop or --speedup, both: try each."""
    retention: str | None = None
    """Skip the search and use this: '40,30,20' or, relative, '40,30,20 of 64'."""
    epochs: int | None = None
    """Epochs of each step."""
    fine_tuning_epochs: int | None = None
    """Epochs of fine-tuning; --epochs where left out."""
    search_epochs: int | None = None
    """Epochs of the search; --epochs where left out."""
    retraining_epochs: int | None = None
    """Epochs of re-training; --epochs where left out."""
    max_drop: float | None = None
    """Find lambda: the fastest PoWER-BERT that loses at most so many points of the metric."""
    speedup: float | None = None
    """Find lambda: the smallest drop at so many times BERT's speed, in operations."""
    trials: int = 6
    """How many values of lambda --max-drop and --speedup try at most, in each basis."""
    against: str = "padded"
    """The speed that those two go by: padded, BERT's and PoWER-BERT's, as in the paper;
    unpadded, that of both without padding."""
    cased: bool = False
    """The vocabulary is cased, and the checkpoint does not say so itself."""
    dtype: str = "float32"
    """float32, mixed_bfloat16 or mixed_float16."""
    group_by_length: bool = False
    """Batch texts of similar length: training takes less time where lengths vary."""
    xla: bool = False
    """Compile training steps with XLA."""
    seed: int = 0
    """Seed of everything random."""

    def step_epochs(self, task):
        """The epochs of each step, a dict."""
        given = {
            "fine-tune": self.fine_tuning_epochs,
            "search": self.search_epochs,
            "re-train": self.retraining_epochs,
        }
        return {name: value or self.epochs or task.epochs for name, value in given.items()}

    def applied_to(self, task):
        """The task with the values that are given in place of its own."""
        given = {
            name: getattr(self, name)
            for name in (
                "metric",
                "sequence_length",
                "batch_size",
                "learning_rate",
                "retention_learning_rate",
                "strength",
            )
            if getattr(self, name) is not None
        }
        return dataclasses.replace(task, **given)

    def check(self):
        """Raises InputError where an option is out of range."""
        for name in (
            "train_examples",
            "dev_examples",
            "sequence_length",
            "batch_size",
            "learning_rate",
            "retention_learning_rate",
            "epochs",
            "fine_tuning_epochs",
            "search_epochs",
            "retraining_epochs",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"`{name}` must be positive. Received: {name}={value}")
        if self.strength is not None and not 0 <= self.strength < math.inf:
            raise InputError(f"`strength` must be at least 0. Received: strength={self.strength}")
        if self.skip_fine_tuning and (self.fine_tuned or self.fine_tuning_epochs):
            raise InputError(
                "`skip_fine_tuning` leaves nothing for `fine_tuned` or `fine_tuning_epochs`: give "
                "one of them"
            )
        if not 0 <= self.seed < 2**32 - len(STEPS):
            raise InputError(
                f"`seed` must be from 0 to {2**32 - len(STEPS) - 1}. Received: seed={self.seed}"
            )
        for name, allowed in (("basis", ("absolute", "relative")), ("dtype", DTYPES)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"`{name}` must be one of {', '.join(allowed)}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )

    def check_limit(self):
        """Raises InputError where --max-drop or --speedup cannot be used as given."""
        for name, least in (("max_drop", 0.0), ("speedup", 1.0)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise InputError(f"`{name}` must be at least {least:g}. Received: {name}={value}")
        if None not in (self.max_drop, self.speedup):
            raise InputError(
                "give `max_drop` or `speedup`, not both. "
                f"Received: max_drop={self.max_drop:g}, speedup={self.speedup:g}"
            )
        if self.trials < 1:
            raise InputError(f"`trials` must be at least 1. Received: trials={self.trials}")
        if self.against not in SPEEDS:
            raise InputError(
                f"`against` must be one of {', '.join(SPEEDS)}. Received: against={self.against!r}"
            )
        if self.strength == 0:
            raise InputError("`strength` must be above 0 to begin with. Received: strength=0")
        if self.retention is not None:
            raise InputError(
                "`retention` leaves nothing to find for `max_drop` or `speedup`. "
                f"Received: retention={self.retention!r}"
            )
