"""Multiple choice: a question as one pair of texts for each of its options."""

import os
from collections.abc import Sequence

from power_bert_tf.data.tfds_reader import open_builder

# What RACE leaves open in a question for the option to fill.
_BLANK = "_"


def option_pairs(article: str, question: str, options: Sequence[str]) -> list[tuple[str, str]]:
    """A pair for each option: the article, and the question with the option.

    An option fills the blank of a question that has one ("Bees like _ ."), and follows the
    question otherwise.

    Reference:
        [RACE, Lai et al., 2017](https://arxiv.org/abs/1704.04683), whose questions are of both
        kinds
    """
    if _BLANK in question:
        return [(article, question.replace(_BLANK, option)) for option in options]
    return [(article, f"{question} {option}") for option in options]


def read_race(
    name: str, split: str, labels: Sequence[str], data_dir: str | os.PathLike | None
) -> tuple[list[str], list[str], list[int]]:
    """RACE from tensorflow-datasets, question by question.

    Args:
        name: str. "race/middle", "race/high", or "race" for both.
        split: str. "train", "dev" or "test".
        labels: sequence of str. The names of the options, which `answers` holds.
        data_dir: path, see `open_builder`.

    Returns:
        The first and the second texts of the pairs, (questions * options,), a question's options
        side by side, and the index of the right option, (questions,).
    """
    import tensorflow_datasets as tfds

    names = ("race/middle", "race/high") if name == "race" else (name,)
    articles, questions, answers = [], [], []
    for each in names:
        dataset = open_builder(each, data_dir).as_dataset(split=split)
        for passage in tfds.as_numpy(dataset):
            article = passage["article"].decode()
            asked = (passage["questions"], passage["options"].to_list(), passage["answers"])
            for question, options, answer in zip(*asked, strict=True):
                options = [option.decode() for option in options]
                pairs = option_pairs(article, question.decode(), options)
                articles += [first for first, _ in pairs]
                questions += [second for _, second in pairs]
                answers.append(labels.index(answer.decode()))
    return articles, questions, answers
