import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing
from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import masks
from layers.strategies import scores

from power_bert_tf.methods.power_bert.relative_budget import RelativeBudget
from power_bert_tf.methods.power_bert.soft_extract import SoftExtract


class SoftExtractTest(testing.TestCase):
    def test_layer(self):
        # Three inputs: `run_layer_test` can train layers of one only.
        self.run_layer_test(
            SoftExtract,
            init_kwargs={"length": 5, "penalty": 0.25, "basis": "relative"},
            input_shape={
                "hidden_shape": (2, 4, 3),
                "score_shape": (2, 4),
                "padding_mask_shape": (2, 4),
            },
            input_dtype={
                "hidden_shape": "float32",
                "score_shape": "float32",
                "padding_mask_shape": "int32",
            },
            expected_output_shape=(2, 4, 3),
            expected_num_trainable_weights=1,
            expected_num_losses=1,
            run_training_check=False,
            # The output has the dtype of `hidden`, not that of the policy: tested below.
            run_mixed_precision_check=False,
        )


@functools.cache
def built_layer(length, basis="absolute", penalty=0.0, dtype=None):
    layer = SoftExtract(length, penalty, basis, dtype=dtype)
    layer.build((None, None, 2))
    return layer


def test_figure_6():
    # The sorted sequence of the paper's example is w3, w4, w1, w2. Here CLS stands before them.
    layer = built_layer(5)
    layer.retention.assign([1.0, 0.875, 0.75, 0.5, 0.25])
    hidden = np.ones((1, 5, 2), "float32")
    output = layer(hidden, np.array([[0.0, 2.0, 1.0, 4.0, 3.0]]), np.ones((1, 5), "int32"))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(output)[0, :, 0], [1.0, 0.5, 0.25, 0.875, 0.75]
    )


def test_short_texts_use_all_parameters_in_the_relative_basis():
    # Two words of four places: positions 0 and 1 take parameters floor(0 * 4/2) and floor(1 * 4/2).
    score, mask = np.array([[0.0, 1.0, 9.0, 9.0]]), np.array([[1, 1, 0, 0]])
    for basis, second in (("absolute", 0.75), ("relative", 0.5)):
        layer = built_layer(4, basis)
        layer.retention.assign([1.0, 0.75, 0.5, 0.25])
        output = ops.convert_to_numpy(layer(np.ones((1, 4, 2), "float32"), score, mask))
        np.testing.assert_array_equal(output[0, :2, 0], [1.0, second])


@few_examples
@given(
    mask=masks(),
    basis=st.sampled_from(["absolute", "relative"]),
    generator=generators(),
    data=st.data(),
)
def test_agrees_with_numpy(mask, basis, generator, data):
    score = data.draw(scores(mask.shape))
    layer = built_layer(8, basis)
    layer.retention.assign(generator.random(8))
    retention = ops.convert_to_numpy(layer.retention)
    hidden = generator.normal(size=(*mask.shape, 2)).astype("float32")
    output = ops.convert_to_numpy(layer(hidden, score, mask))
    for text in range(len(mask)):
        expected = numpy_reference.soft_extract(
            hidden[text], score[text], mask[text], retention, basis
        )
        np.testing.assert_allclose(output[text], expected, rtol=1e-6)
    layer.retention.assign(np.ones(8))
    np.testing.assert_array_equal(layer(hidden, score, mask), hidden)


@few_examples
@given(mask=masks(holes=False), kept=st.integers(1, 8), data=st.data())
def test_zeros_and_ones_keep_what_the_relative_budget_keeps(mask, kept, data):
    layer = built_layer(8, "relative")
    layer.retention.assign(np.arange(8) < kept)
    score = data.draw(scores(mask.shape))
    output = layer(np.ones((*mask.shape, 2), "float32"), score, mask)
    words_left = (ops.convert_to_numpy(output)[:, :, 0] * mask).sum(axis=1)
    np.testing.assert_array_equal(words_left, RelativeBudget(kept, 8)(mask))


def test_ranks_by_scores_that_16_bits_cannot_tell_apart():
    score = np.array([[0.0, 1.0, 1.0001]], "float32")
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = built_layer(3, dtype=policy)
        layer.retention.assign([1.0, 0.5, 0.25])
        hidden = ops.ones((1, 3, 2), dtype=layer.compute_dtype)
        output = layer(hidden, score, np.ones((1, 3), "int32"))
        assert output.dtype == hidden.dtype
        np.testing.assert_array_equal(ops.cast(output, "float32")[0, :, 0], [1.0, 0.25, 0.5])


def model_of(layer, rows, width):
    """A model of inputs hidden, score and mask that gives the new word-vectors."""
    hidden, score = keras.Input((rows, width)), keras.Input((rows,))
    mask = keras.Input((rows,), dtype="int32")
    return keras.Model([hidden, score, mask], layer(hidden, score, mask))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_mass_penalty_in_float32(policy):
    strength, index = 3e-3, 4
    layer = SoftExtract(256, penalty=strength * (index + 1), dtype=policy)
    model = model_of(layer, 2, 2)
    retention = np.random.default_rng(0).random(256).astype("float32")
    layer.retention.assign(retention)
    mass = retention.astype("float64").sum()
    assert abs(float(ops.cast(mass, "bfloat16")) - mass) > 0.1
    assert layer.mass() == pytest.approx(mass, abs=1e-9)
    model([np.ones((1, 2, 2)), np.ones((1, 2)), np.ones((1, 2), "int32")])
    (loss,) = model.losses
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    assert float(loss) == pytest.approx(strength * 5 * mass, rel=1e-6)


def test_the_parameter_of_cls_is_not_learnt():
    layer = SoftExtract(4, penalty=0.1)
    model = model_of(layer, 3, 1)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    batch = [np.ones((1, 3, 1)), np.array([[1.0, 3.0, 2.0]]), np.ones((1, 3), "int32")]
    model.fit(batch, np.full((1, 3, 1), 0.7), verbose=0)
    retention = ops.convert_to_numpy(layer.retention)
    # Each of the three rows is a third of the loss: 1 - 2 * 0.3 / 3 - 0.1; the fourth has none.
    np.testing.assert_allclose(retention, [1.0, 0.7, 0.7, 0.9], atol=1e-6)


def test_changes_nothing_at_first():
    layer = SoftExtract(4)
    hidden = np.random.default_rng(0).normal(size=(1, 3, 2)).astype("float32")
    output = layer(hidden, np.array([[1.0, 2.0, 3.0]]), np.array([[1, 1, 0]]))
    np.testing.assert_array_equal(layer.retention, [1, 1, 1, 1])
    np.testing.assert_array_equal(output, hidden)


def test_learns_all_parameters_but_that_of_cls():
    layer = SoftExtract(3, penalty=1.0)
    model = model_of(layer, 3, 2)
    model.compile(keras.optimizers.SGD(0.25), "mse")
    inputs = [np.zeros((1, 3, 2)), np.zeros((1, 3)), np.ones((1, 3), "int32")]
    model.fit(inputs, np.zeros((1, 3, 2)), epochs=2, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.retention), [1.0, 0.5, 0.5])
    assert layer.mass() == 2.0


def test_more_rows_than_parameters():
    layer = built_layer(3)
    message = "rows=4, length=3"
    with pytest.raises(ValueError, match=message):
        layer(np.ones((1, 4, 2)), np.ones((1, 4)), np.ones((1, 4), "int32"))
    with pytest.raises(ValueError, match=message):
        model_of(layer, 4, 2)


def test_unknown_basis():
    with pytest.raises(ValueError, match="basis=half"):
        SoftExtract(3, basis="half")
