"""What a run can be told, whatever its method: where examples come from, and how it trains."""

import dataclasses
import math
import os
import pathlib

from power_bert_tf.errors import InputError
from power_bert_tf.methods import DEFAULT

SPEEDS = ("padded", "unpadded")
DTYPES = ("float32", "mixed_bfloat16", "mixed_float16")
# A step is seeded by the run's seed and its own number.
_LARGEST_SEED = 2**32 - 100


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What every run needs."""

    checkpoint: str
    """A BERT, ALBERT or DistilBERT to begin with: a folder in Hugging Face's or Google's layout, a
    preset of KerasHub, a run or a .keras file of this package, or hf://owner/name."""
    output: pathlib.Path
    """Run folder: new, empty, or that of the run to go on with."""
    method: str = DEFAULT
    """How BERT is made faster."""


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Where examples come from: a task of the paper, or files of one's own."""

    task: str | None = None
    """A task of the papers: cola, rte, qqp, mrpc, sst2, mnli-m, mnli-mm, qnli, stsb, imdb, race,
    agnews, dbpedia, hatexplain, movies or multirc; race-middle, race-high and wnli too."""
    train: pathlib.Path | None = None
    """Your own examples: TSV, CSV or JSONL with text, optional text_pair, and label."""
    dev: pathlib.Path | None = None
    """Your own dev examples, which epochs and strengths are chosen by; a tenth of --train is held
    out where left out."""
    test: pathlib.Path | None = None
    """Your own test examples, which give the figures of the report and choose nothing."""
    tfds_dir: pathlib.Path | None = None
    """Where tensorflow-datasets has prepared the task; it downloads where left out."""
    data_dir: pathlib.Path | None = None
    """Folder of a task's files as they were published, instead of tensorflow-datasets: GLUE's TSV
    folders, CSV of AG News or DBpedia, JSON of HateXplain or ERASER."""
    text_column: str = "text"
    """What --train, --dev and --test call the texts."""
    pair_column: str = "text_pair"
    """What they call the second texts of a task of pairs."""
    label_column: str = "label"
    """What they call the labels."""
    delimiter: str | None = None
    """What stands between the columns of CSV and TSV, such as ';' or tab; found where left out."""
    labels: list[str] | None = None
    """The classes of --train in order; those in the file, sorted, where left out."""
    regression: bool = False
    """The labels of --train are numbers."""

    @property
    def columns(self):
        """The names of columns, as the readers of files take them."""
        # TensorFlow's room: the options alone import nothing heavy.
        from power_bert_tf.data import Columns

        return Columns(self.text_column, self.pair_column, self.label_column, self.delimiter)

    def as_source(self):
        """The same as a JSON-ready dict, with paths that hold from anywhere."""
        return {
            name: os.path.abspath(value) if isinstance(value, pathlib.Path) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_source(cls, source):
        """From what `as_source` gave."""
        paths = ("train", "dev", "test", "tfds_dir", "data_dir")
        return cls(
            **{
                name: pathlib.Path(value) if name in paths and value is not None else value
                for name, value in source.items()
            }
        )


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How a run trains. Where an option is left out, the task's own value holds."""

    metric: str | None = None
    """accuracy, f1, matthews or spearman."""
    skip_fine_tuning: bool = False
    """The checkpoint is fine-tuned for this task: begin with the method."""
    fine_tuned: pathlib.Path | None = None
    """Go on from the finished fine-tuning of this run: same task, checkpoint and dev examples."""
    train_examples: int | None = None
    """Train on a random subset of this size."""
    dev_examples: int | None = None
    """Choose by a random subset of this size of the dev examples."""
    held_out: int | None = None
    """Take so many examples of the training set as test examples, of lengths like the dev
    examples'; 8000 for a task whose test labels are hidden, where --train-examples leaves them
    over; 0 for none."""
    test_examples: int | None = None
    """Measure on a random subset of this size of the test examples; 8000 of a task's own where
    left out."""
    sequence_length: int | None = None
    """N, the length that inputs are padded or cut to, in word-pieces; by the paper's rule from
    the texts of --train where left out."""
    batch_size: int | None = None
    """Examples a training step; questions for race."""
    learning_rate: float | None = None
    """Peak learning rate of BERT's weights."""
    epochs: int | None = None
    """Epochs of each step, at most."""
    fine_tuning_epochs: int | None = None
    """Epochs of fine-tuning, at most; where left out --epochs, or else at least 4."""
    patience: int = 2
    """A step that keeps its best epoch ends after so many epochs without a better dev score."""
    no_control: bool = False
    """Train no control: the fine-tuned BERT, for as many epochs again as the method's steps take.
    The drop is against the better of the two."""
    cased: bool = False
    """The vocabulary is cased, and the checkpoint does not say so itself."""
    dtype: str = "float32"
    """float32, mixed_bfloat16 or mixed_float16."""
    group_by_length: bool = False
    """Groups texts of similar length, so batches contain less padding and training takes less
    time where lengths vary."""
    xla: bool = False
    """Compile training steps with XLA."""
    seed: int = 0
    """Seed of everything random."""
    seeds: int = 1
    """Train with so many seeds, from --seed on, over the same examples; says mean and deviation."""

    def applied_to(self, task):
        """The task with the values that are given in place of its own."""
        names = ("metric", "sequence_length", "batch_size", "learning_rate", "epochs")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return dataclasses.replace(task, **given)

    def check(self):
        """Raises InputError where an option is out of range."""
        for name in (
            "train_examples",
            "dev_examples",
            "test_examples",
            "sequence_length",
            "batch_size",
            "learning_rate",
            "epochs",
            "fine_tuning_epochs",
            "patience",
            "seeds",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"`{name}` must be positive. Received: {name}={value}")
        if self.held_out is not None and self.held_out < 0:
            raise InputError(f"`held_out` must be at least 0. Received: held_out={self.held_out}")
        if self.skip_fine_tuning and (self.fine_tuned or self.fine_tuning_epochs):
            raise InputError(
                "`skip_fine_tuning` leaves nothing for `fine_tuned` or `fine_tuning_epochs`: give "
                "one of them"
            )
        if not 0 <= self.seed < _LARGEST_SEED:
            raise InputError(
                f"`seed` must be from 0 to {_LARGEST_SEED - 1}. Received: seed={self.seed}"
            )
        if self.dtype not in DTYPES:
            raise InputError(
                f"`dtype` must be one of {', '.join(DTYPES)}. Received: dtype={self.dtype!r}"
            )


def as_json(options):
    """A dataclass of options as a JSON-ready dict; paths are absolute."""
    return {
        name: os.path.abspath(value) if isinstance(value, pathlib.Path) else value
        for name, value in dataclasses.asdict(options).items()
    }


@dataclasses.dataclass(frozen=True)
class TuningOptions:
    """What a tuning is to reach."""

    max_drop: float | None = None
    """Find the strength: the fastest model that loses at most so many points of the metric."""
    speedup: float | None = None
    """Find the strength: the smallest drop at so many times BERT's speed, in operations."""
    trials: int = 6
    """How many strengths --max-drop and --speedup try at most, in each variant."""
    against: str = "padded"
    """The speed that those two go by: padded, with both models padded to N, as in the paper;
    unpadded, with both without padding."""
    confident: bool = False
    """Have --max-drop go by the upper end of the interval that the drop is in with a
    confidence of 0.95, not by the drop itself."""

    @property
    def is_given(self):
        """Whether there is something to tune for."""
        return self.max_drop is not None or self.speedup is not None

    def check(self):
        """Raises InputError where the target cannot be used as given."""
        if not self.is_given:
            raise InputError("give `max_drop` or `speedup`. Received: neither")
        for name, least in (("max_drop", 0.0), ("speedup", 1.0)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise InputError(f"`{name}` must be at least {least:g}. Received: {name}={value}")
        if None not in (self.max_drop, self.speedup):
            raise InputError(
                "give `max_drop` or `speedup`, not both. "
                f"Received: max_drop={self.max_drop:g}, speedup={self.speedup:g}"
            )
        if self.confident and self.max_drop is None:
            raise InputError("`confident` goes with `max_drop`. Received: max_drop=None")
        if self.trials < 1:
            raise InputError(f"`trials` must be at least 1. Received: trials={self.trials}")
        if self.against not in SPEEDS:
            raise InputError(
                f"`against` must be one of {', '.join(SPEEDS)}. Received: against={self.against!r}"
            )


def part_of(options, part):
    """The fields of one dataclass of options from an object that has them all."""
    return part(**{field.name: getattr(options, field.name) for field in dataclasses.fields(part)})
