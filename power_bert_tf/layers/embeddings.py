"""The embedding layer of BERT."""

import keras
from keras import ops

from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.layer_norm import LayerNorm


@keras.saving.register_keras_serializable(package="power_bert_tf")
class BertEmbeddings(keras.layers.Layer):
    """Sum of word-piece, position and segment embeddings, normalised.

    Args:
        vocabulary_size: int. Number of word-pieces.
        hidden_dim: int. Width of a word-vector.
        max_sequence_length: int. Number of position embeddings; inputs may be shorter.
        num_segments: int. Number of segment embeddings; 0 for a model without segments. Where it
            is 1, every word has the same.
        dropout: float. Dropout rate of the output, during training.
        layer_norm_epsilon: float. Added to the variance.
        position_offset: int. Number of position embeddings before that of the first word, on top
            of `max_sequence_length`.
        **kwargs: those of `keras.layers.Layer`.

    Call arguments:
        token_ids: int tensor of shape (batch, N).
        segment_ids: int tensor of shape (batch, N); not read where `num_segments` is
            below 2.
        positions: int tensor of shape (total,), where each word of packed rows stands in its
            text, from 0; `token_ids` and `segment_ids` are (total,) then.

    Returns:
        Tensor of shape (batch, N, hidden_dim); of packed rows (total, hidden_dim).

    Raises:
        ValueError: where N is larger than `max_sequence_length`.

    Reference: Devlin et al., BERT (NAACL 2019), section 3, figure 2.
    """

    def __init__(
        self,
        vocabulary_size,
        hidden_dim,
        max_sequence_length=512,
        num_segments=2,
        dropout=0.1,
        layer_norm_epsilon=1e-12,
        position_offset=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.hidden_dim = hidden_dim
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.dropout = dropout
        self.layer_norm_epsilon = layer_norm_epsilon
        self.position_offset = position_offset

    def build(self, token_ids_shape, segment_ids_shape=None, positions_shape=None):
        self.token_embedding = self._table("token_embedding", self.vocabulary_size)
        self.position_embedding = self._table(
            "position_embedding", self.position_offset + self.max_sequence_length
        )
        if self.num_segments:
            self.segment_embedding = self._table("segment_embedding", self.num_segments)
        self.layer_norm = LayerNorm(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )
        self.layer_norm.build((None, None, self.hidden_dim))
        self.dropout_layer = keras.layers.Dropout(
            self.dropout, dtype=self.dtype_policy, name="dropout"
        )

    def _table(self, name, rows):
        table = keras.layers.Embedding(
            rows,
            self.hidden_dim,
            embeddings_initializer=bert_initializer(),
            dtype=self.dtype_policy,
            name=name,
        )
        table.build()
        return table

    def call(self, token_ids, segment_ids=None, positions=None, training=None):
        length = None if positions is not None else token_ids.shape[1]
        if length is not None and length > self.max_sequence_length:
            raise ValueError(
                "`token_ids` must be at most `max_sequence_length` long. "
                f"Received: length={length}, max_sequence_length={self.max_sequence_length}"
            )
        hidden = self.token_embedding(token_ids)
        if positions is None:
            positions = ops.arange(ops.shape(token_ids)[1])
        hidden = hidden + self.position_embedding(positions + self.position_offset)
        if self.num_segments == 1:
            hidden = hidden + self.segment_embedding(ops.zeros_like(token_ids))
        elif self.num_segments:
            hidden = hidden + self.segment_embedding(segment_ids)
        return self.dropout_layer(self.layer_norm(hidden), training=training)

    def compute_output_shape(self, token_ids_shape, segment_ids_shape=None, positions_shape=None):
        return (*token_ids_shape, self.hidden_dim)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "vocabulary_size": self.vocabulary_size,
                "hidden_dim": self.hidden_dim,
                "max_sequence_length": self.max_sequence_length,
                "num_segments": self.num_segments,
                "dropout": self.dropout,
                "layer_norm_epsilon": self.layer_norm_epsilon,
                "position_offset": self.position_offset,
            }
        )
        return config
