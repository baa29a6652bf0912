"""Tasks in the files that their authors published: topics as CSV, HateXplain, ERASER."""

import collections
import os
import pathlib

import numpy as np

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.examples import random_order
from power_bert_tf.data.rows import csv_rows
from power_bert_tf.data.rows import json_rows
from power_bert_tf.data.rows import parse_class
from power_bert_tf.data.rows import row_error
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import check_split
from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object

# Which fifth of a training set tunes: fixed, so that every run holds out the same texts.
_HELD_OUT_SEED = 512
_HELD_OUT_SHARE = 5
_SPLITS = ("train", "dev", "test")


def load_published(task: Task, split: str, data_dir: str | os.PathLike) -> Examples:
    """Reads a task from the files that its authors published.

    - "topics" (AG News, DBpedia; Zhang et al., 2015): train.csv and test.csv without a header, of
      class (from 1), title and text, which are joined. Dev is a fifth of the training set, held
      out by a fixed seed.
    - "hatexplain" (Mathew et al., 2021): dataset.json and post_id_divisions.json. A post has the
      label that two annotators or three agree on, and is left out where all differ.
    - "eraser" (DeYoung et al., 2020): train.jsonl, val.jsonl and test.jsonl, and the documents in
      docs.jsonl or a folder docs. Where a task is of pairs, the query follows the document.

    Args:
        task: Task.
        split: str. "train", "dev" or "test".
        data_dir: path. The folder that holds the files.

    Raises:
        InputError: a file is not there, or is malformed (the message says where).
    """
    if not task.files:
        raise InputError(f"`task` must be published in such files. Received: {task.name!r}")
    check_split(split, _SPLITS)
    return _READERS[task.files](task, split, pathlib.Path(data_dir))


def fixed_part(examples: Examples, split: str) -> Examples:
    """The part of a training set that is held out for "dev", or that is left for "train"."""
    order = random_order(len(examples), _HELD_OUT_SEED)
    count = len(examples) // _HELD_OUT_SHARE
    return examples.select(np.sort(order[:count] if split == "dev" else order[count:]))


def join(titles, texts):
    """Titles and what follows them, as one text each."""
    return [f"{title} {text}".strip() for title, text in zip(titles, texts, strict=True)]


def _file(data_dir, name):
    path = data_dir / name
    if not path.exists():
        raise InputError(f"--data-dir (`data_dir`) must hold {name}. Received: {data_dir}")
    return path


def _topics(task, split, data_dir):
    path = _file(data_dir, "test.csv" if split == "test" else "train.csv")
    ids = {str(index + 1): index for index in range(len(task.labels))}
    titles, texts, labels = [], [], []
    for line, row in csv_rows(path):
        if len(row) != 3:
            raise row_error(path, line, "class, title and text", f"{len(row)} columns")
        labels.append(parse_class(path, line, row[0], ids, tuple(ids)))
        titles.append(row[1])
        texts.append(row[2])
    examples = Examples(join(titles, texts), None, labels, task.labels)
    return examples if split == "test" else fixed_part(examples, split)


def _hatexplain(task, split, data_dir):
    posts = read_json_object(_file(data_dir, "dataset.json"))
    divisions = read_json_object(_file(data_dir, "post_id_divisions.json"))
    texts, labels = [], []
    if _their_name(split) not in divisions:
        raise InputError(
            f"{data_dir / 'post_id_divisions.json'} must have the posts of train, val and test. "
            f"Received: {', '.join(divisions)}"
        )
    for post_id in divisions[_their_name(split)]:
        try:
            post = posts[post_id]
            given = [annotator["label"] for annotator in post["annotators"]]
            text = " ".join(post["post_tokens"])
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{data_dir / 'dataset.json'} must hold each post with `annotators` and "
                f"`post_tokens`. Received: {post_id}, without {error}"
            ) from None
        (label, votes), *_ = collections.Counter(given).most_common(1)
        if votes > 1:
            texts.append(text)
            labels.append(parse_class(data_dir / "dataset.json", 1, label, _ids(task), task.labels))
    return Examples(texts, None, labels, task.labels)


def _eraser(task, split, data_dir):
    texts, queries, labels = [], [], []
    for path, line, row, document in read_eraser(data_dir, split):
        texts.append(document)
        queries.append(row.get("query", ""))
        labels.append(parse_class(path, line, row["classification"], _ids(task), task.labels))
    return Examples(texts, queries if task.is_pair else None, labels, task.labels)


def read_eraser(data_dir, split):
    """The annotations of a split of a task of ERASER, with their documents.

    Args:
        data_dir: path. The folder that holds the files, see `load_published`.
        split: str. "train", "dev" or "test".

    Yields:
        path, line, annotation (dict) and document (str: tokens apart by spaces).

    Raises:
        InputError: a file or a document is not there, or an annotation lacks a key.
    """
    check_split(split, _SPLITS)
    data_dir = pathlib.Path(data_dir)
    path = _file(data_dir, f"{_their_name(split)}.jsonl")
    documents = _documents(data_dir)
    for line, row in json_rows(path, ("annotation_id", "classification", "evidences")):
        name = _document_of(row)
        if name not in documents:
            raise row_error(path, line, "a document that is there", repr(name))
        yield path, line, row, documents[name]


def _ids(task):
    return {label: index for index, label in enumerate(task.labels)}


def _their_name(split):
    """What HateXplain and ERASER call a split."""
    return "val" if split == "dev" else split


def _document_of(annotation):
    """The name of the document that an annotation of ERASER is about."""
    for group in annotation["evidences"]:
        for evidence in group:
            return evidence["docid"]
    return annotation["annotation_id"].split(":")[0]


def _documents(data_dir):
    """ERASER's documents by name."""
    if (data_dir / "docs").is_dir():
        return {
            path.name: path.read_text(encoding="utf-8") for path in (data_dir / "docs").iterdir()
        }
    rows = json_rows(_file(data_dir, "docs.jsonl"), ("docid", "text"))
    return {row["docid"]: row["text"] for _, row in rows}


_READERS = {"topics": _topics, "hatexplain": _hatexplain, "eraser": _eraser}
