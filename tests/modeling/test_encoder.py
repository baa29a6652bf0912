import pytest

from modeling.models import small_config
from power_bert_tf.modeling import Reduction
from power_bert_tf.modeling.encoder import encode
from power_bert_tf.modeling.encoder import encoder_inputs
from power_bert_tf.modeling.reduction import Selection
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


class _Recording(Reduction):
    """Drops a word before and after each attention, and writes down what it saw."""

    def __init__(self):
        self.seen = []

    def _record(self, hook, index, vectors, *symbols):
        symbols = (vectors.hidden, vectors.padding_mask, vectors.input_mask, *symbols)
        self.seen.append((hook, index, *(symbol.shape[1:] for symbol in symbols)))

    def before_encoder(self, layers, index, vectors):
        self._record("before_encoder", index, vectors)
        return vectors.remember(**{f"mask_{index}": vectors.padding_mask})

    def select_before(self, layers, index, vectors):
        self._record("select_before", index, vectors)
        return Selection(vectors.padding_mask, vectors.rows - 1)

    def select(self, layers, index, vectors, probabilities):
        self._record("select", index, vectors, probabilities)
        return Selection(vectors.padding_mask, vectors.rows - 1)

    def fade(self, layers, index, vectors, probabilities):
        self._record("fade", index, vectors, probabilities)
        return vectors


def test_asks_the_reduction_about_each_encoder():
    reduction = _Recording()
    vectors = encode(small_config(), reduction, SharedLayers(), encoder_inputs(8))
    assert reduction.seen == [
        ("before_encoder", 0, (8, 8), (8,), (8,)),
        ("select_before", 0, (8, 8), (8,), (8,)),
        ("select", 0, (7, 8), (7,), (8,), (2, 7, 7)),
        ("fade", 0, (6, 8), (6,), (8,), (2, 7, 7)),
        ("before_encoder", 1, (6, 8), (6,), (8,)),
        ("select_before", 1, (6, 8), (6,), (8,)),
        ("select", 1, (5, 8), (5,), (8,), (2, 5, 5)),
        ("fade", 1, (4, 8), (4,), (8,), (2, 5, 5)),
    ]
    assert (vectors.hidden.shape, vectors.padding_mask.shape) == ((None, 4, 8), (None, 4))
    assert list(vectors.remembered) == ["mask_0", "mask_1"]
