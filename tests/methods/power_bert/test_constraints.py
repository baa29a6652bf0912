import keras
import numpy as np
import pytest
from keras import ops

from power_bert_tf.methods.power_bert.constraints import UnitInterval
from power_bert_tf.methods.power_bert.soft_extract import SoftExtract


def test_clips():
    np.testing.assert_array_equal(UnitInterval()(np.array([-0.5, 0.25, 1.5])), [0.0, 0.25, 1.0])


def test_serialises():
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(UnitInterval())
    )
    assert isinstance(copy, UnitInterval)


def one_word_at_each_position():
    """A model of CLS and two words that score 2 and 1, and its retention parameters."""
    hidden = keras.Input((3, 1))
    soft_extract = SoftExtract(3)
    score = keras.Input((3,))
    padding_mask = keras.Input((3,), dtype="int32")
    scaled = soft_extract(hidden, score, padding_mask)
    model = keras.Model([hidden, score, padding_mask], scaled)
    inputs = [np.ones((1, 3, 1)), np.array([[3.0, 2.0, 1.0]]), np.ones((1, 3), "int32")]
    return model, inputs, soft_extract


@pytest.mark.parametrize(("target", "expected"), [(-9.0, 0.0), (9.0, 1.0), (0.5, None)])
def test_keeps_retention_parameters_in_the_unit_interval_during_fit(target, expected):
    model, inputs, soft_extract = one_word_at_each_position()
    soft_extract.retention.assign([1.0, 0.2, 0.8])
    model.compile(keras.optimizers.SGD(0.75), "mse")
    model.fit(inputs, np.full((1, 3, 1), target), epochs=3, verbose=0)
    # The first is that of CLS, which is not learnt.
    retention = ops.convert_to_numpy(soft_extract.retention)[1:]
    if expected is None:
        # Each step halves the distance to the target: the constraint changes nothing.
        np.testing.assert_allclose(retention, [0.4625, 0.5375], atol=1e-6)
    else:
        np.testing.assert_array_equal(retention, expected)
