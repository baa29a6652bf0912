"""What a run trains on and measures by: from options, or from examples in memory."""

import dataclasses

import numpy as np

from power_bert_tf.data import Examples
from power_bert_tf.data import Task
from power_bert_tf.data import get_task
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import load_from_tsv
from power_bert_tf.data import load_published
from power_bert_tf.data import propose_sequence_length
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data import user_task
from power_bert_tf.data.classes import count_notes
from power_bert_tf.data.classes import counted
from power_bert_tf.data.examples import random_order
from power_bert_tf.data.held_out import held_out_rows
from power_bert_tf.data.held_out import without
from power_bert_tf.data.proposed_length import word_piece_lengths
from power_bert_tf.errors import InputError

_DEV_SHARE = 10
# One of fewer is a point or more.
_FEW_DEV = 100
# Enough for a standard error of about a third of a point.
_TEST_EXAMPLES = 8000
# Fewer say no more than the dev set does.
_LEAST_HELD_OUT = 1000


@dataclasses.dataclass(frozen=True)
class Data:
    """What a run is about.

    Args:
        task: `Task`, with the values that hold for the run.
        train, dev: `Examples`; choices are made by `dev`.
        further: dict of name and `Examples`, dev sets that a report measures too.
        source: dict, JSON-ready, where it all comes from; None for examples in memory.
        test: `Examples` that choose nothing and give the figures of the report, or None.
        held_out: bool. Whether `test` is a part of the training set that is not trained on.
        notes: tuple of str, what is to be said of it before anything is trained.
    """

    task: Task
    train: Examples
    dev: Examples
    further: dict = dataclasses.field(default_factory=dict)
    source: dict | None = None
    test: Examples | None = None
    held_out: bool = False
    notes: tuple = ()


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
        columns, labels = options.columns, options.labels or None
        train = load_from_file(options.train, labels, options.regression, columns)
        dev, test = (
            None
            if path is None
            else load_from_file(path, train.label_names, options.regression, columns)
            for path in (options.dev, options.test)
        )
        data = own_data(train, dev, options.train.stem, training, checkpoint, test)
        return dataclasses.replace(data, source=source)
    if options.test is not None:
        raise InputError(f"`test` goes with `train`. Received: task={options.task!r}")
    task = get_task(options.task)
    train, dev = (_load(options, task, part) for part in ("train", "dev"))
    further = {}
    if task.further_dev:
        other = get_task(task.further_dev)
        further[other.name] = _load(options, other, "dev")
    test = None
    has_test = task.has_test and (options.data_dir is None or task.files)
    if has_test and training.held_out is None:
        test = _public_test(options, task, training)
    return _subsets(Data(task, train, dev, further, source, test), training, by_default=True)


def own_data(train, dev, name, training, checkpoint, test=None):
    """Data of one's own.

    Args:
        train: `Examples`.
        dev: `Examples`; a tenth of `train` is held out where None.
        name: str, the task's.
        training: `TrainingOptions`.
        checkpoint: `Checkpoint`.
        test: `Examples`, or None.
    """
    length = training.sequence_length
    if length is None:
        length = _proposed_length(name, train, training, checkpoint)
    task, notes = user_task(name, train, length), []
    if dev is None:
        if len(train) < 2:
            raise InputError(f"`train` must have at least 2 rows. Received: {len(train)}")
        rows = _tenth(train, training.seed)
        dev, train = train.select(rows), train.select(np.setdiff1d(np.arange(len(train)), rows))
        how = " of each class" if train.label_names else ""
        notes.append(
            f"No dev examples are given: a tenth{how} is held out, {len(dev):,} of "
            f"{len(dev) + len(train):,}."
        )
    notes += _on_classes(train, dev)
    for other_name, other in (("dev", dev), ("test", test)):
        if other is not None:
            _check_alike(train, other, other_name)
    return _subsets(Data(task, train, dev, test=test, notes=tuple(notes)), training)


