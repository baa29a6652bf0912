"""Google's layout: bert_config.json, vocab.txt and a TensorFlow 1 checkpoint in a folder.

TensorFlow reads it, and only its second format, whose index gives every shape before a tensor is
touched. Kernels are (in, out) there, and (out, in) by the names that the tables know.
"""

import contextlib
import functools
import re

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.checkpoints.checkpoint import Head
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor
from power_bert_tf.modeling.checkpoints.checkpoint import check_bytes
from power_bert_tf.modeling.checkpoints.checkpoint import with_vocabulary
from power_bert_tf.modeling.checkpoints.huggingface import checked
from power_bert_tf.modeling.config import EncoderConfig

_CONFIG = "bert_config.json"
_PRE_TRAINED = "bert_model.ckpt"
# What training leaves beside the weights: the step and the slots of the optimizer.
_IGNORED = re.compile(r"global_step|.*/adam_[mv]|.*/Adam(_1)?|beta[12]_power")
# The head of Google's run_classifier.py.
_HEAD = {"output_weights": "classifier.weight", "output_bias": "classifier.bias"}
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}


def recognises(path):
    """Whether a path is a folder in this layout."""
    return (path / _CONFIG).is_file() or any(path.glob("*.ckpt*.index"))


def open_checkpoint(folder):
    """A folder with bert_config.json, a TensorFlow 1 checkpoint and, perhaps, vocab.txt.

    Only the index of the weights is read. Whether the vocabulary is cased is told by the name of
    the folder, as in "uncased_L-12_H-768_A-12".

    Args:
        folder: path of the folder.

    Returns:
        `Checkpoint`.

    Raises:
        InputError: where a file is missing, corrupt or does not fit bert_config.json, or
            TensorFlow is not installed.
    """
    config = EncoderConfig.from_json(folder / _CONFIG)
    prefix = _prefix(folder)
    files = tuple(sorted(folder.glob(f"{prefix.name}.data-*")))
    if not files:
        raise InputError(f"{folder} has no {prefix.name}.data-* beside its index")
    checkpoint = Checkpoint(
        weights=f"{prefix}.index",
        settings=str(folder / _CONFIG),
        config=config,
        tensors=functools.partial(_stored_tensors, prefix, files),
        lowercase=_lowercase(folder.resolve().name),
        files=files,
    )
    return with_vocabulary(checked(checkpoint, _head), folder / "vocab.txt")


def _prefix(folder):
    """The path of the checkpoint without its endings."""
    prefixes = sorted(path.with_suffix("") for path in folder.glob("*.index"))
    if len(prefixes) == 1:
        return prefixes[0]
    if folder / _PRE_TRAINED in prefixes:
        return folder / _PRE_TRAINED
    if not prefixes:
        raise InputError(f"{folder} has no {_PRE_TRAINED}.index")
    raise InputError(
        f"{folder} must hold one checkpoint, or {_PRE_TRAINED}. "
        f"Received: {', '.join(prefix.name for prefix in prefixes[:8])}"
    )


@contextlib.contextmanager
def _stored_tensors(prefix, files):
    try:
        import tensorflow as tf
    except ImportError as error:
        raise InputError(
            f"{prefix} is a TensorFlow checkpoint: reading it needs TensorFlow "
            "(pip install tensorflow)"
        ) from error
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        names = [name for name in shapes if not _IGNORED.fullmatch(name)]
        tensors = {
            _name(name): _stored_tensor(reader, name, tuple(shapes[name]), dtypes[name].name)
            for name in names
        }
        if len(tensors) < len(names):
            raise InputError(f"{prefix} holds a tensor under two names that mean the same")
        check_bytes(tensors, files)
        yield tensors
    except (tf.errors.OpError, RuntimeError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{prefix} is corrupt, cut short or cannot be read: {reason}") from error


def _name(name):
    """bert/encoder/layer_0/output/dense/kernel is bert.encoder.layer.0.output.dense.weight."""
    if name in _HEAD:
        return _HEAD[name]
    name = re.sub(r"/layer_(\d+)/", r"/layer/\1/", name).replace("/", ".")
    name = re.sub(r"_embeddings$", "_embeddings.weight", name)
    name = re.sub(r"\.(kernel|gamma|output_weights)$", ".weight", name)
    name = re.sub(r"\.(beta|output_bias)$", ".bias", name)
    return name


def _stored_tensor(reader, name, shape, dtype):
    dtype = _DTYPES.get(dtype, dtype)
    if name.endswith("/kernel"):
        return StoredTensor(shape[::-1], dtype, lambda: reader.get_tensor(name).T)
    return StoredTensor(shape, dtype, functools.partial(reader.get_tensor, name))


def _head(num_classes):
    return Head("regression" if num_classes == 1 else "classification", num_classes)


def _lowercase(name):
    if "uncased" in name.lower():
        return True
    return False if "cased" in name.lower() else None
