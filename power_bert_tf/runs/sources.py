"""What a run trains on and measures by: from options, or from examples in memory."""

import dataclasses

import numpy as np

from power_bert_tf.data import Examples
from power_bert_tf.data import Task
from power_bert_tf.data import get_task
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import load_from_tsv
from power_bert_tf.data import propose_sequence_length
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data import user_task
from power_bert_tf.data.examples import random_order
from power_bert_tf.data.proposed_length import word_piece_lengths
from power_bert_tf.errors import InputError

_HELD_OUT_SHARE = 10


@dataclasses.dataclass(frozen=True)
class Data:
    """What a run is about.

    Args:
        task: `Task`, with the values that hold for the run.
        train, dev: `Examples`.
        further: dict of name and `Examples`, dev sets that a report measures too.
        source: dict, JSON-ready, where it all comes from; None for examples in memory.
    """

    task: Task
    train: Examples
    dev: Examples
    further: dict = dataclasses.field(default_factory=dict)
    source: dict | None = None


def load_data(options, training, checkpoint):
    """The data that options name.

    Args:
        options: `DataOptions`.
        training: `TrainingOptions`.
        checkpoint: `Checkpoint`, whose tokenizer proposes N where none is given.

    Raises:
        InputError: where there is no task or file, or both, or they cannot be read.
    """
    if (options.task is None) == (options.train is None):
        raise InputError(
            "give either `task` or `train`. "
            f"Received: task={options.task!r}, train={options.train and str(options.train)!r}"
        )
    source = options.as_source()
    if options.task is None:
        labels = options.labels or None
        train = load_from_file(options.train, labels, options.regression)
        dev = None
        if options.dev is not None:
            dev = load_from_file(options.dev, train.label_names, options.regression)
        data = own_data(train, dev, options.train.stem, training, checkpoint)
        return dataclasses.replace(data, source=source)
    task = get_task(options.task)
    train, dev = (_load(options, task, part) for part in ("train", "dev"))
    further = {}
    if task.further_dev:
        other = get_task(task.further_dev)
        further[other.name] = _load(options, other, "dev")
    return _subsets(Data(task, train, dev, further, source), training)


def own_data(train, dev, name, training, checkpoint):
    """Data of one's own.

    Args:
        train: `Examples`.
        dev: `Examples`; a tenth of `train` is held out where None.
        name: str, the task's.
        training: `TrainingOptions`.
        checkpoint: `Checkpoint`.
    """
    length = training.sequence_length
    if length is None:
        length = _proposed_length(name, train, training, checkpoint)
    task = user_task(name, train, length)
    if dev is None:
        if len(train) < 2:
            raise InputError(f"`train` must have at least 2 rows. Received: {len(train)}")
        order = random_order(len(train), training.seed)
        held_out = max(1, len(train) // _HELD_OUT_SHARE)
        dev, train = train.select(order[:held_out]), train.select(np.sort(order[held_out:]))
    if (train.text_pairs is None) != (dev.text_pairs is None):
        raise InputError("`train` and `dev` must both have `text_pair`, or neither")
    if train.label_names != dev.label_names:
        raise InputError(
            f"`dev` must have the classes of `train`, {list(train.label_names)}. "
            f"Received: {list(dev.label_names)}"
        )
    return _subsets(Data(task, train, dev), training)


def given_data(task, train, dev, training):
    """Data of a given task, both sets in memory."""
    return _subsets(Data(task, train, dev), training)


def _subsets(data, training):
    """The data with as many examples as are wanted, and the task with the values given."""

    def dev_subset(examples):
        if training.dev_examples is None:
            return examples
        return examples.take(training.dev_examples, training.seed)

    train = data.train
    if training.train_examples is not None:
        train = train.take(training.train_examples, training.seed)
    return dataclasses.replace(
        data,
        task=training.applied_to(data.task),
        train=train,
        dev=dev_subset(data.dev),
        further={name: dev_subset(examples) for name, examples in data.further.items()},
    )


def _load(options, task, part):
    if options.data_dir is None:
        return load_from_tfds(task, part, options.tfds_dir)
    if options.tfds_dir is not None:
        raise InputError("give `tfds_dir` or `data_dir`, not both")
    return load_from_tsv(task, part, options.data_dir)


def _proposed_length(name, train, training, checkpoint):
    lengths = word_piece_lengths(tokenizer_for(checkpoint, training.cased), train)
    proposed, nearly_all = propose_sequence_length(lengths)
    most = checkpoint.config.max_sequence_length
    length = min(proposed, most)
    reason = (
        "the nearest of 64, 128, 256 and 512"
        if length == proposed
        else f"the checkpoint has no more positions; {proposed} would be the nearest"
    )
    print(
        f"N = {length}: at most 1 % of the texts of {name} have more than {nearly_all} "
        f"word-pieces ({reason}). --sequence-length sets another."
    )
    return length


def tokenizer_for(checkpoint, cased=False):
    """The tokenizer of a `Checkpoint`.

    Args:
        checkpoint: `Checkpoint`.
        cased: bool. The vocabulary is cased, where the checkpoint does not say so itself.

    Raises:
        InputError: where its vocabulary is missing or does not fit.
    """
    lowercase = not cased and checkpoint.lowercase is not False
    if checkpoint.vocabulary is None:
        # Says what is missing.
        tokenizer_from_folder(checkpoint.files[0].parent, lowercase)
    tokenizer = tokenizer_from_file(checkpoint.vocabulary, lowercase)
    if tokenizer.vocabulary_size > checkpoint.config.vocabulary_size:
        raise InputError(
            f"{checkpoint.vocabulary} must not have more pieces than there are word "
            f"embeddings, {checkpoint.config.vocabulary_size}. "
            f"Received: {tokenizer.vocabulary_size}"
        )
    return tokenizer
