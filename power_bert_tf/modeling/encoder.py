"""The graph of BERT's encoders, with a reduction asked at three places."""

import keras

from power_bert_tf.layers import AttentionOutput
from power_bert_tf.layers import BertEmbeddings
from power_bert_tf.layers import FeedForward
from power_bert_tf.layers import SelfAttention


def encoder_inputs(sequence_length, has_segments=True):
    """The symbolic inputs, a dict of int32 tensors of shape (batch, sequence_length)."""
    names = ["token_ids", "padding_mask"]
    if has_segments:
        names.insert(1, "segment_ids")
    return {name: keras.Input((sequence_length,), dtype="int32", name=name) for name in names}


def encode(config, reduction, shared, inputs):
    """Builds BERT's encoders over symbolic inputs.

    Args:
        config: `EncoderConfig`.
        reduction: `Reduction`.
        shared: `SharedLayers`, from which every layer comes.
        inputs: dict of symbolic tensors as `encoder_inputs` makes it.

    Returns:
        hidden: symbolic tensor of shape (batch, rows, hidden_dim); CLS in row 0.
        padding_mask: symbolic int tensor of shape (batch, rows).
    """
    input_mask = padding_mask = inputs["padding_mask"]
    embeddings = shared(
        BertEmbeddings,
        "embeddings",
        vocabulary_size=config.vocabulary_size,
        hidden_dim=config.hidden_dim,
        max_sequence_length=config.max_sequence_length,
        num_segments=config.num_segments,
        dropout=config.dropout,
        layer_norm_epsilon=config.layer_norm_epsilon,
    )
    hidden = embeddings(inputs["token_ids"], inputs.get("segment_ids"))
    for index in range(config.num_layers):
        shape = config.encoder(index)
        hidden, padding_mask = reduction.before_encoder(
            shared, index, hidden, padding_mask, input_mask
        )
        probabilities, values = shared(
            SelfAttention,
            f"encoder_{index}_self_attention",
            num_heads=shape.num_heads,
            key_dim=shape.key_dim,
            value_dim=shape.value_dim,
        )(hidden, padding_mask)
        hidden, probabilities, padding_mask = reduction.before_output(
            shared, index, hidden, probabilities, padding_mask, input_mask
        )
        hidden = shared(
            AttentionOutput,
            f"encoder_{index}_attention_output",
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            layer_norm_epsilon=config.layer_norm_epsilon,
        )(hidden, probabilities, values)
        hidden, padding_mask = reduction.after_output(
            shared, index, hidden, probabilities, padding_mask, input_mask
        )
        hidden = shared(
            FeedForward,
            f"encoder_{index}_feed_forward",
            intermediate_dim=shape.intermediate_dim,
            activation=config.activation,
            dropout=config.dropout,
            layer_norm_epsilon=config.layer_norm_epsilon,
        )(hidden)
    return hidden, padding_mask
