"""One step, two losses: who learns from which."""

import keras
import numpy as np
import pytest
from modeling import models

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.adapting_optimizer import adapting_optimizer
from power_bert_tf.methods.adapler.adapting_optimizer import is_threshold
from power_bert_tf.methods.adapler.reductions import SoftRemoval
from power_bert_tf.methods.adapler.steepness import SteepnessSchedule

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="trains on TensorFlow"
)
LABELS = np.array([0, 1, 1, 0])


def batch(saliency=True):
    generator = np.random.default_rng(0)
    inputs = models.pad([models.random_text(generator, words) for words in (8, 3, 6, 5)], 8)
    if saliency:
        shares = generator.random((4, 8), dtype="float32") * inputs["padding_mask"]
        inputs["saliency"] = shares / shares.sum(axis=1, keepdims=True)
    return inputs


def model(gamma=0.5, phi=0.5, steepness=30.0):
    # Without dropout, so that steps differ in nothing else.
    config = models.small_config(dropout=0.0, attention_dropout=0.0)
    made = models.small_classifier(config=config, reduction=SoftRemoval(gamma, phi, steepness))
    for layer in made.layers:
        if hasattr(layer, "steepness"):
            layer.steepness.assign(30.0)
    return made


def stepped(gamma, phi, learning_rate=1e-2, threshold_rate=1e-2):
    """How each variable has moved in one step, a dict by path."""
    trained = model(gamma, phi)
    trained.compile(
        keras.optimizers.MultiOptimizer(
            keras.optimizers.OptimizerMap(
                keras.optimizers.SGD(learning_rate),
                {".*_(threshold|pooling)/.*": keras.optimizers.SGD(threshold_rate)},
            )
        ),
        "sparse_categorical_crossentropy",
        run_eagerly=True,  # To trace a graph takes longer than a step.
    )
    before = {each.path: each.numpy() for each in trained.trainable_weights}
    trained.train_on_batch(batch(), LABELS)
    return {each.path: each.numpy() - before[each.path] for each in trained.trainable_weights}


def moved(one, other, which):
    names = [path for path in one if which(path)]
    assert names
    return [path for path in names if not np.allclose(one[path], other[path], atol=1e-7)]


class _Path:
    def __init__(self, path):
        self.path = path


def of_thresholds(path):
    return is_threshold(_Path(path))


def of_predictors(path):
    return "_contribution/" in path


def test_thresholds_learn_from_length_and_predictors_from_saliency():
    base, more_gamma, more_phi = stepped(0.5, 0.5), stepped(2.0, 0.5), stepped(0.5, 2.0)
    assert moved(base, more_phi, of_thresholds)
    assert not moved(base, more_phi, lambda path: not of_thresholds(path))
    assert not moved(base, more_gamma, of_thresholds)
    assert moved(base, more_gamma, of_predictors)
    assert moved(base, more_gamma, lambda path: path.endswith("query/kernel"))


def test_more_phi_raises_eta():
    etas = [path for path in stepped(0.0, 0.0) if path.endswith("/eta")]
    base, more = stepped(0.0, 0.0), stepped(0.0, 5.0)
    assert all(more[path] > base[path] for path in etas)


def test_the_schedule_sets_lambda():
    trained = model(steepness=SteepnessSchedule(2, 10.0, 7.0))
    trained.compile(
        adapting_optimizer(1e-3, 1e-3, 1e-3, 6), "sparse_categorical_crossentropy", run_eagerly=True
    )
    seen = []
    for _ in range(5):
        trained.train_on_batch(batch(), LABELS)
        seen.append(float(trained.get_layer("encoder_1_soft_mask").steepness.numpy()))
    assert seen == [10, 10, 70, 70, 490]


def test_model_fit(tmp_path):
    import tensorflow as tf

    trained = model(gamma=0.1, phi=0.01)
    trained.compile(
        adapting_optimizer(3e-3, 3e-3, 1e-2, 60),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    data = tf.data.Dataset.from_tensor_slices((batch(), LABELS)).batch(4).repeat()
    history = trained.fit(data, steps_per_epoch=20, epochs=3, verbose=0, shuffle=False).history
    assert history["loss"][-1] < history["loss"][0]
    trained.save(tmp_path / "soft.keras")
    loaded = keras.models.load_model(tmp_path / "soft.keras")
    inputs = batch(saliency=False)
    np.testing.assert_allclose(models.outputs(loaded, inputs), models.outputs(trained, inputs))
    faster = loaded.with_reduction(loaded.reduction.deployed)
    assert faster.reduction.etas(faster) == trained.reduction.etas(trained)


def test_batches_without_saliency():
    trained = model()
    trained.compile(adapting_optimizer(1e-3, 1e-3, 1e-3, 5), "sparse_categorical_crossentropy")
    with pytest.raises(InputError, match="the inputs must hold 'saliency'.*padding_mask"):
        trained.train_on_batch(batch(saliency=False), LABELS)