def _tenth(train, seed):
    """A random tenth of each class, and of numbers a random tenth: rows, at least one."""
    order = random_order(len(train), seed)
    if not train.label_names:
        return order[: max(1, len(train) // _DEV_SHARE)]
    rows = []
    for index in range(len(train.label_names)):
        of_class = order[train.labels[order] == index]
        # A single example is for learning.
        least = min(1, len(of_class) // 2)
        rows.append(of_class[: max(least, round(len(of_class) / _DEV_SHARE))])
    rows = np.concatenate(rows)
    return rows if len(rows) else order[:1]


def _on_classes(train, dev):
    """How many examples each class has, and where they are too few, a list of str."""
    names = train.label_names
    # Of other classes they are refused, which says more.
    alike = names and dev.label_names == names
    sets = {"train": train, "dev": dev} if alike else {}
    counts = [
        f"Classes of the {len(examples):,} {name} examples: {counted(names, examples.labels)}"
        for name, examples in sets.items()
    ]
    notes = [
        note
        for name, examples in sets.items()
        for note in count_notes(names, examples.labels, name)
    ]
    if len(dev) < _FEW_DEV:
        notes.append(
            f"{len(dev)} dev examples say little: one of them is {100 / len(dev):.1f} points"
        )
    return [*counts, *(f"Note: {note}" for note in notes)]


def _check_alike(train, other, name):
    if (train.text_pairs is None) != (other.text_pairs is None):
        raise InputError(f"`train` and `{name}` must both have `text_pair`, or neither")
    if train.label_names != other.label_names:
        raise InputError(
            f"`{name}` must have the classes of `train`, {list(train.label_names)}. "
            f"Received: {list(other.label_names)}"
        )


def given_data(task, train, dev, training, test=None):
    """Data of a given task, all sets in memory."""
    return _subsets(Data(task, train, dev, test=test), training)


def _subsets(data, training, by_default=False):
    """The data with as many examples as are wanted, and the task with the values given.

    Args:
        data: `Data`, whole.
        training: `TrainingOptions`.
        by_default: bool. Hold out a test set where there is none and enough is left over.
    """

    def subset(examples, count):
        return examples if count is None else examples.take(count, training.seed)

    if training.held_out and data.test is not None:
        raise InputError(
            f"give `test` or `held_out`, not both. Received: held_out={training.held_out}"
        )
    test = data.test
    if test is None:
        train, test = _held_out(data, training, by_default)
    else:
        train = subset(data.train, training.train_examples)
    return dataclasses.replace(
        data,
        task=training.applied_to(data.task),
        train=train,
        dev=subset(data.dev, training.dev_examples),
        further={
            name: subset(examples, training.dev_examples) for name, examples in data.further.items()
        },
        test=None if test is None else subset(test, training.test_examples),
        held_out=data.test is None and test is not None,
    )


def _held_out(data, training, by_default):
    """The training examples, and those that are held out of them or None."""
    train, wanted = data.train, training.held_out
    order, count = random_order(len(train), training.seed), training.train_examples
    chosen = np.sort(order[:count])
    if wanted is None and not (by_default and count) or wanted == 0:
        return train.select(chosen), None
    # Training comes first: where it takes all, the held-out ones are taken from it.
    pool = np.arange(len(train)) if count is None else np.sort(order[count:])
    rows = pool[:0]
    if len(pool):
        rows = pool[held_out_rows(train.select(pool), data.dev, wanted or _TEST_EXAMPLES)]
    if wanted is None and len(rows) < _LEAST_HELD_OUT:
        return train.select(chosen), None
    if wanted is not None and len(rows) < wanted:
        raise InputError(
            f"`held_out` must be at most {len(rows)}: so many of the {len(pool)} training examples "
            f"that are left over have the lengths of the dev examples. Received: held_out={wanted}"
        )
    # A text that stands in the training set twice is either trained on or measured by.
    held_out = train.select(rows)
    left = without(train.select(np.setdiff1d(chosen, rows)), held_out)
    if not len(left):
        raise InputError(
            f"`held_out` must leave training examples over. Received: held_out={wanted} of "
            f"{len(train)}"
        )
    return left, held_out


def _public_test(options, task, training):
    """A task's own test examples; None, which is said, where they are not there."""
    try:
        test = _load(options, task, "test")
    except InputError as error:
        print(f"Note: no test set, so the report is of the dev examples: {error}")
        return None
    return test if training.test_examples else test.take(_TEST_EXAMPLES, 0)


def _load(options, task, part):
    if options.data_dir is None:
        return load_from_tfds(task, part, options.tfds_dir)
    if options.tfds_dir is not None:
        raise InputError("give `tfds_dir` or `data_dir`, not both")
    load = load_published if task.files else load_from_tsv
    return load(task, part, options.data_dir)


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
