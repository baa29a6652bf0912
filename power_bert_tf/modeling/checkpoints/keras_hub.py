"""KerasHub: a `BertBackbone` or `BertTextClassifier` in memory, or a preset folder.

A preset folder is read without KerasHub, and nothing in it says what is to be imported or built:
config.json must name the one class that is known here, and its numbers are checked against the
arrays of model.weights.h5.
"""

import contextlib
import functools

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object
from power_bert_tf.modeling.checkpoints import hdf5
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.checkpoints.checkpoint import Head
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor
from power_bert_tf.modeling.checkpoints.checkpoint import with_vocabulary
from power_bert_tf.modeling.checkpoints.huggingface import checked
from power_bert_tf.modeling.config import EncoderConfig

_BACKBONES = ("keras_hub>BertBackbone", "keras_nlp>BertBackbone")
_CLASSIFIERS = (
    "keras_hub>BertTextClassifier",
    "keras_nlp>BertTextClassifier",
    "keras_nlp>BertClassifier",
)
_ACTIVATIONS = ("linear", "softmax")
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}

# Their name by the tables, the attribute of the backbone, the group in the file.
_OUTER = (
    ("bert.embeddings.word_embeddings", "token_embedding", "reversible_embedding"),
    ("bert.embeddings.position_embeddings", "position_embedding", "position_embedding"),
    ("bert.embeddings.token_type_embeddings", "segment_embedding", "embedding"),
    ("bert.embeddings.LayerNorm", "embeddings_layer_norm", "layer_normalization"),
    ("bert.pooler.dense", "pooled_dense", "dense"),
)
# Their name below bert.encoder.layer.N, and the attribute of the encoder, in the file too.
_INNER = (
    ("attention.self.query", "_self_attention_layer/query_dense"),
    ("attention.self.key", "_self_attention_layer/key_dense"),
    ("attention.self.value", "_self_attention_layer/value_dense"),
    ("attention.output.dense", "_self_attention_layer/output_dense"),
    ("attention.output.LayerNorm", "_self_attention_layer_norm"),
    ("intermediate.dense", "_feedforward_intermediate_dense"),
    ("output.dense", "_feedforward_output_dense"),
    ("output.LayerNorm", "_feedforward_layer_norm"),
)


def recognises(path):
    """Whether a path is a preset folder."""
    config = path / "config.json"
    return config.is_file() and "registered_name" in read_json_object(config)


def open_checkpoint(folder):
    """A preset folder: config.json and model.weights.h5, perhaps a vocabulary and a head.

    Args:
        folder: path of the folder.

    Returns:
        `Checkpoint`.

    Raises:
        InputError: where a file is missing, corrupt or does not fit config.json, or the preset is
            no BERT's.
    """
    config = read_config(folder / "config.json")
    head, files = _preset_head(folder), (folder / "model.weights.h5",)
    if head is not None:
        files += (folder / "task.weights.h5",)
    checkpoint = Checkpoint(
        weights=str(files[0]),
        settings=str(folder / "config.json"),
        config=config,
        tensors=functools.partial(_preset_tensors, files, config),
        head=head,
        lowercase=_lowercase(folder / "tokenizer.json"),
        files=files,
    )
    return with_vocabulary(checked(checkpoint), folder / "assets" / "tokenizer" / "vocabulary.txt")


def read_config(path):
    """The `EncoderConfig` that a preset's config.json describes."""
    given = read_json_object(path)
    if given.get("registered_name") not in _BACKBONES:
        raise InputError(
            f"{path}: `registered_name` must be {_BACKBONES[0]!r}. "
            f"Received: {given.get('registered_name')!r:.80}"
        )
    try:
        return _config(given.get("config", {}).get)
    except (InputError, AttributeError) as error:
        raise InputError(f"{path}: {error}") from error


