"""Scores of words, and how they agree with words that people marked."""

import json

import numpy as np
import pytest
from training import toy

from power_bert_tf.analysis.chosen_words import ATTENTION
from power_bert_tf.analysis.chosen_words import CLS_ATTENTION
from power_bert_tf.analysis.chosen_words import HUMAN
from power_bert_tf.analysis.chosen_words import SALIENCY
from power_bert_tf.analysis.chosen_words import WHOLE
from power_bert_tf.analysis.chosen_words import chosen_words
from power_bert_tf.analysis.rationales import agreement
from power_bert_tf.analysis.rationales import draw_agreement
from power_bert_tf.analysis.rationales import read_rationales
from power_bert_tf.analysis.word_scores import WordScores
from power_bert_tf.analysis.word_scores import rollout
from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.adapler.saliency import SaliencyModel


@pytest.fixture(scope="module")
def bert():
    return toy.classifier(seed=3)


def inputs(text="good films so bad"):
    return toy.preprocessor().pad_to_longest([text], multiple=1)


def test_scores_are_shares(bert):
    scores = WordScores(bert)(inputs(), 1)
    assert set(scores) == {"attention", "attention rollout", "saliency"}
    for each in scores.values():
        assert each.shape == (2, 7) and (each > 0).all()
        np.testing.assert_allclose(each.sum(axis=1), 1, rtol=1e-5)


def test_saliency_at_the_first_encoder_is_that_of_the_embeddings(bert):
    expected = SaliencyModel(bert)(inputs(), np.array([1], "int32"))[0]
    found = WordScores(bert)(inputs(), 1)["saliency"][0]
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-3)


def test_rollout_by_hand():
    first = np.array([[0.5, 0.5], [0.0, 1.0]])
    second = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = rollout(np.stack([first, second]))
    # Half of the attention is a word's own: [.75, .25], then half of that and half of [0, 1].
    np.testing.assert_allclose(found[:, 0], [[0.75, 0.25], [0.375, 0.625]])
    np.testing.assert_allclose(found.sum(axis=2), 1)


def test_saliency_of_the_models_own_answer(bert):
    scores = WordScores(bert)
    own = int(np.argmax(bert.at_length(None)(inputs())[0]))
    _, found = scores.attention_and_saliency(inputs())
    np.testing.assert_array_equal(found, scores.attention_and_saliency(inputs(), own)[1])
    assert not np.array_equal(found, scores.attention_and_saliency(inputs(), 1 - own)[1])


