import keras
import numpy as np
import pytest
from layers import numpy_reference

from modeling.models import LENGTH
from modeling.models import logits
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier
from modeling.models import small_config
from power_bert_tf.modeling import Reduction
from power_bert_tf.modeling.encoder import encode
from power_bert_tf.modeling.encoder import encoder_inputs
from power_bert_tf.modeling.shared_layers import SharedLayers


@pytest.mark.parametrize(
    ("has_segments", "names"),
    [
        (True, ["token_ids", "segment_ids", "padding_mask"]),
        (False, ["token_ids", "padding_mask"]),
    ],
)
def test_inputs(has_segments, names):
    inputs = encoder_inputs(5, has_segments)
    assert list(inputs) == names
    for name, symbol in inputs.items():
        assert (symbol.name, symbol.shape, symbol.dtype) == (name, (None, 5), "int32")


class _DropOne(keras.layers.Layer):
    def call(self, rows):
        return rows[:, :-1]


class _Recording(Reduction):
    """Drops a word before and a query after each attention, and writes down what it saw."""

    def __init__(self):
        self.seen = []

    def _record(self, hook, index, *symbols):
        self.seen.append((hook, index, *(symbol.shape[1:] for symbol in symbols)))

    def before_encoder(self, shared, index, hidden, padding_mask, input_mask):
        self._record("before_encoder", index, hidden, padding_mask, input_mask)
        return _DropOne()(hidden), _DropOne()(padding_mask)

    def before_output(
        self, shared, index, hidden, probabilities, by_query, padding_mask, input_mask
    ):
        self._record("before_output", index, hidden, probabilities, padding_mask, input_mask)
        assert by_query is probabilities
        queries = keras.layers.Permute((2, 1, 3))(by_query)
        by_query = keras.layers.Permute((2, 1, 3))(_DropOne()(queries))
        return _DropOne()(hidden), by_query, _DropOne()(padding_mask)

    def after_output(self, shared, index, hidden, probabilities, padding_mask, input_mask):
        self._record("after_output", index, hidden, probabilities, padding_mask, input_mask)
        return hidden, padding_mask


def test_asks_the_reduction_at_three_places_of_each_encoder():
    reduction = _Recording()
    hidden, padding_mask = encode(small_config(), reduction, SharedLayers(), encoder_inputs(8))
    assert reduction.seen == [
        ("before_encoder", 0, (8, 8), (8,), (8,)),
        ("before_output", 0, (7, 8), (2, 7, 7), (7,), (8,)),
        ("after_output", 0, (6, 8), (2, 6, 7), (6,), (8,)),
        ("before_encoder", 1, (6, 8), (6,), (8,)),
        ("before_output", 1, (5, 8), (2, 5, 5), (5,), (8,)),
        ("after_output", 1, (4, 8), (2, 4, 5), (4,), (8,)),
    ]
    assert (hidden.shape, padding_mask.shape) == ((None, 4, 8), (None, 4))


def test_every_normalisation_has_the_epsilon_of_the_config():
    """Of one that is no smaller than the variances, so that each one missed is seen."""
    model = small_classifier(config=small_config(layer_norm_epsilon=0.9))
    text = random_text(np.random.default_rng(5), LENGTH)
    answer = logits(model, pad([text], LENGTH))[0]
    expected = numpy_reference.classify(model, *text)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)


def test_every_dropout_has_the_rate_of_the_config():
    model = small_classifier(config=small_config(dropout=0.2, attention_dropout=0.3))
    rates = {}
    for layer in model.layers:
        given = layer.get_config()
        for name in {"dropout", "attention_dropout"} & set(given):
            rates.setdefault(name, {})[layer.name] = given[name]
    attention = [f"encoder_{index}_attention_output" for index in range(2)]
    blocks = ["embeddings", *attention, *(f"encoder_{index}_feed_forward" for index in range(2))]
    assert rates == {
        "dropout": dict.fromkeys(blocks, 0.2),
        "attention_dropout": dict.fromkeys(attention, 0.3),
    }
