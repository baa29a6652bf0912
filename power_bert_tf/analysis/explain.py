"""What each word contributes to the answer, encoder by encoder, as AdapLeR's predictors see it."""

import dataclasses

import numpy as np
from tabulate import tabulate

from power_bert_tf.analysis.trace import follow
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file


@dataclasses.dataclass(frozen=True)
class Explanation:
    """The contributions of one text's words.

    Args:
        words: list of str, the text's words with [CLS] and [SEP]; word-pieces are put together.
        contributions: float32 array (encoders, words). What each word contributes where it enters
            an encoder, before those leave that contribute too little; 1 in all. NaN for a word
            that is gone by then.
        stays: bool array (encoders, words). Whether the encoder works on the word.
        outputs: float32 array, the model's answer.
    """

    words: list
    contributions: np.ndarray
    stays: np.ndarray
    outputs: np.ndarray

    def table(self):
        """The contributions in percent as text: a row for each word, a column for each encoder.

        A word that leaves before the encoder is in brackets.
        """
        rows = [
            [word, *map(_cell, column, stays)]
            for word, column, stays in zip(
                self.words, self.contributions.T, self.stays.T, strict=True
            )
        ]
        encoders = map(str, range(1, len(self.contributions) + 1))
        header = ["contribution, %, at encoder", *encoders]
        return tabulate(rows, header, disable_numparse=True)


def _cell(contribution, stays):
    if np.isnan(contribution):
        return ""
    return f"{100 * contribution:.0f}" if stays else f"({100 * contribution:.0f})"


def explain(model, preprocessor, texts, text_pairs=None):
    """Says what each word of some texts contributes.

    Args:
        model: `BertClassifier` with predictors, such as the last of a run of AdapLeR.
        preprocessor: `Preprocessor` of the model's sequence length.
        texts: sequence of str.
        text_pairs: sequence of str or None.

    Returns:
        list of `Explanation`.

    Raises:
        InputError: where the model has no predictors.

    Reference: AdapLeR (Modarressi et al., 2022), section 5.3 (sums over word-pieces; figure 4).
    """
    if "encoder_0_contributions" not in model.remembered:
        raise InputError(
            "`model` must have predictors of contributions, as AdapLeR's have. "
            f"Received: reduction={type(model.reduction).__name__}"
        )
    seen, texts_pieces = follow(model, preprocessor, texts, text_pairs)
    # N is known, so that every row stands where it stood, hidden or not.
    by_encoder = [
        (seen[f"encoder_{index}_contributions"], seen[f"encoder_{index}_positions"] > 0)
        for index in range(model.config.num_layers)
    ]
    found = []
    for row, pieces in enumerate(texts_pieces):
        count = len(pieces)
        words, owners = _words(pieces, preprocessor.tokenizer)
        contributions = np.full((len(by_encoder), len(words)), np.nan, "float32")
        stays = np.zeros(contributions.shape, bool)
        for encoder, (contributed, left) in enumerate(by_encoder):
            there = contributed[row, :count] > 0
            contributions[encoder, owners[there]] = 0
            np.add.at(contributions[encoder], owners[there], contributed[row, :count][there])
            stays[encoder, owners[left[row, :count]]] = True
        found.append(Explanation(words, contributions, stays, seen["outputs"][row]))
    return found


def _words(pieces, tokenizer):
    """Word-pieces put together: the words, and the word of each piece."""
    words, owners = [], []
    for piece in pieces:
        text, continues = tokenizer.part_of_word(piece)
        if continues and words:
            words[-1] += text
        else:
            words.append(text)
        owners.append(len(words) - 1)
    return words, np.array(owners)


def draw_explanation(explanation, path):
    """Draws the words that each encoder works on: the more one contributes, the darker.

    As figures 4 and 6 of the paper.

    Args:
        explanation: `Explanation`.
        path: PNG file.
    """
    from matplotlib import figure

    encoders, words = explanation.contributions.shape
    size = (1.8 + 0.5 * words, 1.4 + 0.32 * encoders)
    picture = figure.Figure(figsize=size, layout="constrained")
    axes = picture.subplots()
    masked = np.ma.masked_where(~explanation.stays, 100 * explanation.contributions)
    image = axes.imshow(masked, cmap="Oranges", aspect="auto", vmin=0)
    axes.set_xticks(range(words), explanation.words, rotation=60, ha="right")
    axes.set_yticks(range(encoders), [f"encoder {index + 1}" for index in range(encoders)])
    picture.colorbar(image, label="contribution, %")
    write_file(path, lambda aside: picture.savefig(aside, dpi=120))
