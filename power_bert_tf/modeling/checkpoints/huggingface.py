"""Weights in the Hugging Face layout: config.json, model.safetensors and vocab.txt in a folder.

The file's header is compared with the sizes in config.json, tensor by tensor, before anything is
read or assigned: either every weight fits, or an error names what does not and the model is as it
was. Only safetensors are read, never a pickle.
"""

import contextlib
import pathlib

import safetensors

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.backbones import BACKBONES
from power_bert_tf.modeling.backbones.backbone import dense
from power_bert_tf.modeling.config import EncoderConfig

_DTYPES = ("F32", "F16", "BF16", "F64")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl")
_VOCABULARY_PADDING = (8, 64)
_NAMES_SHOWN = 8


def read_config(folder):
    """The sizes in a checkpoint folder, once its weights and vocabulary are known to fit them.

    Only the header of the weights is read. A head for classification is left to `load_weights`.

    Args:
        folder: path of a folder with config.json, model.safetensors and, perhaps, vocab.txt. The
            embedding must have a row for each line of vocab.txt, and no more, unless the lines
            were rounded up to a multiple of 8 or 64.

    Returns:
        `EncoderConfig`.

    Raises:
        InputError: where a file is missing, corrupt or does not fit config.json.
    """
    folder = _existing(folder)
    config = EncoderConfig.from_json(folder / "config.json")
    with _opened(folder) as file:
        _match(file, folder, config, num_classes=None)
    _check_vocabulary(folder, config.vocabulary_size)
    return config


def load_weights(model, folder):
    """Fills a classifier with the weights of a checkpoint folder.

    A pooler that the checkpoint lacks keeps its initial weights, and so do the retention
    parameters of a search model. A head for classification is loaded where the checkpoint has one.

    Args:
        model: `BertClassifier`.
        folder: path of a folder with model.safetensors.

    Raises:
        InputError: where the file is missing or corrupt, or a tensor is unknown, missing or of
            another shape or type; the model is then as it was.
    """
    variables = {variable.path: variable for variable in model.weights}
    folder = _existing(folder)
    with _opened(folder) as file:
        sources = _match(file, folder, model.config, model.num_classes)
        targets = [(variables[ours], name) for ours, name in sources.items()]
        for variable, name in targets:
            tensor = file.get_tensor(name).astype("float32")
            variable.assign(tensor.T if variable.path.endswith("/kernel") else tensor)


def encoder_table(config):
    """Yields (path of our weight, their name, their shape) for embeddings and encoders.

    Their matrices are (out, in), so the kernels of ours are theirs transposed.
    """
    return BACKBONES[config.backbone].encoder_table(config)


def _canonical(name, prefix, heads):
    """The name as the tables spell it: with the prefix, and LayerNorm's weight and bias.

    Args:
        name: str, a tensor's name in the file.
        prefix: str, what the file leaves out before the names of the encoder's tensors.
        heads: set of str, the first parts of the names that never have the prefix.
    """
    if name.split(".")[0] not in heads:
        name = prefix + name
    name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
    return name.replace("LayerNorm.beta", "LayerNorm.bias")


