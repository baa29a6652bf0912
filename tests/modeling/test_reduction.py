"""The seam itself: what a method may answer, with methods of a few lines."""

import keras
import numpy as np
import pytest
from keras import ops

from modeling.models import DEEP
from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import outputs
from modeling.models import pad
from modeling.models import random_text
from modeling.models import small_classifier
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling import Reduction
from power_bert_tf.modeling.reduction import Selection
from power_bert_tf.modeling.reduction import deserialize_reduction
from power_bert_tf.modeling.reduction import most_stay


def some_texts(*words):
    generator = np.random.default_rng(0)
    return [random_text(generator, each) for each in words]


class _OddRows(keras.layers.Layer):
    """A mask of every second row, from CLS on."""

    def call(self, padding_mask):
        return padding_mask * ops.cast(ops.arange(ops.shape(padding_mask)[1]) % 2 == 0, "int32")


class _ByMask(Reduction):
    """Keeps every second word-vector before or after the attention of the first encoder."""

    drops = True

    def __init__(self, before, most=None):
        self.before = before
        self.most = most

    def _selection(self, index, vectors):
        if index > 0:
            return None
        return Selection.from_mask(_OddRows()(vectors.padding_mask), self.most)

    def select_before(self, layers, index, vectors):
        return self._selection(index, vectors) if self.before else None

    def select(self, layers, index, vectors, probabilities):
        return None if self.before else self._selection(index, vectors)


def test_an_encoder_gets_what_a_mask_has_left():
    model = small_classifier(config=DEEP, reduction=_ByMask(before=True, most=4))
    plain = small_classifier(config=DEEP)
    inputs = pad(some_texts(8, 5, 1), LENGTH)
    embedded = keras.Model(plain.input, plain.get_layer("embeddings").output)(inputs)
    after = keras.Model(model.input, model.get_layer("encoder_0_removal").output)(inputs)
    hidden, mask = np.asarray(after[0]), np.asarray(after[1])
    np.testing.assert_array_equal(mask.sum(axis=1), [4, 3, 1])
    stay = inputs["padding_mask"][:, ::2] > 0
    np.testing.assert_array_equal(hidden[mask > 0], np.asarray(embedded)[:, ::2][stay])


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("most", [4, None])
def test_a_traced_graph_says_which_rows_a_mask_has_left(before, most):
    if most is None and keras.config.backend() == "jax":
        pytest.skip("JAX needs to know how many rows there are")
    model = small_classifier(config=DEEP, reduction=_ByMask(before, most))
    inputs = pad(some_texts(8, 5, 1), LENGTH)
    seen = keras.tree.map_structure(np.asarray, model.traced()(inputs))
    for index in range(DEEP.num_layers):
        left = [sorted(row[row > 0].tolist()) for row in seen[f"encoder_{index}_positions"]]
        assert left == [[1, 3, 5, 7], [1, 3, 5], [1]]
    np.testing.assert_allclose(seen["outputs"], outputs(model, inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("before", [True, False])
def test_answers_do_not_depend_on_padding_or_the_graph(before):
    model = small_classifier(config=DEEP, sequence_length=LONGER, reduction=_ByMask(before, most=6))
    texts = some_texts(8, 5, 1)
    expected = outputs(model, pad(texts, LONGER))
    short = outputs(model.at_length(LENGTH), pad(texts, LENGTH))
    np.testing.assert_allclose(short, expected, rtol=0, atol=1e-5)
    lean = outputs(model.for_inference(), pad(texts, LONGER))
    np.testing.assert_allclose(lean, expected, rtol=0, atol=1e-5)


class _Fading(Reduction):
    """Lowers the attention bias of all words but CLS by a number."""

    def __init__(self, bias):
        self.bias = bias

    def before_encoder(self, layers, index, vectors):
        if index > 0:
            return vectors
        bias = layers(_Bias, "bias", bias=self.bias)(vectors.padding_mask)
        return vectors.replace(attention_bias=bias).remember(bias=bias)


class _Bias(keras.layers.Layer):
    def __init__(self, bias, **kwargs):
        super().__init__(**kwargs)
        self.bias = bias

    def call(self, padding_mask):
        words = ops.arange(ops.shape(padding_mask)[1]) > 0
        return self.bias * ops.cast(ops.ones_like(padding_mask) * words, "float32")


def test_an_attention_bias_of_zero_changes_nothing():
    inputs = pad(some_texts(8, 5), LENGTH)
    faded = outputs(small_classifier(reduction=_Fading(0.0)), inputs)
    np.testing.assert_allclose(faded, outputs(small_classifier(), inputs), rtol=0, atol=1e-6)


def test_an_attention_bias_far_below_zero_is_as_good_as_no_word():
    inputs = pad(some_texts(8, 5), LENGTH)
    alone = {name: each * (np.arange(LENGTH) == 0) for name, each in inputs.items()}
    faded = outputs(small_classifier(reduction=_Fading(-1e6)), inputs)
    np.testing.assert_allclose(faded, outputs(small_classifier(), alone), rtol=0, atol=1e-5)
    between = outputs(small_classifier(reduction=_Fading(-1.0)), inputs)
    assert np.abs(between - faded).max() > 1e-3


def test_what_is_remembered_is_an_output_for_whoever_asks():
    model = small_classifier(reduction=_Fading(-2.0))
    assert list(model.remembered) == ["bias"] and list(model.output.shape) == [None, 2]
    inputs = pad(some_texts(8), LENGTH)
    seen = keras.Model(model.input, model.remembered)(inputs)
    np.testing.assert_array_equal(seen["bias"], [[0.0] + 7 * [-2.0]])


@pytest.mark.parametrize(("rows", "stay", "most"), [(8, 5, True), (8, 4, False), (1, 1, True)])
def test_most_stay_is_more_than_half(rows, stay, most):
    assert most_stay(rows, stay) == most
    assert Selection(None, stay).keeps_most_of(rows) == most
    assert not Selection(None, None).keeps_most_of(rows)
    assert not Selection(None, stay).keeps_most_of(None)


def test_only_registered_reductions_are_made():
    written = keras.saving.serialize_keras_object(NoReduction())
    assert isinstance(deserialize_reduction(written), NoReduction)
    dense = keras.saving.serialize_keras_object(keras.layers.Dense(1))
    for given in ({**written, "registered_name": "power_bert_tf>Other"}, dense, {}, "NoReduction"):
        with pytest.raises(InputError, match="one of a method of this package"):
            deserialize_reduction(given)
    with pytest.raises(InputError, match="NoReduction cannot be made: .*unheard_of"):
        deserialize_reduction({**written, "config": {"unheard_of": 1}})
