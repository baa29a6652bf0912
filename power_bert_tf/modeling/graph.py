"""A classifier as symbolic tensors: any backbone, any reduction, any head."""

import dataclasses
import typing

import keras

from power_bert_tf.layers.initializers import bert_initializer
from power_bert_tf.modeling.encoder import encode
from power_bert_tf.modeling.encoder import encoder_inputs


@dataclasses.dataclass(frozen=True)
class Graph:
    """Symbolic tensors from a classifier's inputs to its outputs.

    Args:
        inputs: dict of int32 tensors (batch, N).
        outputs: float32 (batch, num_classes).
        logits: what stands before the softmax, if there is one.
        remembered: dict of name to tensor, see `WordVectors`.
    """

    inputs: dict
    outputs: typing.Any
    logits: typing.Any
    remembered: dict


def classifier_graph(
    config,
    num_classes,
    sequence_length,
    reduction,
    head,
    layers,
    lean=False,
    traced=False,
    packed=False,
    cls_alone=False,
):
    """Builds a classifier's graph.

    Args:
        config: `EncoderConfig`.
        num_classes: int.
        sequence_length: int, or None for any length.
        reduction: `Reduction`.
        head: str, one of `HEADS`.
        layers: `SharedLayers`, from which every layer comes.
        lean, traced, packed, cls_alone: see `encode`.

    Returns:
        `Graph`.
    """
    # === Layers ===
    rate = config.dropout if config.head_dropout is None else config.head_dropout
    dropout = layers(keras.layers.Dropout, "classifier_dropout", rate=rate)
    classifier = layers(
        keras.layers.Dense,
        "classifier",
        units=num_classes,
        kernel_initializer=bert_initializer(),
        dtype="float32",
    )

    # === Functional Model ===
    inputs = encoder_inputs(sequence_length, has_segments=config.has_segments)
    vectors = encode(config, reduction, layers, inputs, lean, traced, packed, cls_alone)
    pooled = vectors.hidden[:, 0, :]
    if config.pooler:
        pooler = layers(
            keras.layers.Dense,
            "pooler",
            units=config.hidden_dim,
            activation=config.pooler_activation,
            kernel_initializer=bert_initializer(),
        )
        pooled = pooler(pooled)
    outputs = logits = classifier(dropout(pooled))
    if head == "classification":
        softmax = layers(
            keras.layers.Activation, "probabilities", activation="softmax", dtype="float32"
        )
        outputs = softmax(outputs)
    return Graph(inputs, outputs, logits, vectors.remembered)
