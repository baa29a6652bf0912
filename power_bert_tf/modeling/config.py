"""The sizes of a BERT."""

import dataclasses
import json
import pathlib

from power_bert_tf.errors import InputError

_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}

# Encoders, width and attention heads of the sizes that people name.
SIZES = {
    "bert-tiny": (2, 128, 2),
    "bert-mini": (4, 256, 4),
    "bert-small": (4, 512, 8),
    "bert-medium": (8, 512, 8),
    "minilm-l6": (6, 384, 12),
    "bert-base": (12, 768, 12),
    "bert-large": (24, 1024, 16),
}


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
        for name in ("dropout", "attention_dropout", "layer_norm_epsilon"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise InputError(f"`{name}` must be a number in [0, 1). Received: {name}={value!r}")
        if self.activation not in list(_ACTIVATIONS.values()):
            raise InputError(
                f"`activation` must be one of {sorted(set(_ACTIVATIONS.values()))}. "
                f"Received: activation={self.activation!r}"
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
        """The config of a size by its name, one of `SIZES`, such as "bert-base".

        Raises:
            InputError: where there is no such size.
        """
        if size not in SIZES:
            raise InputError(f"`size` must be one of {', '.join(SIZES)}. Received: size={size!r}")
        num_layers, hidden_dim, num_heads = SIZES[size]
        return cls(
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            intermediate_dim=4 * hidden_dim,
        )

    def _has_uneven_encoders(self):
        sizes = (self.num_heads, self.intermediate_dim, self.key_dim, self.value_dim)
        return any(isinstance(size, tuple) for size in sizes)

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
                describes another architecture than BERT's.
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
        if given.get("model_type", "bert") != "bert":
            raise InputError(
                f"{path}: `model_type` must be 'bert'. Received: {given['model_type']!r}"
            )
        positions = given.get("position_embedding_type", "absolute")
        if positions != "absolute":
            raise InputError(
                f"{path}: `position_embedding_type` must be 'absolute'. Received: {positions!r}"
            )
        activation = given.get("hidden_act", "gelu")
        if activation not in list(_ACTIVATIONS):
            raise InputError(
                f"{path}: `hidden_act` must be one of {sorted(_ACTIVATIONS)}. "
                f"Received: {activation!r}"
            )
        try:
            return cls(
                vocabulary_size=given["vocab_size"],
                num_layers=given["num_hidden_layers"],
                num_heads=given["num_attention_heads"],
                hidden_dim=given["hidden_size"],
                intermediate_dim=given["intermediate_size"],
                max_sequence_length=given["max_position_embeddings"],
                num_segments=given.get("type_vocab_size", 2),
                dropout=given.get("hidden_dropout_prob", 0.1),
                attention_dropout=given.get("attention_probs_dropout_prob", 0.1),
                activation=_ACTIVATIONS[activation],
                layer_norm_epsilon=given.get("layer_norm_eps", 1e-12),
            )
        except KeyError as error:
            raise InputError(f"{path} must give {error}. Received: {sorted(given)}") from error
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        except TypeError as error:
            raise InputError(f"{path} holds a value of the wrong type: {error}") from error
