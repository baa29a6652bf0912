"""How much each word-piece matters at each encoder, by four measures that can be compared."""

import keras
import numpy as np
import tensorflow as tf

from power_bert_tf.modeling import Reduction


class _Watched(Reduction):
    """Plain BERT that hands out what enters each encoder, and its attention."""

    leaves_cls = False  # All words' attention is looked at in the last encoder too.

    def before_encoder(self, layers, index, vectors):
        return vectors.remember(**{f"encoder_{index}_hidden": vectors.hidden})

    def fade(self, layers, index, vectors, probabilities):
        attention = keras.ops.mean(probabilities, axis=1)
        return vectors.remember(**{f"encoder_{index}_attention": attention})


class WordScores:
    """Scores of word-pieces under a fine-tuned BERT, 1 in all at each encoder.

    - "attention": what a word receives from the others, summed over heads (PoWER-BERT, 3.2).
    - "attention rollout": what [CLS] has of a word, when attention is multiplied through the
      encoders, half of it a word's own (Abnar and Zuidema, 2020).
    - "saliency": gradient times input of the right answer's logit, where the word enters the
      encoder, as the L2 norm over the hidden dimension.

    Args:
        bert: `BertClassifier`, plain.

    Call arguments:
        inputs: dict of int tensors (1, rows), one text without padding.
        label: int, the right class.

    Returns:
        dict of each measure to a float32 array (encoders, rows).

    Reference: AdapLeR (Modarressi et al., 2022), sections 5.2 and 5.3.
    """

    def __init__(self, bert):
        watched = bert.with_reduction(_Watched()).at_length(None)
        logits = watched.logits_model.output
        self._graph = keras.Model(watched.input, {"logits": logits, **watched.remembered})
        self._layers = bert.config.num_layers
        self._scores = tf.function(self._tensors, reduce_retracing=True)

    def __call__(self, inputs, label):
        inputs = {name: inputs[name] for name in self._graph.input}
        attention, saliency = (
            tensor.numpy() for tensor in self._scores(inputs, tf.constant(label, tf.int32))
        )
        received = attention.sum(axis=1)
        return {
            "attention": _normalised(received),
            "attention rollout": _normalised(rollout(attention)),
            "saliency": _normalised(saliency),
        }

    def _tensors(self, inputs, label):
        names = [f"encoder_{index}_hidden" for index in range(self._layers)]
        with tf.GradientTape() as tape:
            seen = self._graph(inputs, training=False)
            logit = seen["logits"][0, label]
        gradients = tape.gradient(logit, [seen[name] for name in names])
        products = [
            tf.cast(gradient[0], tf.float32) * tf.cast(seen[name][0], tf.float32)
            for gradient, name in zip(gradients, names, strict=True)
        ]
        saliency = [tf.norm(product, axis=-1) for product in products]
        attention = [seen[f"encoder_{index}_attention"][0] for index in range(self._layers)]
        return tf.cast(tf.stack(attention), tf.float32), tf.stack(saliency)


def rollout(attention):
    """What [CLS] has of each word after each encoder.

    Args:
        attention: array (encoders, rows, rows), the mean over heads; each row sums to 1.

    Returns:
        Array (encoders, rows).

    Reference: Abnar and Zuidema, Quantifying Attention Flow in Transformers (ACL 2020), section 3.
    """
    found, through = [], np.eye(attention.shape[1])
    for each in attention:
        through = (0.5 * each + 0.5 * np.eye(len(each))) @ through
        found.append(through[0])
    return np.array(found)


def _normalised(scores):
    return scores / scores.sum(axis=1, keepdims=True)
