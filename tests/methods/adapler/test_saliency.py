import dataclasses

import keras
import numpy as np
import pytest
from training import toy

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.saliency import SaliencyModel
from power_bert_tf.methods.adapler.saliency import averaged
from power_bert_tf.methods.adapler.saliency import fingerprint
from power_bert_tf.methods.adapler.saliency import read_saliency
from power_bert_tf.methods.adapler.saliency import saliency_of
from power_bert_tf.methods.adapler.saliency import without_separators
from power_bert_tf.methods.adapler.saliency import write_saliency

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="gradients are TensorFlow's"
)


@pytest.fixture(scope="module")
def model():
    return toy.classifier(seed=3)


@pytest.mark.parametrize("piece", [0, 1, 3])
def test_gradient_times_input_by_finite_differences(model, piece):
    """Of each dimension apart, d logit / d (log of its scale) is gradient times input."""
    inputs = toy.preprocessor()(["good film so bad", "bad"])
    labels = np.array([1, 0], "int32")
    found = SaliencyModel(model)(inputs, labels)
    layer, step, products = model.get_layer("embeddings"), 1e-2, []
    real = layer.call
    for dimension in range(8):
        logits = []
        for share in (step, -step):

            def call(*arguments, share=share, dimension=dimension, **named):
                hidden = np.array(real(*arguments, **named))
                hidden[0, piece, dimension] *= 1 + share
                return keras.ops.convert_to_tensor(hidden)

            layer.call = call
            logits.append(float(model.logits_model(inputs)[0, 1]))
            layer.call = real
        products.append((logits[0] - logits[1]) / (2 * step))
    assert found[0, piece] == pytest.approx(float(np.linalg.norm(products)), rel=1e-2)
    assert found.shape == (2, 12) and not found[0, 6:].any() and not found[1, 3:].any()


def test_saliency_of_regression(model):
    regression = toy.classifier(seed=3, head="regression")
    examples = toy.examples(5, regression=True)
    found = saliency_of(regression, examples, toy.preprocessor())
    assert len(found) == 5 and all((each > 0).all() for each in found)


def test_in_the_order_of_the_examples_and_resumed(model, tmp_path, monkeypatch):
    examples, preprocessor = toy.examples(40), toy.preprocessor()
    monkeypatch.setattr("power_bert_tf.methods.adapler.saliency._CHUNK", 16)
    found = saliency_of(model, examples, preprocessor, tmp_path)
    token_ids, _ = preprocessor.encode(examples.texts)
    assert [len(each) for each in found] == [len(ids) for ids in token_ids]
    one = examples.select([7])
    np.testing.assert_allclose(saliency_of(model, one, preprocessor)[0], found[7], atol=1e-4)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 3
    parts[1].unlink()
    before = {path: path.stat().st_mtime_ns for path in (parts[0], parts[2])}
    again = saliency_of(model, examples, preprocessor, tmp_path)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_questions_have_a_saliency_for_each_option():
    model = toy.classifier(16, seed=3, head="multiple_choice")
    questions = toy.questions(4)
    found = saliency_of(model, questions, toy.preprocessor(16))
    token_ids, _ = toy.preprocessor(16).encode(questions.texts, questions.text_pairs)
    assert [len(each) for each in found] == [len(ids) for ids in token_ids]


def test_the_mean_of_epochs_sums_to_one():
    first, second = [np.array([1.0, 2.0, 1.0])], [np.array([3.0, 0.0, 1.0])]
    np.testing.assert_allclose(averaged([first, second])[0], [0.5, 0.25, 0.25])
    np.testing.assert_allclose(averaged([[np.zeros(2)]])[0], [0, 0])
    without = without_separators([np.array([0.5, 0.25, 0.25])], [[2, 9, 3]], 3)
    np.testing.assert_allclose(without[0], [0.5, 0.25, 0.0])


def test_it_is_read_back_where_it_belongs(tmp_path):
    examples, path = toy.examples(3), tmp_path / "saliency.npz"
    saliency = [np.array([0.5, 0.25, 0.25]), np.array([1.0]), np.array([0.75, 0.25])]
    owner = fingerprint(examples, toy.preprocessor())
    write_saliency(path, saliency, owner)
    for one, other in zip(read_saliency(path, owner), saliency, strict=True):
        np.testing.assert_array_equal(one, other)
    others = (
        fingerprint(dataclasses.replace(examples, labels=1 - examples.labels), toy.preprocessor()),
        fingerprint(examples, toy.preprocessor(11)),
    )
    for other in others:
        with pytest.raises(InputError, match="must hold the saliency of these training examples"):
            read_saliency(path, other)
