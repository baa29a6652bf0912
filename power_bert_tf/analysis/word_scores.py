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


_OWN_ANSWER = -1


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
        label: int, the class that saliency is of; the model's own answer where None.

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

    def __call__(self, inputs, label=None):
        attention, saliency = self.attention_and_saliency(inputs, label)
        return {
            "attention": _normalised(attention.sum(axis=1)),
            "attention rollout": _normalised(rollout(attention)[:, 0]),
            "saliency": _normalised(saliency),
        }

    def attention_and_saliency(self, inputs, label=None):
        """What the scores are made of.

        Args:
            inputs, label: see above.

        Returns:
            Attention, float32 array (encoders, rows, rows), the mean over heads; and saliency,
            float32 array (encoders, rows), not normalised.
        """
        inputs = {name: inputs[name] for name in self._graph.input}
        label = tf.constant(_OWN_ANSWER if label is None else label, tf.int32)
        attention, saliency = self._scores(inputs, label)
        return attention.numpy(), saliency.numpy()

    def _tensors(self, inputs, label):
        names = [f"encoder_{index}_hidden" for index in range(self._layers)]
        with tf.GradientTape() as tape:
            seen = self._graph(inputs, training=False)
            logits = seen["logits"][0]
            own = tf.argmax(logits, output_type=tf.int32)
            logit = logits[tf.where(label == _OWN_ANSWER, own, label)]
        gradients = tape.gradient(logit, [seen[name] for name in names])
        products = [
            tf.cast(gradient[0], tf.float32) * tf.cast(seen[name][0], tf.float32)
            for gradient, name in zip(gradients, names, strict=True)
        ]
        saliency = [tf.norm(product, axis=-1) for product in products]
        attention = [seen[f"encoder_{index}_attention"][0] for index in range(self._layers)]
        return tf.cast(tf.stack(attention), tf.float32), tf.stack(saliency)


def rollout(attention):
    """What each word has of each other after each encoder.

    Args:
        attention: array (encoders, rows, rows), the mean over heads; each row sums to 1.

    Returns:
        Array (encoders, rows, rows), whose rows sum to 1 too.

    Reference: Abnar and Zuidema, Quantifying Attention Flow in Transformers (ACL 2020), section 3.
    """
    found, through = [], np.eye(attention.shape[1], dtype="float32")
    for each in attention:
        through = 0.5 * (each @ through + through)
        found.append(through)
    return np.array(found)


def _normalised(scores):
    return scores / scores.sum(axis=1, keepdims=True)
