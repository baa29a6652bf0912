"""The one graph of all backbones, which asks a reduction what happens to its word-vectors."""

import dataclasses

import keras
from keras import ops

from power_bert_tf.layers import AttentionOutput
from power_bert_tf.layers import BertEmbeddings
from power_bert_tf.layers import Extract
from power_bert_tf.layers import FeedForward
from power_bert_tf.layers import Packing
from power_bert_tf.layers import Positions
from power_bert_tf.layers import SelfAttention
from power_bert_tf.layers import StayingRows
from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.layers.packing import flattened
from power_bert_tf.layers.packing import take
from power_bert_tf.modeling.devices import has_accelerator
from power_bert_tf.modeling.reduction import WordVectors


def fuses_attention():
    """Whether attention that is not read is the backend's fused one: JAX's, on accelerators.

    On a CPU TensorFlow's is the same products, and JAX's takes longer than they do.
    """
    return keras.config.backend() == "jax" and has_accelerator()


def encoder_inputs(sequence_length, has_segments=True):
    """The symbolic inputs, a dict of int32 tensors of shape (batch, sequence_length)."""
    names = ["token_ids", "padding_mask"]
    if has_segments:
        names.insert(1, "segment_ids")
    return {name: keras.Input((sequence_length,), dtype="int32", name=name) for name in names}


def encode(
    config,
    reduction,
    layers,
    inputs,
    lean=False,
    traced=False,
    packed=False,
    cls_alone=False,
):
    """Builds the embeddings and encoders of any backbone over symbolic inputs.

    Args:
        config: `EncoderConfig`.
        reduction: `Reduction`.
        layers: `SharedLayers`, from which every layer comes.
        inputs: dict of symbolic tensors as `encoder_inputs` makes it.
        lean: bool. `cls_alone`, and average values before rows are dropped and fuse attention that
            is not read, where that takes less; for inference, since attention's dropout is left
            out.
        traced: bool. Remember for each encoder which rows are left, as "encoder_0_positions":
            int (batch, rows), where a row stood in the text, from 1, and 0 for padding.
        packed: bool. Compute with packed rows, so that no padding is computed but in attention;
            for inference on TensorFlow, since their number is not known beforehand.
        cls_alone: bool. Compute CLS alone in the last encoder, if the reduction lets it: nothing
            else of it is used, and no other gradient comes back.

    Returns:
        `WordVectors`: CLS in row 0.
    """
    if not reduction.attention_dropout:
        config = dataclasses.replace(config, attention_dropout=0.0)
    vectors = _embed(config, layers, inputs, packed)
    if traced:
        vectors = vectors.replace(positions=layers(Positions, "positions")(vectors.input_mask))
    for index in range(config.num_layers):
        last = index == config.num_layers - 1
        alone = last and (lean or cls_alone) and reduction.leaves_cls
        vectors = _encoder(config, index, reduction, layers, vectors, lean, alone)
        if traced:
            left = vectors.positions * vectors.padding_mask
            vectors = vectors.remember(**{f"encoder_{index}_positions": left})
    return vectors


