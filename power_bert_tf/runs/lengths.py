"""How long real texts are, in word-pieces."""

import numpy as np

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import get_task
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.runs.folder import RunFolder


def lengths_of_examples(examples, preprocessor):
    """The length of each text of `Examples` as a `Preprocessor` cuts it, an int array."""
    token_ids, _ = preprocessor.encode(examples.texts, examples.text_pairs)
    return np.array([len(ids) for ids in token_ids])


def lengths_of_run(path):
    """The lengths of a run's dev examples, an int array."""
    run = RunFolder.open(path)
    return lengths_of_examples(run.dev(), run.preprocessor())


def lengths_of_task(name, vocabulary, tfds_dir, longest):
    """The lengths of the dev examples of a task of the paper, an int array.

    Args:
        name: str, the task's.
        vocabulary: path of a vocab.txt or spiece.model.
        tfds_dir: where tensorflow-datasets has prepared the task, or None.
        longest: int, what texts are cut to.
    """
    examples = load_from_tfds(get_task(name), "dev", tfds_dir)
    return lengths_of_examples(examples, Preprocessor(tokenizer_from_file(vocabulary), longest))
