"""transformers loads what is exported for it, and gives the same logits."""

import numpy as np
import pytest
from training import toy

from deploy.test_huggingface import TEXTS
from deploy.test_huggingface import classifier
from deploy.test_huggingface import logits
from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.methods.power_bert.reductions import Extraction

pytestmark = pytest.mark.large


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def transformers(torch):
    return pytest.importorskip("transformers")


def theirs(torch, transformers, folder):
    """transformers' model, and its logits for the texts through its own tokenizer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = tokenizer(
        TEXTS, padding="max_length", max_length=toy.LENGTH, truncation=True, return_tensors="pt"
    )
    np.testing.assert_array_equal(inputs["input_ids"], toy.preprocessor()(TEXTS)["token_ids"])
    with torch.no_grad():
        return model, model(**inputs).logits.numpy()


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh", "relu"])
def test_equal_logits(tmp_path, torch, transformers, activation):
    model = classifier(config=toy.config(activation=activation))
    export_huggingface(model, toy.preprocessor(), tmp_path)
    reference, expected = theirs(torch, transformers, tmp_path)
    np.testing.assert_allclose(logits(model), expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.1
    assert reference.config.id2label == dict(enumerate(toy.LABELS))
    assert type(reference).__name__ == "BertForSequenceClassification"


def test_regression(tmp_path, torch, transformers):
    model = classifier(num_classes=1, head="regression", label_names=())
    export_huggingface(model, toy.preprocessor(), tmp_path)
    reference, expected = theirs(torch, transformers, tmp_path)
    np.testing.assert_allclose(logits(model), expected, atol=1e-4)
    assert reference.config.problem_type == "regression"


def test_multiple_choice(tmp_path, torch, transformers):
    model = classifier(num_classes=1, head="multiple_choice", label_names=())
    export_huggingface(model, toy.preprocessor(), tmp_path)
    reference = transformers.AutoModelForMultipleChoice.from_pretrained(tmp_path).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(tmp_path)(
        TEXTS, padding="max_length", max_length=toy.LENGTH, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        scores = reference(**{name: each[None] for name, each in inputs.items()}).logits
    assert scores.shape == (1, len(TEXTS)) and np.ptp(scores.numpy()) > 0.1
    np.testing.assert_allclose(logits(model)[:, 0], scores[0].numpy(), atol=1e-4)


def test_a_power_bert_runs_without_elimination(tmp_path, torch, transformers):
    plain = classifier()
    for folder, retention, equal in (("all", "12,12", True), ("few", "7,3", False)):
        power = plain.with_reduction(Extraction(retention))
        export_huggingface(power, toy.preprocessor(), tmp_path / folder)
        _, expected = theirs(torch, transformers, tmp_path / folder)
        np.testing.assert_allclose(logits(plain), expected, atol=1e-4)
        assert np.allclose(logits(power), expected, atol=1e-4) == equal
