"""What predicts, before an encoder, what each word contributes to the answer."""

import keras
from keras import ops

from power_bert_tf.layers.feed_forward import activate
from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.packing import take
from power_bert_tf.methods.adapler.contributions import contributions

HIDDEN_DIM = 32


@keras.saving.register_keras_serializable(package="power_bert_tf")
class ContributionPredictor(keras.layers.Layer):
    """Two dense layers and a softmax over a text's own words that are still there.

    Args:
        activation: str, that of the first dense layer; one of those of `FeedForward`.
        hidden_dim: int, its width.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        hidden: tensor of shape (batch, rows, hidden_dim), the word-vectors that enter an encoder.
        present: float32 tensor of shape (batch, rows): 1 for words, 0 for padding, between them
            for words that fade.
        places: int tensor of shape (batch, rows) or None. `hidden` is of packed rows, (total,
            hidden_dim), and this is where each row of a text stands there; see `Packing`.

    Returns:
        float32 tensor of shape (batch, rows) whatever the dtype policy: each word's contribution,
        1 in all.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.1; its authors' code (widths).
    """

    def __init__(self, activation="gelu", hidden_dim=HIDDEN_DIM, **kwargs):
        # Autocasting would round how far a word is still there.
        super().__init__(autocast=False, **kwargs)
        self.activation = activation
        self.hidden_dim = hidden_dim

    def build(self, hidden_shape, present_shape=None, places_shape=None):
        self.first = self._dense("hidden", self.hidden_dim, hidden_shape[-1])
        self.second = self._dense("score", 1, self.hidden_dim)

    def _dense(self, name, units, input_dim):
        dense = keras.layers.Dense(
            units, kernel_initializer=bert_initializer(), dtype=self.dtype_policy, name=name
        )
        dense.build((None, None, input_dim))
        return dense

    def call(self, hidden, present, places=None):
        scores = self.second(activate(self.first(hidden), self.activation))
        scores = ops.squeeze(scores, axis=-1)
        if places is not None:
            scores = take(scores, places)
        return contributions(ops.cast(scores, "float32"), present)

    def compute_output_spec(self, hidden, present, places=None):
        return keras.KerasTensor(present.shape, dtype="float32")

    def get_config(self):
        config = super().get_config()
        config.update({"activation": self.activation, "hidden_dim": self.hidden_dim})
        return config
