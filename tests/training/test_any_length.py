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
