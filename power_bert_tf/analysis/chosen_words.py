"""Documents cut to the words that matter most, by people's judgement and by three measures."""

import numpy as np

from power_bert_tf.analysis.rationales import inputs_and_words
from power_bert_tf.analysis.rationales import summed_by_word
from power_bert_tf.analysis.word_scores import WordScores
from power_bert_tf.analysis.word_scores import rollout
from power_bert_tf.data import Examples
from power_bert_tf.errors import InputError

WHOLE, HUMAN, SALIENCY = "whole text", "human rationale", "saliency"
ATTENTION, CLS_ATTENTION = "attention of all", "attention of [CLS]"


def chosen_words(bert, preprocessor, rationales):
    """Documents of nothing but their k most important words, k as many as people marked.

    Only words within N count. Saliency is that of the embeddings and of the model's own answer,
    so that no label is looked at; attention is rolled out through all encoders, and taken from
    all other words or from [CLS]. A document without a marked word within N is left out.

    Args:
        bert: `BertClassifier`, fine-tuned on whole documents.
        preprocessor: `Preprocessor` of its sequence length.
        rationales: list of `Rationale`, see `read_rationales`.

    Returns:
        dict of "human rationale", "saliency", "attention of all" and "attention of [CLS]", and of
        "whole text", to `Examples`: the same documents in each.

    Raises:
        InputError: where no document has a marked word.

    Reference: AdapLeR (Modarressi et al., 2022), sections 5.1 and 5.2, table 2.
    """
    scores = WordScores(bert)
    texts, labels = {}, []
    for rationale in rationales:
        inputs, owners = inputs_and_words(rationale.words, preprocessor)
        count = owners.max(initial=-1) + 1
        words, marked = np.array(rationale.words[:count]), rationale.marked[:count]
        if not marked.any():
            continue
        labels.append(bert.label_names.index(rationale.label))
        chosen = {WHOLE: np.arange(count), HUMAN: np.flatnonzero(marked)}
        for name, by_piece in _measures(*scores.attention_and_saliency(inputs)).items():
            by_word = summed_by_word(by_piece, owners, count)
            best = np.argsort(-by_word, kind="stable")[: marked.sum()]
            chosen[name] = np.sort(best)
        for name, indices in chosen.items():
            texts.setdefault(name, []).append(" ".join(words[indices]))
    if not labels:
        raise InputError("`rationales` must have a document with marked words within N")
    return {name: Examples(each, None, labels, bert.label_names) for name, each in texts.items()}


def _measures(attention, saliency):
    """Scores of word-pieces by name, arrays (rows,)."""
    through = rollout(attention)[-1]
    return {
        SALIENCY: saliency[0],
        ATTENTION: through.sum(axis=0) - np.diag(through),
        CLS_ATTENTION: through[0],
    }
