import keras
import numpy as np
import pytest
from keras import ops
from modeling import models

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.adapler.reductions import SoftRemoval
from power_bert_tf.methods.adapler.steepness import SteepnessSchedule
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.flops import computed_flops
from power_bert_tf.modeling.reduction import deserialize_reduction


def some_inputs(lengths=(1, 5, 12, 9)):
    generator = np.random.default_rng(0)
    return models.pad([models.random_text(generator, each) for each in lengths], models.LONGER)


def kept(model, inputs):
    seen = model.traced()(inputs)
    return np.stack(
        [
            (ops.convert_to_numpy(seen[f"encoder_{index}_positions"]) > 0).sum(axis=1)
            for index in range(model.config.num_layers)
        ],
        axis=1,
    )


def test_soft_removal_becomes_hard():
    hard = models.reduced_classifier("adapler", models.LONGER)
    soft = models.reduced_classifier("soft adapler", models.LONGER).with_reduction(SoftRemoval())
    soft.take_weights(hard)
    for index in range(3):
        soft.get_layer(SoftRemoval.mask_name(index)).steepness.assign(1e6)
    inputs = some_inputs()
    assert (kept(hard, inputs)[1:, -1] < inputs["padding_mask"].sum(axis=1)[1:]).all()
    np.testing.assert_allclose(
        models.outputs(soft, inputs), models.outputs(hard, inputs), atol=1e-4
    )


@pytest.mark.skipif(keras.config.backend() == "jax", reason="JAX knows static shapes alone")
def test_a_text_alone_and_within_a_batch():
    model = models.reduced_classifier("adapler", models.LONGER)
    masked, inputs = models.outputs(model, some_inputs()), some_inputs()
    packed = models.outputs(model.for_inference(packed=True), inputs)
    any_length = model.at_length(None)
    for row, words in enumerate(inputs["padding_mask"].sum(axis=1)):
        alone = {name: each[row : row + 1, :words] for name, each in inputs.items()}
        np.testing.assert_allclose(models.outputs(any_length, alone)[0], masked[row], atol=1e-5)
        np.testing.assert_allclose(packed[row], masked[row], atol=1e-5)
    assert (kept(any_length, inputs) == kept(model, inputs)).all()


def test_where_nothing_contributes_too_little_it_is_bert():
    model = models.small_classifier(reduction=Removal())
    for index in range(2):
        model.get_layer(Removal.threshold_name(index)).eta.assign(0.01)
        predictor = model.get_layer(f"encoder_{index}_contribution")
        for variable in predictor.weights:
            variable.assign(0 * variable.value)  # Even contributions.
    inputs = {name: each[:, :8] for name, each in some_inputs((1, 5, 8, 3)).items()}
    plain = model.with_reduction(models.REDUCTIONS["none"])
    np.testing.assert_allclose(
        models.outputs(model, inputs), models.outputs(plain, inputs), atol=1e-6
    )
    assert (kept(model, inputs) == inputs["padding_mask"].sum(axis=1)[:, None]).all()


def test_a_static_graph_hides_words_and_one_of_any_length_drops_them():
    model = models.reduced_classifier("adapler", models.LONGER)
    assert model.traced().output["encoder_2_positions"].shape == (None, models.LONGER)
    shorter = model.at_length(None).traced()(some_inputs())["encoder_2_positions"]
    assert shorter.shape[1] == kept(model, some_inputs())[:, 2].max() < models.LONGER


@pytest.mark.parametrize("reduction", [SoftRemoval(0.1, 0.2, 30.0, 0.05), Removal("relu")])
def test_they_come_back(reduction):
    again = deserialize_reduction(keras.saving.serialize_keras_object(reduction))
    assert again.get_config() == reduction.get_config()


def test_a_schedule_comes_back():
    reduction = SoftRemoval(steepness=SteepnessSchedule(7, 10.0, 3.0))
    again = deserialize_reduction(keras.saving.serialize_keras_object(reduction))
    assert [float(again.steepness_at(step)) for step in (0, 6, 7, 20)] == [10, 10, 30, 90]
    assert again.deployed.get_config() == Removal().get_config()


@pytest.mark.parametrize("steps", [61, 115])
def test_lambda_grows_at_the_first_step_of_an_epoch(steps):
    schedule = SteepnessSchedule(steps)
    for epoch in range(1, 5):
        before, at = (float(schedule(epoch * steps + each)) for each in (-1, 0))
        assert (before, at) == pytest.approx((10.0**epoch, 10.0 ** (epoch + 1)))


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="TensorFlow trains it")
def test_other_backends_do_not_train_it():
    with pytest.raises(InputError, match="trains on TensorFlow. Received: KERAS_BACKEND=jax"):
        SoftRemoval().train_step(None, None, None)


def test_attention_is_not_dropped_out_while_words_fade():
    model = models.small_classifier(reduction=SoftRemoval())
    assert model.get_layer("encoder_0_attention_output").attention_dropout == 0
    hard = model.with_reduction(Removal())
    assert hard.get_layer("encoder_0_attention_output").attention_dropout == 0.1
    assert hard.config.attention_dropout == model.config.attention_dropout == 0.1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"gamma": -1.0}, "gamma=-1.0"),
        ({"phi": float("nan")}, "phi=nan"),
        ({"steepness": 0.0}, "steepness=0.0"),
        ({"slope": 0.2}, "slope=0.2"),
    ],
)
def test_what_is_out_of_range(arguments, named):
    with pytest.raises(InputError, match=f"Received: {named}"):
        SoftRemoval(**arguments)


@pytest.mark.parametrize("argument", ["steps_per_epoch", "start", "factor"])
def test_a_schedule_of_nothing(argument):
    with pytest.raises(ValueError, match=f"Received: {argument}=0"):
        SteepnessSchedule(**{"steps_per_epoch": 5, argument: 0})


def test_a_model_without_predictors():
    with pytest.raises(InputError, match="needs a model with predictors.*reduction=NoReduction"):
        models.small_classifier().with_reduction(Removal())


@pytest.mark.parametrize(("width", "layers", "most"), [(768, 12, 0.01), (384, 6, 0.02)])
def test_predictors_cost_little(width, layers, most):
    config = EncoderConfig(
        num_layers=layers, num_heads=12, hidden_dim=width, intermediate_dim=4 * width
    )
    whole = computed_flops(config, 53)
    assert 0 < Removal().overhead(config, 53, (53,) * layers) < most * whole
