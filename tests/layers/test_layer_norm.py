import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing

from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import randomize
from power_bert_tf.layers.layer_norm import LayerNorm


class LayerNormTest(testing.TestCase):
    # `run_layer_test` fits from a generator with the default `shuffle=True`.
    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
    def test_layer(self):
        self.run_layer_test(
            LayerNorm,
            init_kwargs={"epsilon": 1e-6},
            input_shape=(2, 3, 4),
            expected_output_shape=(2, 3, 4),
            expected_num_trainable_weights=2,
        )


def test_by_hand():
    layer = LayerNorm()
    layer.build((1, 2))
    layer.gamma.assign([2.0, 3.0])
    layer.beta.assign([0.5, 0.0])
    np.testing.assert_allclose(layer(np.array([[4.0, 10.0]], "float32")), [[-1.5, 3.0]])


def test_epsilon_is_added_to_the_variance():
    layer = LayerNorm(epsilon=16.0)
    # A variance of 9: the deviation is 5 instead of 3.
    np.testing.assert_allclose(layer(np.array([[4.0, 10.0]], "float32")), [[-0.6, 0.6]], rtol=1e-6)
    # RoBERTa's counts where all that a vector has is as small as it is.
    layer = LayerNorm(epsilon=1e-5)
    small = np.array([[-(1e-5**0.5), 1e-5**0.5]], "float32")
    np.testing.assert_allclose(layer(small), [[-(0.5**0.5), 0.5**0.5]], rtol=1e-4)


@few_examples
@given(
    shape=st.sampled_from([(2, 5), (2, 3, 4)]),
    policy=st.sampled_from(["float32", "mixed_bfloat16", "mixed_float16"]),
    generator=generators(),
)
def test_agrees_with_keras(shape, policy, generator):
    ours = LayerNorm(1e-12, dtype=policy)
    theirs = keras.layers.LayerNormalization(epsilon=1e-12, dtype=policy)
    for layer in (ours, theirs):
        layer.build(shape)
    randomize(ours, generator)
    theirs.set_weights(ours.get_weights())
    inputs = generator.normal(size=shape).astype("float32")
    answers = [ops.convert_to_numpy(ops.cast(layer(inputs), "float32")) for layer in (ours, theirs)]
    assert ours(inputs).dtype == theirs(inputs).dtype
    # The last bit of the 16-bit types may round the other way.
    tolerance = {"float32": 1e-4, "mixed_bfloat16": 2**-7, "mixed_float16": 2**-10}[policy]
    np.testing.assert_allclose(*answers, rtol=tolerance, atol=tolerance)
