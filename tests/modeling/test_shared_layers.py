import keras
import pytest

from power_bert_tf.modeling.shared_layers import SharedLayers


def test_makes_a_layer_once():
    shared = SharedLayers(dtype="mixed_bfloat16")
    layer = shared(keras.layers.Dense, "dense", units=3)
    assert shared(keras.layers.Dense, "dense", units=3) is layer
    assert shared(keras.layers.Dense, "another", units=3) is not layer
    assert (layer.name, layer.units, layer.dtype_policy.name) == ("dense", 3, "mixed_bfloat16")
    assert shared(keras.layers.Dense, "head", units=3, dtype="float32").dtype_policy.name == (
        "float32"
    )


@pytest.mark.parametrize("has_weights", [True, False])
def test_hands_out_given_layers_that_have_weights(has_weights):
    layer_class = keras.layers.Dense if has_weights else keras.layers.Activation
    argument = {"units": 2} if has_weights else {"activation": "relu"}
    given = layer_class(name="given", **argument)
    given.build((None, 3))
    assert (SharedLayers([given])(layer_class, "given", **argument) is given) == has_weights
