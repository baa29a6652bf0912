"""Tasks from tensorflow-datasets."""

import os

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.published_files import fixed_part
from power_bert_tf.data.published_files import join
from power_bert_tf.data.race import read_race
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import check_split
from power_bert_tf.data.tfds_reader import read_columns
from power_bert_tf.data.tfds_reader import reading
from power_bert_tf.errors import InputError


def load_from_tfds(task: Task, split: str, data_dir: str | os.PathLike | None = None) -> Examples:
    """Reads a task from tensorflow-datasets.

    Args:
        task: Task.
        split: str. "train" or "dev", and "test" for a task whose test labels are public (IMDB,
            RACE, AG News). IMDB and AG News have no development split: their dev is a fifth of the
            training set, held out by a fixed seed, their train the rest.
        data_dir: path. A folder of prepared datasets; nothing is downloaded then. Without it,
            tensorflow-datasets looks in its own folder and may download.

    Raises:
        InputError: the dataset is not there or cannot be read.
    """
    if not task.tfds_name:
        raise InputError(f"`task` must be in tensorflow-datasets. Received: {task.name!r}")
    check_split(split, ("train", "dev", "test") if task.has_test else ("train", "dev"))
    name = {"train": "train", "dev": task.tfds_dev or "train", "test": "test"}[split]
    with reading(task.tfds_name, data_dir):
        if task.choices > 1:
            columns = read_race(task.tfds_name, name, task.labels, data_dir)
        else:
            columns = _read_tfds(task, name, data_dir)
    examples = Examples(*columns, task.labels, task.choices)
    if not task.tfds_dev and split != "test":
        return fixed_part(examples, split)
    return examples


def _read_tfds(task, split, data_dir):
    columns = read_columns(task.tfds_name, split, data_dir)
    texts, *pairs = ([text.decode() for text in columns[name]] for name in task.features)
    if task.joined:
        return join(texts, pairs[0]), None, columns["label"]
    return texts, pairs[0] if pairs else None, columns["label"]
