"""The sizes of a BERT."""

import dataclasses
import json
import pathlib

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.backbones import BACKBONES

_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
POOLER_ACTIVATIONS = ("tanh", "relu")


# Where encoders are shared, no size of a file bounds how often they are applied.
_MOST_ENCODERS = 1000


@dataclasses.dataclass(frozen=True)
class EncoderShape:
    """The sizes of one encoder."""

    num_heads: int
    key_dim: int
    value_dim: int
    intermediate_dim: int


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Everything that decides the shapes of a BERT's weights, and its rates.

    `num_heads`, `intermediate_dim`, `key_dim` and `value_dim` are one number, or a tuple with
    one for each encoder, as structured pruning leaves them. `key_dim` and `value_dim` are per
    head, and `hidden_dim / num_heads` where None.

    `backbone` says whose checkpoints it describes, and decides nothing else: the graph goes by the
    other fields. `embedding_dim` is the width of embeddings that are then projected to
    `hidden_dim`; where None, they are as wide as that. With `share_layers` one encoder is applied
    `num_layers` times. With `num_segments` of 1 or 0 there is no input of segments.
    `position_offset` is the number of position embeddings before that of the first word, on top of
    `max_sequence_length`. `head_dropout` is `dropout` where None. `pooler` is a dense layer with
    `pooler_activation` between CLS and the head.

    Raises:
        InputError: for a size below 1, a rate outside [0, 1), a tuple of another length than
            `num_layers`, or a `hidden_dim` that the heads do not divide where `key_dim` is None.
    """

    vocabulary_size: int = 30522
    num_layers: int = 12
    num_heads: int | tuple[int, ...] = 12
    hidden_dim: int = 768
    intermediate_dim: int | tuple[int, ...] = 3072
    key_dim: int | tuple[int, ...] | None = None
    value_dim: int | tuple[int, ...] | None = None
    max_sequence_length: int = 512
    num_segments: int = 2
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation: str = "gelu"
    layer_norm_epsilon: float = 1e-12
    embedding_dim: int | None = None
    share_layers: bool = False
    pooler: bool = True
    backbone: str = "bert"
    head_dropout: float | None = None
    pooler_activation: str = "tanh"
    position_offset: int = 0

    def __post_init__(self):
        for name in ("num_heads", "intermediate_dim", "key_dim", "value_dim"):
            value = getattr(self, name)
            if isinstance(value, list | tuple):
                object.__setattr__(self, name, tuple(value))
                if len(value) != self.num_layers:
                    raise InputError(
                        f"`{name}` must be one number or one for each of the {self.num_layers} "
                        f"encoders. Received: {name}={value}"
                    )
        for name in ("vocabulary_size", "num_layers", "hidden_dim", "max_sequence_length"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise InputError(
                    f"`{name}` must be a positive whole number. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
        if self.num_layers > _MOST_ENCODERS:
            raise InputError(
                f"`num_layers` must be at most {_MOST_ENCODERS}. "
                f"Received: num_layers={self.num_layers}"
            )
        for name in ("dropout", "attention_dropout", "layer_norm_epsilon", "head_dropout"):
            value = getattr(self, name)
            if name == "head_dropout" and value is None:
                continue
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise InputError(f"`{name}` must be a number in [0, 1). Received: {name}={value!r}")
        if self.activation not in list(_ACTIVATIONS.values()):
            raise InputError(
                f"`activation` must be one of {sorted(set(_ACTIVATIONS.values()))}. "
                f"Received: activation={self.activation!r}"
            )
        for name, allowed in (
            ("backbone", tuple(BACKBONES)),
            ("pooler_activation", POOLER_ACTIVATIONS),
        ):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"`{name}` must be one of {', '.join(allowed)}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
        if self.embedding_dim is not None and (
            type(self.embedding_dim) is not int or self.embedding_dim < 1
        ):
            raise InputError(
                "`embedding_dim` must be a positive whole number, or None. "
                f"Received: embedding_dim={self.embedding_dim!r}"
            )
        for name in ("num_segments", "position_offset"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise InputError(
                    f"`{name}` must be a whole number of at least 0. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
        if self.share_layers and self._has_uneven_encoders():
            raise InputError(
                "encoders that share their weights must have the same sizes: give one number for "
                "each of `num_heads`, `intermediate_dim`, `key_dim` and `value_dim`. "
                f"Received: share_layers=True with {self._encoder_sizes()}"
            )
        # One encoder stands for all, unless sizes are given one by one.
        for index in range(self.num_layers if self._has_uneven_encoders() else 1):
            shape = self.encoder(index)
            if not all(type(size) is int and size >= 1 for size in dataclasses.astuple(shape)):
                raise InputError(
                    f"every size must be a positive whole number. Received: encoder {index}={shape}"
                )

    @classmethod
    def of_size(cls, size):
        """The config of a size by its name, such as "bert-base" or "albert-base".

        Raises:
            InputError: where there is no such size.
        """
        for backbone in BACKBONES.values():
            if size in backbone.named:
                options = {name: default for name, (_, default) in backbone.options.items()}
                return cls._of(backbone, {**options, **backbone.fixed, **backbone.named[size]})
        names = [name for backbone in BACKBONES.values() for name in backbone.named]
        raise InputError(f"`size` must be one of {', '.join(names)}. Received: size={size!r}")

    @classmethod
    def _of(cls, backbone, fields):
        """From fields whose activation is spelled as in config.json."""
        activation = _ACTIVATIONS[fields["activation"]]
        return cls(**{**fields, "activation": activation, "backbone": backbone.model_type})

    @property
    def embedding_width(self):
        """The width of the embeddings, before any projection to `hidden_dim`."""
        return self.hidden_dim if self.embedding_dim is None else self.embedding_dim

    @property
    def has_segments(self):
        """Whether the segments of its words are an input of the model."""
        return self.num_segments > 1

    @property
    def distinct_encoders(self):
        """The number of encoders that have weights of their own."""
        return 1 if self.share_layers else self.num_layers

    def encoder_name(self, index):
        """What the names of an encoder's layers begin with; the same for all that share them."""
        return "encoder" if self.share_layers else f"encoder_{index}"

    def _encoder_sizes(self):
        return (self.num_heads, self.intermediate_dim, self.key_dim, self.value_dim)

    def _has_uneven_encoders(self):
        return any(isinstance(size, tuple) for size in self._encoder_sizes())

    def encoder(self, index):
        """The sizes of the encoder at `index`, from 0."""

        def of(value):
            return value[index] if isinstance(value, tuple) else value

        num_heads = of(self.num_heads)
        if type(num_heads) is not int or num_heads < 1:
            raise InputError(
                f"`num_heads` must be a positive whole number. Received: num_heads={num_heads!r}"
            )
        key_dim = of(self.key_dim)
        if key_dim is None:
            if self.hidden_dim % num_heads:
                raise InputError(
                    "`hidden_dim` must be a multiple of `num_heads` where `key_dim` is not given. "
                    f"Received: hidden_dim={self.hidden_dim}, num_heads={num_heads}"
                )
            key_dim = self.hidden_dim // num_heads
        value_dim = key_dim if of(self.value_dim) is None else of(self.value_dim)
        return EncoderShape(num_heads, key_dim, value_dim, of(self.intermediate_dim))

    @classmethod
    def from_json(cls, path):
        """Reads Google's `bert_config.json` or Hugging Face's `config.json`.

        Raises:
            InputError: where the file cannot be read, is no JSON object, lacks a size or
                describes a backbone that is not there.
        """
        path = pathlib.Path(path)
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot read the configuration {path}: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"{path} must be a JSON file. Received: {error}") from error
        if not isinstance(given, dict):
            raise InputError(f"{path} must hold a JSON object. Received: {type(given).__name__}")
        model_type = given.get("model_type", "bert")
        if model_type not in list(BACKBONES):
            raise InputError(
                f"{path}: `model_type` must be one of {', '.join(BACKBONES)}. "
                f"Received: {model_type!r}"
            )
        backbone = BACKBONES[model_type]
        for key, only in backbone.required.items():
            if given.get(key, only) != only:
                raise InputError(f"{path}: `{key}` must be {only!r}. Received: {given[key]!r}")
        options = {
            name: default if given.get(key) is None else given[key]
            for name, (key, default) in backbone.options.items()
        }
        if options["activation"] not in list(_ACTIVATIONS):
            raise InputError(
                f"{path}: `{backbone.options['activation'][0]}` must be one of "
                f"{sorted(_ACTIVATIONS)}. Received: {options['activation']!r}"
            )
        try:
            sizes = {name: given[key] for name, key in backbone.sizes.items()}
            # Theirs counts all position embeddings, ours those that a word can have.
            sizes["max_sequence_length"] -= backbone.fixed.get("position_offset", 0)
            return cls._of(backbone, {**sizes, **options, **backbone.fixed})
        except KeyError as error:
            raise InputError(f"{path} must give {error}. Received: {sorted(given)}") from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        except TypeError as error:
            raise InputError(f"{path} holds a value of the wrong type: {error}") from error
