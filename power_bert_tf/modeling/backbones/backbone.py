"""All that one backbone does its own way, as data: a new backbone is one object in one file."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Backbone:
    """How Hugging Face writes down one kind of encoder, and what all of its kind have in common.

    Every backbone is the same graph with other options, so this holds no graph: it says how its
    config.json becomes an `EncoderConfig`, and which of its tensors is which of our weights.

    Args:
        model_type: str. Its name in config.json, and in `EncoderConfig.backbone`.
        transformers: str. What the names of its classes in transformers begin with.
        sizes: dict from a field of `EncoderConfig` to the key in config.json that must give it.
        options: dict from a field of `EncoderConfig` to a key and the value where that is absent
            or null.
        fixed: dict of the fields that are the same in all models of the kind.
        required: dict from a key in config.json to the only value of it that the graph computes,
            which is also what holds where the key is absent.
        prefix: str. What the names of the encoder's tensors begin with; files leave it out where
            only the encoder was saved.
        embeddings: dict from "token_embedding", "position_embedding", "segment_embedding",
            "layer_norm" and, where embeddings are projected, "projection" to their tensors.
        encoder: str. What the tensors of an encoder begin with; "{index}" stands for its number.
        parts: dict from a part of our encoder, such as "self_attention/query", to its tensors.
        pooler: str. The tensors of the dense layer between CLS and the head.
        classifier: str. The tensors of the head.
        ignored: frozenset of str, the known tensors that no weight of ours takes.
        named: dict from the names of sizes that people use to fields of `EncoderConfig`.
    """

    model_type: str
    transformers: str
    sizes: dict
    options: dict
    fixed: dict
    required: dict
    prefix: str
    embeddings: dict
    encoder: str
    parts: dict
    pooler: str
    classifier: str
    ignored: frozenset
    named: dict

    def encoder_table(self, config):
        """Yields (path of our weight, their name, their shape) for embeddings and encoders.

        Their matrices are (out, in), so the kernels of ours are theirs transposed.

        Args:
            config: `EncoderConfig` of this backbone.
        """
        width, hidden = config.embedding_width, config.hidden_dim
        for name, rows in (
            ("token_embedding", config.vocabulary_size),
            ("position_embedding", config.position_offset + config.max_sequence_length),
            ("segment_embedding", config.num_segments),
        ):
            if rows:
                theirs = f"{self.embeddings[name]}.weight"
                yield f"embeddings/{name}/embeddings", theirs, (rows, width)
        yield from layer_norm("embeddings/layer_norm", self.embeddings["layer_norm"], width)
        if config.embedding_dim is not None:
            yield from dense("embedding_projection", self.embeddings["projection"], width, hidden)
        for index in range(config.distinct_encoders):
            shape = config.encoder(index)
            keys, values = shape.num_heads * shape.key_dim, shape.num_heads * shape.value_dim
            name, theirs = config.encoder_name(index), self.encoder.format(index=index)
            for part, in_dim, out_dim in (
                ("self_attention/query", hidden, keys),
                ("self_attention/key", hidden, keys),
                ("self_attention/value", hidden, values),
                ("attention_output/projection", values, hidden),
                ("feed_forward/intermediate", hidden, shape.intermediate_dim),
                ("feed_forward/output", shape.intermediate_dim, hidden),
            ):
                yield from dense(f"{name}_{part}", f"{theirs}.{self.parts[part]}", in_dim, out_dim)
            for part in ("attention_output/layer_norm", "feed_forward/layer_norm"):
                yield from layer_norm(f"{name}_{part}", f"{theirs}.{self.parts[part]}", hidden)


def dense(ours, theirs, in_dim, out_dim):
    """The two entries of a dense layer in a table such as `Backbone.encoder_table` yields."""
    return [
        (f"{ours}/kernel", f"{theirs}.weight", (out_dim, in_dim)),
        (f"{ours}/bias", f"{theirs}.bias", (out_dim,)),
    ]


def layer_norm(ours, theirs, dim):
    """The two entries of a layer normalisation in such a table."""
    return [
        (f"{ours}/gamma", f"{theirs}.weight", (dim,)),
        (f"{ours}/beta", f"{theirs}.bias", (dim,)),
    ]


def tensors(*names):
    """The weight and the bias of each name."""
    return frozenset(f"{name}.{kind}" for name in names for kind in ("weight", "bias"))


def size(num_layers, hidden_dim, num_heads, **others):
    """The fields of a named size, whose feed-forward blocks are four times as wide as it is."""
    return {
        "num_layers": num_layers,
        "hidden_dim": hidden_dim,
        "num_heads": num_heads,
        "intermediate_dim": 4 * hidden_dim,
        **others,
    }
