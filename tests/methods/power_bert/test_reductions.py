import keras
import numpy as np
import pytest
from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import logits
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import NoReduction


@pytest.mark.parametrize(
    "reduction",
    [
        NoReduction(),
        SoftExtraction(0.003, basis="relative", count_self=True),
        SoftExtraction(0.003, compat="ibm"),
        Extraction("8,3", compat="ibm"),
        Extraction("8,3"),
        Extraction("8,3 of 12", selection="random", seed=4, count_self=True),
    ],
)
def test_serialises(reduction):
    written = keras.saving.serialize_keras_object(reduction)
    assert written["registered_name"].startswith("power_bert_tf>")
    copy = keras.saving.deserialize_keras_object(written)
    assert type(copy) is type(reduction)
    assert vars(copy) == vars(reduction)


def test_extraction_reads_a_configuration_however_it_is_given():
    expected = RetentionConfiguration((8, 3))
    for retention in ("8,3", [8, 3], expected):
        assert Extraction(retention).retention == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Extraction("8,3", selection="best"), "selection='best'"),
        (lambda: Extraction("3,8"), "must not increase"),
        (lambda: SoftExtraction(-0.1), "strength=-0.1"),
        (lambda: SoftExtraction(float("nan")), "strength=nan"),
        (lambda: SoftExtraction(0.1, basis="half"), "basis='half'"),
        (lambda: SoftExtraction(0.1, compat="authors"), "compat='authors'"),
        (lambda: Extraction("8,3 of 12", compat="ibm"), "absolute basis.*basis='relative'"),
        (lambda: Extraction("8,3", compat="ibm", count_self=True), "count_self=True"),
    ],
)
def test_arguments_out_of_range(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(("basis", "expected"), [("absolute", "8,3"), ("relative", "8,3 of 8")])
def test_learnt_retention(basis, expected):
    model = small_classifier(reduction=SoftExtraction(0.1, basis=basis))
    model.get_layer("encoder_0_soft_extract").retention.assign([1.0] * 7 + [0.5])
    model.get_layer("encoder_1_soft_extract").retention.assign([1.0, 0.75, 0.5] + [0.0] * 5)
    assert model.reduction.masses(model) == [7.5, 2.25]
    retention = RetentionConfiguration.from_search(model)
    assert str(retention) == expected
    assert RetentionConfiguration.from_search(model.at_length(4)) == retention


def test_the_authors_code_rounds_down():
    model = small_classifier(reduction=SoftExtraction(0.1, compat="ibm"))
    model.get_layer("encoder_0_soft_extract").retention.assign([1.0] * 7 + [0.5])
    model.get_layer("encoder_1_soft_extract").retention.assign([0.75] + [0.0] * 7)
    assert str(RetentionConfiguration.from_search(model)) == "7,1"


@pytest.mark.parametrize(
    "reduction", [Extraction("5,2", compat="ibm"), SoftExtraction(0.1, compat="ibm")]
)
def test_in_the_authors_code_an_answer_depends_on_padding(reduction):
    model = small_classifier(sequence_length=LONGER, reduction=reduction)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if "soft_extract" in layer.name:
            layer.retention.assign(generator.random(LONGER))
    text = [random_text(generator, LENGTH)]
    answers = [logits(model.at_length(n), pad(text, n)) for n in (LENGTH, LONGER)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


@pytest.mark.parametrize("reduction", [None, Extraction("8,3")])
def test_nothing_learnt_without_a_search(reduction):
    with pytest.raises(InputError, match="must have been built with `SoftExtraction`"):
        RetentionConfiguration.from_search(small_classifier(reduction=reduction))


def test_penalties_grow_with_the_encoder():
    model = small_classifier(reduction=SoftExtraction(0.25))
    layers = [model.get_layer(f"encoder_{index}_soft_extract") for index in range(2)]
    assert [layer.penalty for layer in layers] == [0.25, 0.5]
    assert [layer.length for layer in layers] == [8, 8]


def test_encoders_that_keep_all_have_no_extract_layer():
    names = [layer.name for layer in small_classifier(reduction=Extraction("8,3")).layers]
    assert "encoder_1_extract" in names
    assert "encoder_0_extract" not in names and "encoder_0_significance" not in names
