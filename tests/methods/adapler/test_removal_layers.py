import keras
import numpy as np
import pytest
from hypothesis import given
from keras import ops
from layers import numpy_reference
from layers.strategies import check_without_weights
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks
from layers.strategies import randomize

from methods.adapler import numpy_adapler
from power_bert_tf.layers import Packing
from power_bert_tf.methods.adapler.contribution_predictor import ContributionPredictor
from power_bert_tf.methods.adapler.removal_layers import ClsPooling
from power_bert_tf.methods.adapler.removal_layers import Contributing
from power_bert_tf.methods.adapler.removal_layers import ContributionThreshold
from power_bert_tf.methods.adapler.removal_layers import Presence
from power_bert_tf.methods.adapler.removal_layers import SoftMask

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], "int32")
CONTRIBUTED = np.array([[0.4, 0.3, 0.2, 0.1], [0.7, 0.3, 0.0, 0.0]], "float32")
DELTA = np.array([[0.25], [0.5]], "float32")


def predictor(activation="gelu"):
    layer = ContributionPredictor(activation)
    layer.build((None, None, 3))
    randomize(layer, np.random.default_rng(0))
    return layer


@few_examples
@given(generator=generators(), mask=masks())
def test_a_predictor_agrees_with_numpy(generator, mask):
    layer = predictor()
    hidden = generator.normal(size=(*mask.shape, 3)).astype("float32")
    found = ops.convert_to_numpy(layer(hidden, mask.astype("float32")))
    weights = numpy_reference.weights_of(layer)
    for row, words in enumerate(map(np.flatnonzero, mask)):
        first = numpy_reference.dense(hidden[row, words], weights, "hidden")
        scores = numpy_reference.dense(numpy_reference.activate(first, "gelu"), weights, "score")
        np.testing.assert_allclose(
            found[row, words], numpy_adapler.predicted(scores[:, 0]), atol=1e-5
        )


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="rows are packed on TensorFlow")
def test_a_predictor_of_packed_rows():
    layer, hidden = predictor(), np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    before, _, places, mask, _ = Packing()(MASK)
    packed = ops.take(hidden.reshape(8, 3), before, axis=0)
    expected = layer(hidden, MASK.astype("float32"))
    found = layer(packed, ops.cast(mask, "float32"), places)
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=1e-6
    )


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Presence, {"padding_mask": MASK}),
        (
            Contributing,
            {"contributed": CONTRIBUTED, "delta": DELTA, "padding_mask": MASK},
        ),
    ],
)
def test_layers_without_weights(layer, inputs):
    check_without_weights(layer(), **inputs)


@pytest.mark.parametrize(
    "layer",
    [
        ContributionPredictor("relu", 5),
        ContributionThreshold(),
        ClsPooling(),
        SoftMask(0.05),
        SoftMask(dtype="mixed_bfloat16"),
    ],
)
def test_layers_come_back(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


def test_contributions_are_float32_under_mixed_precision():
    layer = ContributionPredictor(dtype="mixed_bfloat16")
    hidden = np.zeros((2, 4, 3), "float32")
    present = Presence(dtype="mixed_bfloat16")(MASK)
    contributed = layer(ops.cast(hidden, "bfloat16"), present)
    assert keras.backend.standardize_dtype(contributed.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(contributed)[1], [0.5, 0.5, 0, 0], rtol=1e-6)


def test_eta_stays_within_its_range():
    layer = ContributionThreshold()
    layer.build((None, 4))
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(MASK.astype("float32")))[:, 0], [0.25 / 4, 0.25 / 2]
    )
    constraint = layer.eta.constraint
    assert [float(constraint(ops.convert_to_tensor(each))) for each in (-1.0, 0.5, 3.0)] == [
        pytest.approx(0.01),
        0.5,
        1.0,
    ]


def test_biases_add_up():
    layer = SoftMask()
    layer.build((None, 4))
    layer.steepness.assign(100.0)
    first = ops.convert_to_numpy(layer(CONTRIBUTED, DELTA, MASK))
    second = ops.convert_to_numpy(layer(CONTRIBUTED, DELTA, MASK, first))
    np.testing.assert_allclose(second, 2 * first, rtol=1e-6)


class TestClsPooling:
    """Appendix B: theta is no part of the model, and has a gradient all the same."""

    saliency = np.array([[0.1, 0.3, 0.4, 0.2]], "float32")
    theta = 1.7

    def layer(self):
        layer = ClsPooling()
        layer.build((None, 4))
        layer.theta.assign(self.theta)
        return layer

    def test_contributions_come_out_as_they_went_in(self):
        found = ops.convert_to_numpy(self.layer()(CONTRIBUTED))
        np.testing.assert_allclose(found, CONTRIBUTED, rtol=1e-6)

    def test_the_target_is_that_of_equation_7(self):
        found = ops.convert_to_numpy(self.layer().target(self.saliency))[0]
        expected = numpy_adapler.cls_amplified(self.saliency[0].astype(float), self.theta)
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_equation_13_by_finite_differences(self):
        step = 1e-5
        saliency = self.saliency[0].astype(float)
        high, low = (
            numpy_adapler.cls_amplified(saliency, self.theta + sign * step) for sign in (1, -1)
        )
        found = numpy_adapler.gradient_of_theta(saliency, self.theta)
        np.testing.assert_allclose(found, (high - low) / (2 * step), rtol=1e-6)

    @pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="uses TensorFlow's tape")
    def test_the_gradient_is_that_of_equation_14(self):
        import tensorflow as tf

        layer = self.layer()
        # The predictor has learnt its target, as appendix B assumes.
        contributed = numpy_adapler.cls_amplified(self.saliency[0].astype(float), self.theta)
        weights = tf.constant([[1.0, -2.0, 3.0, 0.5]])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights * layer(contributed[None].astype("float32")))
        found = tape.gradient(loss, layer.theta.value)
        expected = numpy_adapler.gradient_of_theta(self.saliency[0].astype(float), self.theta)
        assert float(found) == pytest.approx(float(weights.numpy()[0] @ expected), rel=1e-4)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="uses TensorFlow's tape")
@pytest.mark.parametrize("eta", [0.5, 0.9])
def test_the_gradient_of_eta_by_finite_differences(eta):
    import tensorflow as tf

    limits, mask = ContributionThreshold(), SoftMask()
    limits.build((None, 4))
    mask.build((None, 4))
    present = MASK.astype("float32")

    def length(value):
        limits.eta.assign(value)
        return tf.reduce_sum(present * tf.exp(mask(CONTRIBUTED, limits(present), MASK)))

    with tf.GradientTape() as tape:
        tape.watch(limits.eta.value)
        found = length(eta)
    gradient = float(tape.gradient(found, limits.eta.value))
    step = 1e-3
    differences = float(length(eta + step) - length(eta - step)) / (2 * step)
    assert gradient == pytest.approx(differences, rel=2e-2)
    assert gradient < 0
