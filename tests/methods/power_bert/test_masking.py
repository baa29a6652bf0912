"""A masked model answers as the one that drops word-vectors."""

import numpy as np
import pytest
from modeling.models import DEEP
from modeling.models import LONGER
from modeling.models import outputs
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier

from power_bert_tf.methods.power_bert.masking import Masking
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration


@pytest.fixture(scope="module")
def bert():
    return small_classifier(config=DEEP, sequence_length=LONGER, num_classes=3)


@pytest.fixture(scope="module")
def texts():
    generator = np.random.default_rng(0)
    return pad([random_text(generator, words) for words in (12, 7, 3, 1)], LONGER)


def test_any_configuration_over_one_graph(bert, texts):
    masked = bert.with_reduction(Masking())
    any_length = masked.at_length(None)
    whole = outputs(bert, texts)
    np.testing.assert_allclose(outputs(masked, texts), whole, atol=1e-5)
    for text in ("5,3,1", "9,5,4 of 12", "12,6,1", "6,6,1 of 12", "2,1,1"):
        retention = RetentionConfiguration.parse(text)
        masked.reduction.keep(masked, retention)
        expected = outputs(bert.with_reduction(Extraction(retention)), texts)
        assert np.abs(expected - whole).max() > 1e-3
        np.testing.assert_allclose(outputs(masked, texts), expected, atol=1e-5)
        np.testing.assert_allclose(outputs(any_length, texts), expected, atol=1e-5)
