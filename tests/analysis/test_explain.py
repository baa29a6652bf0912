"""Contributions of words, from the predictors that the model drops words by."""

import functools

import numpy as np
import pytest
from training import toy

from power_bert_tf.analysis.explain import draw_explanation
from power_bert_tf.analysis.explain import explain
from power_bert_tf.analysis.trace import trace
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal

TEXTS = ["good", "the films was so good", "bad plot"]


@functools.cache
def model():
    made = toy.classifier(seed=7, config=toy.config(num_layers=3), reduction=Removal())
    for index in range(3):
        made.get_layer(Removal.threshold_name(index)).eta.assign(0.9)
    return made


def test_words_that_are_there_contribute_all():
    explanations = explain(model(), toy.preprocessor(), TEXTS)
    traces = trace(model(), toy.preprocessor(), TEXTS)
    dropped = 0
    for explanation, traced in zip(explanations, traces, strict=True):
        np.testing.assert_allclose(np.nansum(explanation.contributions, axis=1), 1, atol=1e-5)
        assert not np.isnan(explanation.contributions[0]).any()
        there = [set(range(len(traced.pieces))), *traced.kept[:-1]]
        for contributions, kept in zip(explanation.contributions, there, strict=True):
            words = {_word(traced.pieces, place) for place in kept}
            assert set(np.flatnonzero(~np.isnan(contributions))) == words
            dropped += np.isnan(contributions).sum()
        for stays, kept in zip(explanation.stays, traced.kept, strict=True):
            assert set(np.flatnonzero(stays)) == {_word(traced.pieces, place) for place in kept}
        np.testing.assert_allclose(explanation.outputs, traced.outputs, atol=1e-6)
    assert dropped


def _word(pieces, place):
    return sum(not piece.startswith("##") for piece in pieces[: place + 1]) - 1


def test_word_pieces_are_put_together():
    _, explanation, _ = explain(model(), toy.preprocessor(), TEXTS)
    assert explanation.words == ["[CLS]", "the", "films", "was", "so", "good", "[SEP]"]
    header, _, *rows = explanation.table().splitlines()
    assert header.split()[-3:] == ["1", "2", "3"]
    assert [row.split()[0] for row in rows] == explanation.words
    assert rows[0].split()[1] == f"{100 * explanation.contributions[0, 0]:.0f}"
    leaves = np.argwhere(~explanation.stays & ~np.isnan(explanation.contributions))
    assert len(leaves) == sum(row.count("(") for row in rows) > 0


def test_it_is_drawn(tmp_path):
    draw_explanation(explain(model(), toy.preprocessor(), TEXTS)[1], tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_a_model_without_predictors():
    with pytest.raises(InputError, match="must have predictors.*reduction=NoReduction"):
        explain(toy.classifier(seed=1), toy.preprocessor(), ["good"])