def _embed(config, layers, inputs, packed):
    embeddings = layers(
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
    mask = inputs["padding_mask"]
    vectors = WordVectors(None, mask, mask)
    if packed:
        before, flat, places, padding_mask, rows = layers(Packing, "packing")(mask)
        vectors = WordVectors(None, padding_mask, mask, flat=flat, places=places)
        token_ids, segment_ids = (
            None if ids is None else take(flattened(ids), before)
            for ids in (inputs["token_ids"], inputs.get("segment_ids"))
        )
        hidden = embeddings(token_ids, segment_ids, rows)
    else:
        hidden = embeddings(inputs["token_ids"], inputs.get("segment_ids"))
    if config.embedding_dim is not None:
        projection = layers(
            keras.layers.Dense,
            "embedding_projection",
            units=config.hidden_dim,
            kernel_initializer=bert_initializer(),
        )
        hidden = projection(hidden)
    return vectors.replace(hidden=hidden)


def _encoder(config, index, reduction, layers, vectors, lean, cls_alone):
    vectors = reduction.before_encoder(layers, index, vectors)
    entering = reduction.select_before(layers, index, vectors)
    drop = _pack if vectors.packed else _extract
    vectors, _ = drop(layers, f"encoder_{index}_removal", vectors, entering)
    if entering is not None:
        vectors = vectors.remember(**entering.remembered)
    if cls_alone:
        vectors = _attend(config, index, layers, vectors, lean, queries=1)
    elif reduction.reads_attention(index, vectors):
        vectors = _attend_and_select(config, index, reduction, layers, vectors, lean)
    else:
        vectors = _attend(config, index, layers, vectors, lean)
    feed_forward = layers(
        FeedForward,
        f"{config.encoder_name(index)}_feed_forward",
        intermediate_dim=config.encoder(index).intermediate_dim,
        activation=config.activation,
        dropout=config.dropout,
        layer_norm_epsilon=config.layer_norm_epsilon,
    )
    return vectors.replace(hidden=feed_forward(vectors.hidden))


def _attend(config, index, layers, vectors, lean, queries=None):
    """Attention, and its output for the first rows; for all where `queries` is None."""
    fused = lean and fuses_attention()
    attended = _attention(config, index, layers, vectors, queries=queries, fused=fused)
    probabilities, values = (None, attended) if fused else attended
    if queries is not None:
        vectors = _first_rows(vectors, queries)
    return _with_output(config, index, layers, vectors, probabilities, values)


def _first_rows(vectors, count):
    """The first rows of each text, by text."""
    hidden = vectors.hidden
    first = take(hidden, vectors.places[:, :count]) if vectors.packed else hidden[:, :count]
    mask = vectors.padding_mask[:, :count]
    return vectors.replace(hidden=first, padding_mask=mask, flat=None, places=None)


def _attend_and_select(config, index, reduction, layers, vectors, lean):
    """Attention, what stays, attention's output for that, and what fades."""
    probabilities, values = _attention(config, index, layers, vectors)
    selection = reduction.select(layers, index, vectors, probabilities)
    name = f"encoder_{index}_extract"
    if vectors.packed:
        averaged = ops.matmul(probabilities, values)
        vectors, before = _pack(layers, name, vectors, selection)
        vectors = _with_output(config, index, layers, vectors, None, averaged, before)
    elif lean and selection is not None and selection.keeps_most_of(vectors.rows):
        # It is less work to average the values for all rows than to copy the probabilities of
        # those that stay.
        averaged = ops.matmul(probabilities, values)
        vectors, averaged = _extract(layers, name, vectors, selection, averaged)
        vectors = _with_output(config, index, layers, vectors, None, averaged)
    else:
        vectors, kept = _extract(layers, name, vectors, selection, probabilities)
        vectors = _with_output(config, index, layers, vectors, kept, values)
    return reduction.fade(layers, index, vectors, probabilities)


def _attention(config, index, layers, vectors, queries=None, fused=False):
    shape = config.encoder(index)
    layer = layers(
        SelfAttention,
        f"{config.encoder_name(index)}_self_attention",
        num_heads=shape.num_heads,
        key_dim=shape.key_dim,
        value_dim=shape.value_dim,
    )
    return layer(
        vectors.hidden,
        vectors.padding_mask,
        vectors.attention_bias,
        queries=queries,
        fused=fused,
        **({"places": vectors.places} if vectors.packed else {}),
    )


def _with_output(config, index, layers, vectors, probabilities, values, flat=None):
    """Attention's output; of packed rows those that are `flat` among batch * queries."""
    layer = layers(
        AttentionOutput,
        f"{config.encoder_name(index)}_attention_output",
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        layer_norm_epsilon=config.layer_norm_epsilon,
    )
    packed = {"flat": vectors.flat if flat is None else flat} if vectors.packed else {}
    return vectors.replace(hidden=layer(vectors.hidden, probabilities, values, **packed))


def _extract(layers, name, vectors, selection, by_query=None):
    """Drops what a selection does not keep, in the padded form: static shapes, gathered rows.

    Returns the `WordVectors` that stay, and `by_query`, (batch, heads, queries, any), for them.
    """
    if selection is None:
        return vectors, by_query

    def extract(layer_name, *tensors):
        layer = layers(Extract, layer_name, length=selection.most)
        choice = (selection.priority, vectors.padding_mask, selection.budget)
        return layer(*tensors, *choice)

    # A layer of its own: Keras wants as many outputs each time that one is called.
    others = {
        other: ops.squeeze(extract(f"{name}_{other}", tensor[:, :, None], None)[0], axis=-1)
        for other in ("attention_bias", "positions")
        if (tensor := getattr(vectors, other)) is not None
    }
    hidden, *by_query, padding_mask = extract(name, vectors.hidden, by_query)
    kept = vectors.replace(hidden=hidden, padding_mask=padding_mask, **others)
    return kept, by_query[0] if by_query else None


def _pack(layers, name, vectors, selection):
    """Drops what a selection does not keep, in the packed form: rows of all texts move together.

    Returns the `WordVectors` that stay, and int (total,), where they stood among batch * rows.
    """
    if selection is None:
        return vectors, vectors.flat
    stays = layers(StayingRows, f"{name}_stays", length=selection.most)(
        selection.priority, vectors.padding_mask, selection.budget
    )
    before, flat, places, padding_mask, _ = layers(Packing, f"{name}_packing")(stays)
    others = {
        other: take(flattened(tensor), take(before, places))
        for other in ("attention_bias", "positions")
        if (tensor := getattr(vectors, other)) is not None
    }
    packed = vectors.replace(
        hidden=take(vectors.hidden, take(flattened(vectors.places), before)),
        padding_mask=padding_mask,
        flat=flat,
        places=places,
        **others,
    )
    return packed, before
