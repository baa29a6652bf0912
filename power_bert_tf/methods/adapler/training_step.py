"""One training step with two losses: one for the model, one for what makes it fast."""

import keras
from keras import ops

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.adapting_optimizer import is_threshold
from power_bert_tf.methods.adapler.contributions import amplified
from power_bert_tf.methods.adapler.contributions import divergence
from power_bert_tf.methods.adapler.contributions import presence
from power_bert_tf.methods.adapler.contributions import soft_length

SALIENCY = "saliency"


def training_step(reduction, model, data):
    """Trains `model` on one batch; what Keras calls instead of its own step, on TensorFlow.

    BERT and the predictors learn from L_CE + gamma * L_CP (equation 5), the thresholds and the
    pooling of CLS from L_CE + phi * L_LENGTH (equation 8). Were it one loss, the predictors would
    be drawn towards contributions that make the model fast, whatever the words mean.

    Args:
        reduction: `SoftRemoval`.
        model: `BertClassifier`, compiled.
        data: what `fit` gives a training step: (inputs, labels) or with weights of the examples.

    Returns:
        dict, the logs.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.3.
    """
    import tensorflow as tf

    inputs, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if SALIENCY not in inputs:
        raise InputError(
            f"the inputs must hold {SALIENCY!r}, (batch, N), beside the model's own. "
            f"Received: {', '.join(sorted(inputs))}"
        )
    steepness = reduction.steepness_at(model.optimizer.iterations)
    for index in range(model.config.num_layers):
        model.get_layer(reduction.mask_name(index)).steepness.assign(steepness)
    graph = keras.Model(model.input, {"outputs": model.output, **model.remembered})
    own = {name: inputs[name] for name in model.input}
    with tf.GradientTape() as adapting, tf.GradientTape() as shortening:
        seen = graph(own, training=True)
        task = model.compute_loss(
            x=inputs, y=labels, y_pred=seen["outputs"], sample_weight=sample_weight, training=True
        )
        predicting, left = (
            _predictors_loss(reduction, model, inputs, seen),
            _length(model, seen, own),
        )
        losses = task + reduction.gamma * predicting, task + reduction.phi * left
        scaled = [model.optimizer.scale_loss(loss) for loss in losses]
    variables = model.trainable_weights
    thresholds = [each for each in variables if is_threshold(each)]
    others = [each for each in variables if not is_threshold(each)]
    gradients = adapting.gradient(scaled[0], [each.value for each in others])
    gradients += shortening.gradient(scaled[1], [each.value for each in thresholds])
    model.optimizer.apply_gradients(zip(gradients, others + thresholds, strict=True))
    model._loss_tracker.update_state(losses[0], sample_weight=ops.shape(seen["outputs"])[0])
    return model.compute_metrics(inputs, labels, seen["outputs"], sample_weight=sample_weight)


def _predictors_loss(reduction, model, inputs, seen):
    """L_CP (equation 6), the mean over the texts."""
    layers, bias, total = model.config.num_layers, None, 0.0
    saliency = ops.cast(inputs[SALIENCY], "float32")
    for index in range(layers):
        # What a predictor sees of words that have faded, its target has of them too.
        target = saliency * presence(inputs["padding_mask"], bias)
        if index > 0:
            target = model.get_layer(reduction.pooling_name(index)).target(target)
        else:
            target = amplified(target, 1.0)
        contributed = seen[f"encoder_{index}_contributions"]
        total += (layers - index) * ops.mean(divergence(target, contributed))
        bias = seen[f"encoder_{index}_bias"]
    return total


def _length(model, seen, inputs):
    """L_LENGTH (equation 8), the mean over the texts."""
    mask = inputs["padding_mask"]
    return sum(
        ops.mean(soft_length(presence(mask, seen[f"encoder_{index}_bias"])))
        for index in range(model.config.num_layers)
    )