@pytest.fixture
def folder(tmp_path):
    documents = {"a": "the film\nwas good .", "b": "so bad bad plot", "c": "a film"}
    rows = [{"docid": name, "text": text} for name, text in documents.items()]
    (tmp_path / "docs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def annotation(name, label, *spans):
        evidences = [
            [{"docid": name, "start_token": begin, "end_token": end}] for begin, end in spans
        ]
        return {"annotation_id": name, "classification": label, "evidences": evidences}

    rows = [
        annotation("a", "positive", (3, 4)),
        annotation("b", "negative", (0, 1), (2, 4)),
        annotation("c", "negative"),
    ]
    (tmp_path / "test.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return tmp_path


def test_rationales_are_spans_of_words(folder):
    first, second, third = read_rationales(folder)
    assert first.words == ["the", "film", "was", "good", "."] and first.label == "positive"
    assert first.marked.tolist() == [False, False, False, True, False]
    assert second.marked.tolist() == [True, False, True, True]
    assert not third.marked.any()


def test_questions_about_documents(folder):
    row = json.loads((folder / "test.jsonl").read_text().splitlines()[0])
    (folder / "test.jsonl").write_text(json.dumps({**row, "query": "who? || he"}))
    with pytest.raises(InputError, match="with questions about them"):
        read_rationales(folder)


def test_a_folder_without_them(tmp_path):
    with pytest.raises(InputError, match="must hold val.jsonl"):
        read_rationales(tmp_path, "dev")


def test_agreement(bert, folder, tmp_path):
    adapler = toy.classifier(seed=3, reduction=Removal())
    found = agreement(bert, adapler, toy.preprocessor(), read_rationales(folder))
    assert set(found) == {"attention", "attention rollout", "saliency", "predictors"}
    for values in found.values():
        assert len(values["average_precision"]) == len(values["false_positive_rate"]) == 2
        assert all(0 < each <= 1 for each in values["average_precision"])
        assert all(0 <= each <= 1 for each in values["false_positive_rate"])
    draw_agreement(found, tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_who_scores_what_is_marked_agrees(bert, folder, monkeypatch):
    """Scores that are of the marked words alone have a precision of one, and select no other."""

    class Marked:
        def __init__(self, model):
            pass

        def __call__(self, given, label):
            scores = np.zeros((2, given["token_ids"].shape[1]))
            pieces = [toy.VOCABULARY[each] for each in given["token_ids"].numpy()[0]]
            for place, piece in enumerate(pieces):
                scores[0, place] = piece == "good"
                scores[1, place] = piece != "good"
            return {"attention": scores}

    monkeypatch.setattr("power_bert_tf.analysis.rationales.WordScores", Marked)
    adapler = toy.classifier(seed=3, reduction=Removal())
    found = agreement(bert, adapler, toy.preprocessor(), read_rationales(folder)[:1])["attention"]
    assert found["average_precision"][0] == 1 and found["false_positive_rate"][0] == 0
    # One of five words is marked, and it is the last of all.
    assert found["average_precision"][1] == pytest.approx(0.2)
    assert found["false_positive_rate"][1] == 1


def test_words_are_as_many_as_people_marked(bert, folder):
    found = chosen_words(bert, toy.preprocessor(), read_rationales(folder))
    assert set(found) == {WHOLE, HUMAN, SALIENCY, ATTENTION, CLS_ATTENTION}
    assert list(found[HUMAN].texts) == ["good", "so bad plot"]
    assert list(found[WHOLE].texts) == ["the film was good .", "so bad bad plot"]
    for examples in found.values():
        assert examples.labels.tolist() == [1, 0] and examples.label_names == bert.label_names
    for name in (SALIENCY, ATTENTION, CLS_ATTENTION):
        first, second = (text.split() for text in found[name].texts)
        assert len(first) == 1 and first[0] in "the film was good .".split()
        # In the order of the document.
        assert second in (["so", "bad", "plot"], ["so", "bad", "bad"], ["bad", "bad", "plot"])


def test_the_chosen_words_are_those_of_the_highest_scores(bert, folder, monkeypatch):
    def scored(self, given, label=None):
        rows = given["token_ids"].shape[1]
        attention = np.tile(np.eye(rows, dtype="float32"), (2, 1, 1))
        # [CLS] sees the second word, all others the third.
        attention[0] = 0
        attention[0, 0, 2] = attention[0, 1:, 3] = 1
        return attention, np.tile(np.arange(rows)[::-1], (2, 1))

    monkeypatch.setattr(WordScores, "attention_and_saliency", scored)
    found = chosen_words(bert, toy.preprocessor(), read_rationales(folder)[:1])
    words = {name: each.texts[0] for name, each in found.items()}
    assert words[SALIENCY] == "the"
    assert (words[CLS_ATTENTION], words[ATTENTION]) == ("film", "was")


def test_no_words_to_choose(bert, folder):
    with pytest.raises(InputError, match="a document with marked words"):
        chosen_words(bert, toy.preprocessor(), read_rationales(folder)[2:])


def test_nothing_marked(bert, folder):
    adapler = toy.classifier(seed=3, reduction=Removal())
    with pytest.raises(InputError, match="a document with marked words"):
        agreement(bert, adapler, toy.preprocessor(), read_rationales(folder)[2:])
