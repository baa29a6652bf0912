"""Answers in length buckets are those of the padded model, in the order of the texts."""

import numpy as np
import pytest
from training import toy

from power_bert_tf.deploy.bucketed import BucketedClassifier
from power_bert_tf.deploy.bucketed import bucket_lengths
from power_bert_tf.deploy.bucketed import encode_texts
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import Extraction

LENGTH = 16
REDUCTIONS = {"bert": None, "absolute": "9,4", "relative": "9,4 of 16"}


@pytest.fixture(scope="module", params=REDUCTIONS)
def model(request):
    retention = REDUCTIONS[request.param]
    reduction = None if retention is None else Extraction(retention)
    return toy.classifier(LENGTH, seed=3, reduction=reduction)


def padded_answers(model, preprocessor, examples):
    inputs = preprocessor(examples.texts, examples.text_pairs)
    return model.predict(inputs, verbose=0)


def test_lengths_by_hand():
    assert bucket_lengths(5) == (5,)
    assert bucket_lengths(8) == (8,)
    assert bucket_lengths(20) == (8, 16, 20)
    assert bucket_lengths(64) == (8, 16, 24, 32, 40, 48, 56, 64)
    assert bucket_lengths(160) == (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160)


@pytest.mark.parametrize("length", [1, 7, 9, 63, 65, 129, 257, 512, 1000])
def test_lengths_grow_and_end_at_the_whole(length):
    lengths = bucket_lengths(length)
    assert lengths[-1] == length
    steps = np.diff((0, *lengths))
    assert (steps > 0).all() and (steps <= np.maximum(8, np.array(lengths) // 4)).all()


def test_answers_are_those_of_the_padded_model(model):
    preprocessor, examples = toy.preprocessor(LENGTH), toy.examples(37, seed=3)
    expected = padded_answers(model, preprocessor, examples)
    assert np.ptp(expected[:, 0]) > 0.1
    bucketed = BucketedClassifier(model, batch_size=8)
    answers = bucketed.predict(preprocessor, examples.texts)
    assert answers.dtype == "float32"
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    # Both buckets were used, each by a function of its own.
    assert sorted(bucketed._functions) == [8, LENGTH]


def test_variables_are_shared(model):
    preprocessor, examples = toy.preprocessor(LENGTH), toy.examples(12, seed=3)
    bucketed = BucketedClassifier(model, batch_size=4)
    before = bucketed.predict(preprocessor, examples.texts)
    kernel = model.get_layer("classifier").kernel
    kernel.assign(-1.5 * kernel)
    try:
        answers = bucketed.predict(preprocessor, examples.texts)
        expected = padded_answers(model, preprocessor, examples)
    finally:
        kernel.assign(kernel / -1.5)
    assert np.abs(answers - before).max() > 0.1
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_pairs_and_regression():
    model = toy.classifier(LENGTH, seed=2, head="regression")
    preprocessor, examples = toy.preprocessor(LENGTH), toy.examples(9, seed=5, pairs=True)
    answers = BucketedClassifier(model, batch_size=4).predict(
        preprocessor, examples.texts, examples.text_pairs
    )
    assert answers.shape == (9, 1)
    expected = padded_answers(model, preprocessor, examples)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_batches_by_hand():
    bucketed = BucketedClassifier(toy.classifier(LENGTH), batch_size=2)
    token_ids = [[2, 5, 3], [2] * 9, [2, 3], [2] * 8, [2, 6, 7, 3]]
    segment_ids = [[0, 0, 1], [1] * 9, [0, 0], [0] * 8, [0, 1, 1, 1]]
    batches = bucketed.batches(token_ids, segment_ids)
    assert [batch.rows.tolist() for batch in batches] == [[2, 0], [4, 3], [1]]
    assert [batch.length for batch in batches] == [8, 8, 16]
    first = batches[0].inputs
    assert {values.dtype.name for values in first.values()} == {"int32"}
    assert first["token_ids"].tolist() == [[2, 3] + [0] * 6, [2, 5, 3] + [0] * 5]
    assert first["segment_ids"].tolist() == [[0] * 8, [0, 0, 1] + [0] * 5]
    assert first["padding_mask"].tolist() == [[1, 1] + [0] * 6, [1, 1, 1] + [0] * 5]


def test_padding_to_the_whole_uses_one_graph():
    bucketed = BucketedClassifier(toy.classifier(LENGTH), (LENGTH,))
    batches = bucketed.batches([[2, 3], [2, 5, 3]], [[0, 0], [0, 0, 0]])
    assert [batch.length for batch in batches] == [LENGTH]


def test_texts_are_encoded_without_padding():
    preprocessor = toy.preprocessor(5)
    token_ids, segment_ids = encode_texts(preprocessor, ["good", "the film was so bad"], ["a", "a"])
    words = preprocessor.tokenizer.pieces
    assert [words(ids) for ids in token_ids] == [
        ["[CLS]", "good", "[SEP]", "a", "[SEP]"],
        ["[CLS]", "the", "[SEP]", "a", "[SEP]"],
    ]
    assert segment_ids == [[0, 0, 0, 1, 1]] * 2


@pytest.mark.parametrize("batch_size", [0, -3])
def test_refuses_a_batch_of_none(batch_size):
    with pytest.raises(InputError, match="`batch_size` must be at least 1"):
        BucketedClassifier(toy.classifier(), batch_size=batch_size)
