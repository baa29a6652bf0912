"""Tasks from tensorflow-datasets."""

import os

import numpy as np

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.examples import random_order
from power_bert_tf.data.race import read_race
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import check_split
from power_bert_tf.data.tfds_reader import read_columns
from power_bert_tf.data.tfds_reader import reading
from power_bert_tf.errors import InputError

# Which fifth of IMDB's training set tunes: fixed, so that every run holds out the same texts.
_HELD_OUT_SEED = 512
_HELD_OUT_SHARE = 5


def load_from_tfds(task: Task, split: str, data_dir: str | os.PathLike | None = None) -> Examples:
    """Reads a task from tensorflow-datasets.

    Args:
        task: Task.
        split: str. "train" or "dev", and "test" for a task whose test labels are public (IMDB,
            RACE). IMDB has no development split: its dev is a fifth of the training set, held out
            by a fixed seed, its train the rest.
        data_dir: path. A folder of prepared datasets; nothing is downloaded then. Without it,
            tensorflow-datasets looks in its own folder and may download.

    Raises:
        InputError: the dataset is not there or cannot be read.
    """
    if not task.tfds_name:
        raise InputError(f"`task` must be in tensorflow-datasets. Received: {task.name!r}")
    held_out = not task.tfds_dev
    check_split(split, ("train", "dev", "test") if task.has_test else ("train", "dev"))
    name = {"train": "train", "dev": task.tfds_dev or "train", "test": "test"}[split]
    with reading(task.tfds_name, data_dir):
        if task.choices > 1:
            columns = read_race(task.tfds_name, name, task.labels, data_dir)
        else:
            columns = _read_tfds(task, name, data_dir)
    examples = Examples(*columns, task.labels, task.choices)
    if held_out and split != "test":
        order = random_order(len(examples), _HELD_OUT_SEED)
        count = len(examples) // _HELD_OUT_SHARE
        examples = examples.select(np.sort(order[:count] if split == "dev" else order[count:]))
    return examples


def _read_tfds(task, split, data_dir):
    columns = read_columns(task.tfds_name, split, data_dir)
    texts, *pairs = ([text.decode() for text in columns[name]] for name in task.features)
    return texts, pairs[0] if pairs else None, columns["label"]
