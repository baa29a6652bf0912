import keras
import numpy as np
import pytest
import tensorflow as tf

from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.search_optimizer import search_optimizer
from power_bert_tf.training.optimizers import BertAdamW
from power_bert_tf.training.optimizers import fine_tuning_optimizer
from power_bert_tf.training.schedules import WarmupLinearDecay
from training import toy

NAMES = ("kernel", "bias", "gamma", "beta", "embeddings")


def variables(seed=0):
    generator = np.random.default_rng(seed)
    return [keras.Variable(generator.normal(size=(3,)), name=name) for name in NAMES]


def numpy_steps(values, gradients, decayed, rate, decay=0.01, epsilon=1e-6):
    """AdamW of Loshchilov and Hutter with BERT's numbers, after clipping to a global norm of 1."""
    first = [np.zeros_like(value) for value in values]
    second = [np.zeros_like(value) for value in values]
    for step, gradient in enumerate(gradients, start=1):
        norm = np.sqrt(sum((each**2).sum() for each in gradient))
        gradient = [each / max(1.0, norm) for each in gradient]
        for index, each in enumerate(gradient):
            first[index] = 0.9 * first[index] + 0.1 * each
            second[index] = 0.999 * second[index] + 0.001 * each**2
            if decayed[index]:
                values[index] = values[index] - rate * decay * values[index]
            # Keras folds the bias corrections into the rate, as the paper on Adam suggests.
            corrected = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            values[index] = values[index] - corrected * first[index] / (
                np.sqrt(second[index]) + epsilon
            )
    return values


@pytest.mark.parametrize("scale", [0.01, 30.0])
def test_steps_are_those_of_numpy(scale):
    ours = variables()
    values = [np.array(each) for each in ours]
    gradients = [
        [scale * np.random.default_rng(10 * step + index).normal(size=(3,)) for index in range(5)]
        for step in range(3)
    ]
    optimizer = BertAdamW(0.02)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32") for g in gradient], ours)
    expected = numpy_steps(values, gradients, [True, False, False, False, True], rate=0.02)
    for variable, value in zip(ours, expected, strict=True):
        np.testing.assert_allclose(np.array(variable), value, rtol=2e-5, atol=1e-6)


def test_a_word_that_comes_twice_gets_the_sum_of_its_gradients():
    """Without clipping, which sums them itself, embeddings hand in a gradient for each use."""
    rows = tf.IndexedSlices(
        tf.constant([[0.1, 0.2], [0.3, -0.4]]), tf.constant([1, 1]), tf.constant([4, 2])
    )
    moved = []
    for gradient in (rows, tf.convert_to_tensor(rows)):
        variable = keras.Variable(np.ones((4, 2)), name="embeddings")
        optimizer = BertAdamW(0.1, global_clipnorm=None)
        for _ in range(2):
            optimizer.apply([gradient], [variable])
        moved.append(np.array(variable))
    np.testing.assert_allclose(*moved, rtol=1e-6)
    assert (moved[0][1] != moved[0][0]).all()


def test_biases_and_norms_do_not_decay():
    model = toy.classifier(seed=0)
    before = toy.weights(model)
    optimizer = fine_tuning_optimizer(0.5, steps=4, warmup=0.0)
    zeros = [keras.ops.zeros_like(each) for each in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    after = toy.weights(model)
    kept = {path for path in before if np.array_equal(before[path], after[path])}
    assert kept == {path for path in before if path.endswith(("bias", "gamma", "beta"))}
    for path in before.keys() - kept:
        # One step of decay at 0.5 * 4/5, a schedule of four steps without warm-up.
        np.testing.assert_allclose(after[path], before[path] * (1 - 0.4 * 0.01), rtol=1e-5)


def test_survives_keras_files(tmp_path):
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(4, 3)), generator.normal(size=(4, 1))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(BertAdamW(WarmupLinearDecay(0.1, 9)), "mse")
    model.train_on_batch(inputs, targets)
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    assert type(restored.optimizer) is BertAdamW
    for name in ("weight_decay", "epsilon", "global_clipnorm"):
        assert restored.optimizer.get_config()[name] == model.optimizer.get_config()[name]
    for each in (model, restored):
        each.train_on_batch(inputs, targets)
    for ours, theirs in zip(model.weights, restored.weights, strict=True):
        np.testing.assert_array_equal(np.array(ours), np.array(theirs))
    _, bias = restored.weights
    assert not restored.optimizer._use_weight_decay(bias)


def search_model(strength=0.0, **arguments):
    return toy.classifier(seed=1, reduction=SoftExtraction(strength), **arguments)


def batch(model):
    texts = toy.examples(8, seed=4)
    inputs = {name: np.array(each) for name, each in toy.preprocessor()(texts.texts).items()}
    return inputs, texts.labels


def test_a_tenth_of_the_steps_warms_up():
    search = search_optimizer(1e-3, 1e-2, steps=100)
    rates = [float(each.learning_rate) for each in search.optimizers]
    # The first of ten steps up to the peak.
    assert sorted(rates) == pytest.approx([1e-4, 1e-3])
    assert float(fine_tuning_optimizer(1e-3, steps=100).learning_rate) == pytest.approx(1e-4)
    assert float(WarmupLinearDecay(1e-3, 100)(0)) == pytest.approx(1e-4)


def test_search_learns_at_two_rates():
    """Adam's first step moves a weight by the learning rate, whatever its gradient."""
    model = search_model(1.0, config=toy.config(num_layers=1))
    before = toy.weights(model)
    optimizer = search_optimizer(1e-4, 0.25, steps=1, warmup=0.0, weight_decay=0.0)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.train_on_batch(*batch(model))
    moves = {path: np.abs(value - before[path]).max() for path, value in toy.weights(model).items()}
    retention = {path for path in moves if path.endswith("retention")}
    assert len(retention) == 1
    # Both halve at the only step of a schedule of one step: 1 / (1 + 1).
    for path, move in moves.items():
        rate = 0.5 * (0.25 if path in retention else 1e-4)
        # Weights near 1 are rounded to 6e-8.
        assert move <= rate + 1e-7, path
    assert min(moves[path] for path in retention) > 0.99 * 0.125
    assert moves["classifier/kernel"] > 0.9 * 0.5e-4


def test_search_does_not_decay_retention():
    model = search_model()
    optimizer = search_optimizer(0.5, 0.5, steps=2, warmup=0.0)
    before = toy.weights(model)
    zeros = [keras.ops.zeros_like(each) for each in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    after = toy.weights(model)
    path = "classifier/kernel"
    assert np.abs(after[path]).sum() < np.abs(before[path]).sum()
    for path in (path for path in before if path.endswith("retention")):
        np.testing.assert_array_equal(before[path], after[path])


@pytest.mark.slow
def test_search_under_xla_and_mixed_precision():
    model = search_model(0.1, dtype="mixed_bfloat16", config=toy.config(num_layers=1))
    model.compile(
        search_optimizer(1e-3, 0.1, steps=20),
        "sparse_categorical_crossentropy",
        jit_compile=True,
    )
    inputs, labels = batch(model)
    losses = [float(model.train_on_batch(inputs, labels)) for _ in range(12)]
    masses = model.reduction.masses(model)
    assert losses[-1] < losses[0]
    assert all(0 <= mass < 0.9 * toy.LENGTH for mass in masses)
    retention = model.reduction.retention_parameters(model)
    assert all(values.min() >= 0 and values.max() <= 1 for values in retention)
    assert {each.dtype for each in model.trainable_variables} == {"float32"}
