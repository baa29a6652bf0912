"""PoWER-BERT's elimination played out: word-vectors are masked, and the lengths can change."""

import keras
from keras import ops

from power_bert_tf.layers.ranking import prioritise
from power_bert_tf.layers.ranking import sorted_positions
from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.modeling.reduction import Reduction


class KeepMostSignificant(keras.layers.Layer):
    """Masks all but the word-vectors of highest score, as many as it is told to keep.

    Call arguments:
        score: tensor of shape (batch, rows).
        padding_mask, input_mask: int tensors of shape (batch, rows), of the encoder and of the
            input.

    Returns:
        int tensor of shape (batch, rows), the padding mask of those that stay.
    """

    def build(self, *shapes):
        # Every word, until `keep` is called.
        self.share = self._number("share", 1)
        self.reference = self._number("reference", 1)
        self.most = self._number("most", 2**30)

    def _number(self, name, value):
        return self.add_weight(
            name=name, dtype="int32", initializer=lambda *_, **__: value, trainable=False
        )

    def keep(self, length, reference_length=None):
        """Sets how many stay: `length`, or length * n / reference_length of a text of n words."""
        relative = reference_length is not None
        self.share.assign(length if relative else 1)
        self.reference.assign(reference_length if relative else 1)
        self.most.assign(2**30 if relative else length)

    def call(self, score, padding_mask, input_mask):
        words = ops.sum(ops.cast(input_mask, "int32"), axis=1)
        reference = ops.convert_to_tensor(self.reference)
        budget = (self.share * words + reference - 1) // reference
        budget = ops.minimum(budget, ops.convert_to_tensor(self.most))
        ranks = sorted_positions(prioritise(ops.cast(score, "float32"), padding_mask))
        return padding_mask * ops.cast(ranks < budget[:, None], padding_mask.dtype)

    def compute_output_spec(self, score, padding_mask, input_mask):
        return keras.KerasTensor(padding_mask.shape, dtype=padding_mask.dtype)


class Masking(Reduction):
    """Answers like `Extraction`, in the time of BERT, for any lengths over one graph.

    A word-vector that is masked is attended to no more, so that what is left is what `Extraction`
    computes. `keep` sets the lengths.
    """

    fades = True

    def fade(self, layers, index, vectors, probabilities):
        score = layers(SignificanceScore, f"encoder_{index}_significance")(
            probabilities, vectors.padding_mask
        )
        keep = layers(KeepMostSignificant, self._layer_name(index))
        return vectors.replace(padding_mask=keep(score, vectors.padding_mask, vectors.input_mask))

    @staticmethod
    def _layer_name(index):
        return f"encoder_{index}_keep"

    def keep(self, model, retention):
        """Has a model with this reduction answer as with `Extraction(retention)`."""
        # Whom the last encoder keeps beside CLS is not looked at, and in no graph.
        for index, length in enumerate(retention.lengths[:-1]):
            layer = model.get_layer(self._layer_name(index))
            layer.keep(length, retention.reference_length)
