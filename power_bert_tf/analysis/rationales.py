"""Agreement of what a model looks at with what people marked as the reasons of an answer."""

import dataclasses

import numpy as np
import tensorflow as tf
from sklearn.metrics import average_precision_score

from power_bert_tf.analysis.word_scores import WordScores
from power_bert_tf.data.published_files import read_eraser
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file

PREDICTORS = "predictors"


@dataclasses.dataclass(frozen=True)
class Rationale:
    """A document of ERASER, and the words that people marked as evidence.

    Args:
        words: list of str, apart by spaces in the document.
        marked: bool array (words,).
        label: str, its class.
    """

    words: list
    marked: np.ndarray
    label: str


def read_rationales(data_dir, split="test"):
    """ERASER's documents of a split with their rationales, a list of `Rationale`.

    Args:
        data_dir: path. The folder of a task of ERASER, see `load_published`.
        split: str. "train", "dev" or "test".

    Raises:
        InputError: where a file is missing or malformed.
    """
    found = []
    for _, _, annotation, document in read_eraser(data_dir, split):
        if "||" in annotation.get("query", ""):
            raise InputError(
                "`data_dir` must hold documents that are classified by themselves, such as Movie "
                f"Reviews. Received: {data_dir}, with questions about them"
            )
        words = document.split()
        marked = np.zeros(len(words), bool)
        for group in annotation["evidences"]:
            for evidence in group:
                marked[evidence["start_token"] : evidence["end_token"]] = True
        found.append(Rationale(words, marked, annotation["classification"]))
    return found


def agreement(bert, adapler, preprocessor, rationales):
    """How well scores of words agree with rationales, encoder by encoder.

    A word's score is the sum over its word-pieces; special tokens are left out. A document without
    a marked word within N, or with nothing but marked words, is left out.

    Args:
        bert: `BertClassifier`, fine-tuned, for attention, attention rollout and saliency.
        adapler: `BertClassifier` with predictors.
        preprocessor: `Preprocessor` of their sequence length.
        rationales: list of `Rationale`.

    Returns:
        dict, JSON-ready: for each measure `average_precision` and `false_positive_rate`, lists by
        encoder, means over the documents. The rate is of the words that are selected and not
        marked: those whose score is at least 1 / n, n the word-pieces that are there.

    Reference: AdapLeR (Modarressi et al., 2022), section 5.3, figure 5.
    """
    scores_of, traced = WordScores(bert), adapler.traced()
    found = {}
    for rationale in rationales:
        inputs, owners = inputs_and_words(rationale.words, preprocessor)
        words = owners.max(initial=-1) + 1
        marked = rationale.marked[:words]
        if not 0 < marked.sum() < words:
            continue
        label = bert.label_names.index(rationale.label)
        each = {**scores_of(inputs, label), PREDICTORS: _predicted(traced, adapler, inputs)}
        for name, by_encoder in each.items():
            measured = [_measure(scores, owners, marked) for scores in by_encoder]
            found.setdefault(name, []).append(measured)
    if not found:
        raise InputError("`rationales` must have a document with marked words within N")
    means = {name: np.mean(values, axis=0) for name, values in found.items()}
    return {
        name: {
            "average_precision": values[:, 0].tolist(),
            "false_positive_rate": values[:, 1].tolist(),
        }
        for name, values in means.items()
    }


def inputs_and_words(words, preprocessor):
    """A document as a batch of one without padding, cut to N, and the word of each piece.

    Args:
        words: list of str.
        preprocessor: `Preprocessor`.

    Returns:
        dict of int tensors (1, rows), and an int array (rows,) of indices of `words`, -1 for
        special tokens.
    """
    pieces = preprocessor.tokenizer.tokenize(tf.constant(words))
    owners = np.repeat(np.arange(len(words)), pieces.row_lengths().numpy())
    ids = pieces.flat_values.numpy()[: preprocessor.sequence_length - 2]
    tokenizer = preprocessor.tokenizer
    token_ids = np.array([[tokenizer.cls_id, *ids, tokenizer.sep_id]], "int32")
    inputs = {
        "token_ids": tf.constant(token_ids),
        "segment_ids": tf.zeros_like(token_ids),
        "padding_mask": tf.ones_like(token_ids),
    }
    return inputs, np.array([-1, *owners[: len(ids)], -1])


def _predicted(traced, adapler, inputs):
    """The predictors' contributions, (encoders, rows), 0 where a word is gone."""
    rows = inputs["token_ids"].shape[1]
    # The graph is of N, where every row stands where it stood.
    room = [[0, 0], [0, adapler.sequence_length - rows]]
    seen = traced({name: tf.pad(each, room) for name, each in inputs.items()}, training=False)
    layers = range(adapler.config.num_layers)
    return np.stack([seen[f"encoder_{index}_contributions"].numpy()[0, :rows] for index in layers])


def summed_by_word(scores, owners, words):
    """The scores of words, each the sum over its word-pieces, an array (words,)."""
    is_word = owners >= 0
    return np.bincount(owners[is_word], scores[is_word], minlength=words)


def _measure(scores, owners, marked):
    """Average precision, and the share of the unmarked words that are selected."""
    by_word = summed_by_word(scores, owners, len(marked))
    selected = by_word >= 1 / max(1, np.count_nonzero(scores))
    return average_precision_score(marked, by_word), selected[~marked].mean()


def draw_agreement(found, path):
    """Draws both measures by encoder, a line for each way to score words (figure 5).

    Args:
        found: dict as `agreement` gives it.
        path: PNG file.
    """
    from matplotlib import figure

    picture = figure.Figure(figsize=(9, 3.4), layout="constrained")
    titles = {
        "average_precision": "average precision",
        "false_positive_rate": "false positive rate",
    }
    for axes, (key, title) in zip(picture.subplots(1, 2), titles.items(), strict=True):
        for name, values in found.items():
            encoders = range(1, len(values[key]) + 1)
            axes.plot(encoders, values[key], marker="o", label=name)
        axes.set(xlabel="encoder", title=title, xticks=encoders)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize="small")
    write_file(path, lambda aside: picture.savefig(aside, dpi=130))
