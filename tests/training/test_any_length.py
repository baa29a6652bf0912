"""The graph that batches of any length train on, traced once for all of them."""

import numpy as np
import pytest
import tensorflow as tf
from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import REDUCTIONS
from modeling.models import logits
from modeling.models import pad
from modeling.models import random_text
from modeling.models import reduced_classifier


@pytest.mark.parametrize("name", REDUCTIONS)
def test_one_trace_answers_as_the_graph_of_each_length(name):
    model = reduced_classifier(name, LONGER)
    any_length = model.at_length(None).logits_model
    signature = {key: tf.TensorSpec((None, None), tf.int32) for key in model.input}
    function = tf.function(any_length, input_signature=[signature])
    generator = np.random.default_rng(0)
    for length in (3, LENGTH, LONGER):
        inputs = pad([random_text(generator, length) for _ in range(3)], length)
        expected = logits(model.at_length(length), inputs)
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        np.testing.assert_allclose(function(tensors), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_trained_learns_the_same(name):
    """The graph that is trained leaves out what does not reach CLS: the gradients are equal."""
    model = reduced_classifier(name, LENGTH)
    generator = np.random.default_rng(0)
    texts = [random_text(generator, length) for length in (3, 5, LENGTH)]
    inputs = {key: tf.constant(value) for key, value in pad(texts, LENGTH).items()}

    def gradients(graph):
        with tf.GradientTape() as tape:
            outputs = graph(inputs, training=False)
            loss = tf.reduce_sum(outputs[:, 0] ** 2) + sum(graph.losses)
        each = tape.gradient(loss, [each.value for each in model.trainable_variables])
        # What has none, as the segments that no text has, has none in either.
        return [None if one is None else tf.convert_to_tensor(one).numpy() for one in each]

    expected = gradients(model)
    assert max(np.abs(each).max() for each in expected if each is not None) > 1e-3
    for trained in (model.for_training(), model.for_training(LENGTH)):
        assert [each.path for each in trained.trainable_variables] == [
            each.path for each in model.trainable_variables
        ]
        for one, other in zip(gradients(trained), expected, strict=True):
            assert (one is None) == (other is None)
            if other is not None:
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
