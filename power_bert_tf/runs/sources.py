"""What `power-bert fit` trains on and measures by."""

import numpy as np

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
from power_bert_tf.modeling import open_checkpoint

_HELD_OUT_SHARE = 10


def load_data(options):
    """The task that the options name, its training and its dev examples."""
    if (options.task is None) == (options.train is None):
        raise InputError(
            "give either `task` or `train`. "
            f"Received: task={options.task!r}, train={options.train and str(options.train)!r}"
        )
    if options.task is None:
        return _load_own_data(options)
    task = get_task(options.task)
    return task, _load(options, task, "train"), _load(options, task, "dev")


def load_beside(options):
    """The dev examples that a report measures beside the task's own.

    Returns:
        dict of a task's name and its `Examples`: the other half's for MNLI, empty otherwise.
    """
    if options.task is None or not get_task(options.task).beside:
        return {}
    other = get_task(get_task(options.task).beside)
    return {other.name: dev_subset(options, _load(options, other, "dev"))}


def _load(options, task, part):
    if options.data_dir is None:
        return load_from_tfds(task, part, options.tfds_dir)
    if options.tfds_dir is not None:
        raise InputError("give `tfds_dir` or `data_dir`, not both")
    return load_from_tsv(task, part, options.data_dir)


def dev_subset(options, dev):
    """The dev examples that the options want of those that there are."""
    return dev if options.dev_examples is None else dev.take(options.dev_examples, options.seed)


def _load_own_data(options):
    labels = options.labels or None
    train = load_from_file(options.train, labels, options.regression)
    length = options.sequence_length
    task = user_task(options.train.stem, train, length or _proposed_length(options, train))
    if options.dev is None:
        order = random_order(len(train), options.seed)
        held_out = max(1, len(train) // _HELD_OUT_SHARE)
        if len(train) < 2:
            raise InputError(f"`train` must have at least 2 rows. Received: {len(train)}")
        dev, train = train.select(order[:held_out]), train.select(np.sort(order[held_out:]))
    else:
        dev = load_from_file(options.dev, train.label_names, options.regression)
    if (train.text_pairs is None) != (dev.text_pairs is None):
        raise InputError("`train` and `dev` must both have `text_pair`, or neither")
    return task, train, dev


def _proposed_length(options, train):
    checkpoint = open_checkpoint(options.checkpoint)
    lengths = word_piece_lengths(tokenizer_for(options, checkpoint), train)
    proposed, nearly_all = propose_sequence_length(lengths)
    most = checkpoint.config.max_sequence_length
    length = min(proposed, most)
    reason = (
        "the nearest of 64, 128, 256 and 512"
        if length == proposed
        else f"the checkpoint has no more positions; {proposed} would be the nearest"
    )
    print(
        f"N = {length}: at most 1 % of the texts of {options.train.name} have more than "
        f"{nearly_all} word-pieces ({reason}). --sequence-length sets another."
    )
    return length


def tokenizer_for(options, checkpoint):
    """The tokenizer of a `Checkpoint`.

    Raises:
        InputError: where its vocabulary is missing or does not fit.
    """
    lowercase = not options.cased and checkpoint.lowercase is not False
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