def _match(file, folder, config, num_classes):
    """Accounts for every tensor of a file, by its header alone.

    Args:
        file: an opened safetensors file.
        folder: path, for the errors.
        config: `EncoderConfig`.
        num_classes: int, or None to leave a head for classification unchecked.

    Returns:
        dict from the path of each of our weights that the file fills to the name of the tensor.
    """
    slices = {name: file.get_slice(name) for name in sorted(file.keys())}
    backbone = BACKBONES[config.backbone]
    prefixed = any(name.startswith(backbone.prefix) for name in slices)
    prefix = "" if prefixed else backbone.prefix
    heads = {
        name.split(".")[0]
        for name in (backbone.pooler, backbone.classifier, *backbone.ignored)
        if not name.startswith(backbone.prefix)
    }
    found, unknown = {}, []
    for name in slices:
        canonical = _canonical(name, prefix, heads)
        if canonical in found:
            unknown.append(name)
        found.setdefault(canonical, name)
    if config.distinct_encoders > len(slices):
        raise InputError(
            f"{folder}: config.json gives {config.num_layers} encoders, but model.safetensors "
            f"has only {len(slices)} tensors"
        )

    table, ignored = list(encoder_table(config)), set(backbone.ignored)
    pooler = dense("pooler", backbone.pooler, config.hidden_dim, config.hidden_dim)
    classifier = dense("classifier", backbone.classifier, config.hidden_dim, num_classes)
    for optional, wanted in ((pooler, config.pooler), (classifier, num_classes is not None)):
        names = {theirs for _, theirs, _ in optional}
        if not wanted:
            ignored |= names
        elif names & found.keys():
            table += optional

    needed = {theirs for _, theirs, _ in table}
    unknown += [name for theirs, name in found.items() if theirs not in needed | ignored]
    missing = [theirs.removeprefix(prefix) for _, theirs, _ in table if theirs not in found]
    unfit = [
        _misfit(found[theirs], slices[found[theirs]], shape)
        for _, theirs, shape in table
        if theirs in found
    ]
    problems = [
        f"{title} {_listed(entries)}"
        for title, entries in (
            ("missing", [repr(name) for name in missing]),
            ("unknown", [repr(name) for name in sorted(unknown)]),
            ("unfit", [text for text in unfit if text]),
        )
        if entries
    ]
    if problems:
        hint = _head_hint(slices, found, config, num_classes)
        raise InputError(
            f"the tensors of {folder / 'model.safetensors'} must be those of config.json and of "
            f"the head. Received: {'; '.join(problems)}{hint}"
        )
    return {ours: found[theirs] for ours, theirs, _ in table}


def _misfit(name, tensor, expected):
    shape, dtype = tuple(tensor.get_shape()), tensor.get_dtype()
    if shape != expected:
        return f"{name!r} of shape {shape}, expected {expected}"
    if dtype not in _DTYPES:
        return f"{name!r} of type {dtype}, expected one of {', '.join(_DTYPES)}"
    return None


def _head_hint(slices, found, config, num_classes):
    """What to do about a head that was trained for another number of classes."""
    name = f"{BACKBONES[config.backbone].classifier}.weight"
    if num_classes is None or name not in found:
        return ""
    shape = slices[found[name]].get_shape()
    if len(shape) != 2 or shape[0] == num_classes or shape[1] != config.hidden_dim:
        return ""
    return (
        f" (hint: the checkpoint's head has {shape[0]} outputs, the model {num_classes}: give "
        f"num_classes={shape[0]}, or save the checkpoint without its head to train a new one)"
    )


def _listed(entries):
    more = len(entries) - _NAMES_SHOWN
    return ", ".join(entries[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _existing(folder):
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"the checkpoint must be a folder. Received: {folder}")
    return folder


@contextlib.contextmanager
def _opened(folder):
    path = folder / "model.safetensors"
    if not path.is_file():
        pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
        hint = (
            f"; {', '.join(pickles)} may be a pickle, which can run code and is never read: "
            "convert it with transformers, model.save_pretrained(folder, safe_serialization=True)"
        )
        raise InputError(f"{folder} has no model.safetensors{hint if pickles else ''}")
    try:
        with safetensors.safe_open(path, framework="np") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupt, cut short or cannot be read: {reason}") from error


def _check_vocabulary(folder, rows):
    path = folder / "vocab.txt"
    if not path.exists():
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    padded = {-(-lines // multiple) * multiple for multiple in _VOCABULARY_PADDING}
    if rows not in {lines, *padded}:
        raise InputError(
            f"{path} must have a line for each of the {rows} word embeddings in the weights. "
            f"Received: {lines} lines"
        )
