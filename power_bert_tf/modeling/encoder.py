"""The one graph of all backbones, with a reduction asked at three places of each encoder."""

import keras

from power_bert_tf.layers import AttentionOutput
from power_bert_tf.layers import BertEmbeddings
from power_bert_tf.layers import FeedForward
from power_bert_tf.layers import SelfAttention
from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.modeling.devices import has_accelerator


def fuses_attention():
    """Whether attention that nobody looks at is the backend's fused one: JAX's, on accelerators.

    On a CPU TensorFlow's is the same products, and JAX's takes longer than they do.
    """
    return keras.config.backend() == "jax" and has_accelerator()


def encoder_inputs(sequence_length, has_segments=True):
    """The symbolic inputs, a dict of int32 tensors of shape (batch, sequence_length)."""
    names = ["token_ids", "padding_mask"]
    if has_segments:
        names.insert(1, "segment_ids")
    return {name: keras.Input((sequence_length,), dtype="int32", name=name) for name in names}


def encode(config, reduction, shared, inputs, lean=False):
    """Builds the encoders of any backbone over symbolic inputs.

    Args:
        config: `EncoderConfig`.
        reduction: `Reduction`.
        shared: `SharedLayers`, from which every layer comes.
        inputs: dict of symbolic tensors as `encoder_inputs` makes it.
        lean: bool. Leave out what does not reach CLS, and fuse attention that nobody looks at;
            for inference, since the layers' dropout has other rows to fall on.

    Returns:
        hidden: symbolic tensor of shape (batch, rows, hidden_dim); CLS in row 0, and where
            `lean`, alone if the reduction lets it.
        padding_mask: symbolic int tensor of shape (batch, rows).
    """
    input_mask = padding_mask = inputs["padding_mask"]
    embeddings = shared(
        BertEmbeddings,
        "embeddings",
        vocabulary_size=config.vocabulary_size,
        hidden_dim=config.embedding_width,
        max_sequence_length=config.max_sequence_length,
        num_segments=config.num_segments,
        dropout=config.dropout,
        layer_norm_epsilon=config.layer_norm_epsilon,
        position_offset=config.position_offset,
    )
    hidden = embeddings(inputs["token_ids"], inputs.get("segment_ids"))
    if config.embedding_dim is not None:
        hidden = shared(
            keras.layers.Dense,
            "embedding_projection",
            units=config.hidden_dim,
            kernel_initializer=bert_initializer(),
        )(hidden)
    for index in range(config.num_layers):
        # Where encoders share their weights, this is the layer of the one before.
        name, shape = config.encoder_name(index), config.encoder(index)
        hidden, padding_mask = reduction.before_encoder(
            shared, index, hidden, padding_mask, input_mask
        )
        only_cls = lean and index == config.num_layers - 1 and reduction.leaves_cls
        acts = not only_cls and reduction.acts_at(index, hidden.shape[1])
        fused = lean and not acts and fuses_attention()
        attended = shared(
            SelfAttention,
            f"{name}_self_attention",
            num_heads=shape.num_heads,
            key_dim=shape.key_dim,
            value_dim=shape.value_dim,
        )(
            hidden,
            padding_mask,
            queries=1 if only_cls else None,
            fused=fused,
        )
        probabilities, values = (None, attended) if fused else attended
        # What is dropped with a query: its probabilities, or what they have averaged already.
        by_query = probabilities
        early = lean and acts and reduction.keeps_most_at(index, hidden.shape[1], input_mask)
        if early:
            by_query = keras.ops.matmul(probabilities, values)
        if only_cls:
            hidden, padding_mask = hidden[:, :1], padding_mask[:, :1]
        if acts:
            hidden, by_query, padding_mask = reduction.before_output(
                shared, index, hidden, probabilities, by_query, padding_mask, input_mask
            )
        probabilities, values = (None, by_query) if early else (by_query, values)
        hidden = shared(
            AttentionOutput,
            f"{name}_attention_output",
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            layer_norm_epsilon=config.layer_norm_epsilon,
        )(hidden, probabilities, values)
        if acts:
            hidden, padding_mask = reduction.after_output(
                shared, index, hidden, probabilities, padding_mask, input_mask
            )
        hidden = shared(
            FeedForward,
            f"{name}_feed_forward",
            intermediate_dim=shape.intermediate_dim,
            activation=config.activation,
            dropout=config.dropout,
            layer_norm_epsilon=config.layer_norm_epsilon,
        )(hidden)
    return hidden, padding_mask