def from_model(model):
    """A KerasHub model in memory as a `Checkpoint`.

    Args:
        model: `BertBackbone` or `BertTextClassifier` of KerasHub.

    Raises:
        InputError: where it is another model, or KerasHub is not installed.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise InputError('this needs KerasHub: pip install "power-bert-tf[keras-hub]"') from error
    backbone, head = model, None
    if isinstance(model, keras_hub.models.BertTextClassifier):
        backbone = model.backbone
        head = _head(model.num_classes, keras.activations.serialize(model.activation))
    if not isinstance(backbone, keras_hub.models.BertBackbone):
        raise InputError(
            "`model` must be a BertBackbone or a BertTextClassifier of KerasHub. "
            f"Received: {type(model).__name__}"
        )
    config = _config(lambda name: getattr(backbone, name))
    output = model.output_dense if head else None
    checkpoint = Checkpoint(
        weights=f"{type(model).__name__} {model.name!r}",
        settings="its sizes",
        config=config,
        tensors=functools.partial(_model_tensors, backbone, output, config),
        head=head,
    )
    return checked(checkpoint)


def _config(given):
    """The sizes; `given` gives a value by its name."""
    return EncoderConfig(
        vocabulary_size=given("vocabulary_size"),
        num_layers=given("num_layers"),
        num_heads=given("num_heads"),
        hidden_dim=given("hidden_dim"),
        intermediate_dim=given("intermediate_dim"),
        max_sequence_length=given("max_sequence_length"),
        num_segments=given("num_segments"),
        dropout=given("dropout"),
        attention_dropout=given("dropout"),
        # KerasHub's BERT has the approximation by tanh, wherever its weights come from.
        activation="gelu_tanh",
        layer_norm_epsilon=1e-12,
    )


def _head(num_classes, activation):
    if activation not in _ACTIVATIONS:
        return Head(f"another purpose, its activation is {activation}", num_classes)
    # KerasHub has no class for regression: that is one output without activation.
    return Head("regression" if num_classes == 1 else "classification", num_classes)


def _preset_head(folder):
    """The head of task.json, or None where there is none or the task is another."""
    path = folder / "task.json"
    if not path.is_file():
        return None
    given = read_json_object(path)
    if given.get("registered_name") not in _CLASSIFIERS:
        return None
    config = given.get("config")
    num_classes = config.get("num_classes") if isinstance(config, dict) else None
    if type(num_classes) is not int or num_classes < 1:
        raise InputError(f"{path}: `num_classes` must be positive. Received: {num_classes!r:.80}")
    return _head(num_classes, config.get("activation"))


def _lowercase(path):
    if not path.is_file():
        return None
    config = read_json_object(path).get("config")
    value = config.get("lowercase") if isinstance(config, dict) else None
    return value if isinstance(value, bool) else None


@contextlib.contextmanager
def _preset_tensors(files, config):
    with contextlib.ExitStack() as stack:
        stored, *heads = (stack.enter_context(hdf5.stored_tensors(file)) for file in files)

        def of(group):
            return [stored.pop(f"{group}/vars/{index}", None) for index in (0, 1)]

        named = {name: of(f"layers/{group}") for name, _, group in _OUTER}
        for index in range(min(config.num_layers, len(stored))):
            encoder = f"layers/transformer_encoder{f'_{index}' if index else ''}"
            for name, attribute in _INNER:
                named[f"bert.encoder.layer.{index}.{name}"] = of(f"{encoder}/{attribute}")
        for head in heads:
            named["classifier"] = [head.get(f"layers/dense/vars/{index}") for index in (0, 1)]
        # What is left over is named in the error.
        yield {**stored, **_by_name(named, config)}


@contextlib.contextmanager
def _model_tensors(backbone, output, config):
    layers = {name: getattr(backbone, attribute) for name, attribute, _ in _OUTER}
    for index, encoder in enumerate(backbone.transformer_layers):
        for name, attributes in _INNER:
            layer = encoder
            for attribute in attributes.split("/"):
                layer = getattr(layer, attribute)
            layers[f"bert.encoder.layer.{index}.{name}"] = layer
    if output is not None:
        layers["classifier"] = output
    named = {name: [_of(weight) for weight in layer.weights] for name, layer in layers.items()}
    yield _by_name(named, config)


def _of(weight):
    return StoredTensor(
        tuple(weight.shape),
        _DTYPES.get(weight.dtype, weight.dtype),
        lambda: keras.ops.convert_to_numpy(weight),
    )


def _by_name(named, config):
    """Lists of a layer's kernel and bias as the tensors that the tables know.

    Attention keeps heads on an axis of their own there: kernels are (in, heads, dim), and
    (heads, dim, out) for its output.
    """
    hidden, matrix = (config.hidden_dim,), (config.hidden_dim, config.hidden_dim)
    split = (config.num_heads, config.hidden_dim // config.num_heads)
    tensors = {}
    for name, weights in named.items():
        weight, bias = (*weights, None)[:2]
        if ".self." in name:
            weight, bias = _reshaped(weight, hidden + split, matrix), _reshaped(bias, split, hidden)
        elif name.endswith("attention.output.dense"):
            weight = _reshaped(weight, split + hidden, matrix)
        if weight is not None and not name.endswith(("_embeddings", "LayerNorm")):
            weight = _transposed(weight)
        tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return {name: stored for name, stored in tensors.items() if stored is not None}


def _reshaped(stored, before, after):
    """A tensor in another shape; as it is where it has not got `before`, for the tables to see."""
    if stored is None or stored.shape != before:
        return stored
    return StoredTensor(after, stored.dtype, lambda: stored.read().reshape(after))


def _transposed(stored):
    return StoredTensor(stored.shape[::-1], stored.dtype, lambda: stored.read().T)
