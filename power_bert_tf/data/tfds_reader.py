"""tensorflow-datasets, from its own folder or one of prepared datasets."""

import contextlib
import os
import pathlib

import numpy as np

from power_bert_tf.errors import InputError


def open_builder(name: str, data_dir: str | os.PathLike | None):
    """The builder of a prepared dataset.

    Args:
        name: str. Dataset and configuration, such as "glue/sst2".
        data_dir: path. A folder of prepared datasets; nothing is downloaded then. Without it,
            tensorflow-datasets looks in its own folder and may download.
    """
    import tensorflow_datasets as tfds

    if data_dir is None:
        builder = tfds.builder(name)
        builder.download_and_prepare()
        return builder
    # Straight from the folder: tfds.builder would turn to the network for what is not there.
    root = pathlib.Path(data_dir, name)
    versions = [info.parent for info in root.glob("*/dataset_info.json")]
    if not versions:
        raise FileNotFoundError(f"no {name}/VERSION/dataset_info.json")
    newest = max(versions, key=lambda folder: [int(part) for part in folder.name.split(".")])
    return tfds.builder_from_directory(newest)


def read_columns(name: str, split: str, data_dir: str | os.PathLike | None) -> dict:
    """A split as arrays by feature, in the order of GLUE's own files where it has an "idx".

    tensorflow-datasets shuffles what it writes; so a seed means the same batches whatever the
    source.
    """
    import tensorflow_datasets as tfds

    dataset = open_builder(name, data_dir).as_dataset(split=split).batch(1024)
    batches = list(tfds.as_numpy(dataset))
    columns = {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}
    if "idx" not in columns:
        return columns
    order = np.argsort(columns["idx"], kind="stable")
    return {key: column[order] for key, column in columns.items()}


@contextlib.contextmanager
def reading(name: str, data_dir: str | os.PathLike | None):
    """Turns whatever goes wrong with a dataset into an `InputError` of one line."""
    try:
        yield
    except Exception as error:
        # Downloading and reading fail in too many ways to list: no network, no space, no package.
        place = "the default folder" if data_dir is None else os.fspath(data_dir)
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(
            f"--tfds-dir (`data_dir`) must be a folder in which tensorflow-datasets has prepared "
            f"{name}. Received: {place} ({reason})"
        ) from error
