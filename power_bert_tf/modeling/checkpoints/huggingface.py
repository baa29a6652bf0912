"""The Hugging Face layout: config.json, a vocabulary and safetensors, whole or in shards.

The headers of the weights are compared with the sizes in config.json, tensor by tensor, before
anything is read or assigned: either every weight fits, or an error names what does not and the
model is as it was. Only safetensors are read, never a pickle.

Other formats hand out their tensors by the names and shapes of this one, so the tables here are
the only place that knows where a weight belongs.
"""

import dataclasses
import functools
import pathlib

from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object
from power_bert_tf.modeling.backbones import BACKBONES
from power_bert_tf.modeling.backbones.backbone import dense
from power_bert_tf.modeling.checkpoints import safetensors_files
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.checkpoints.checkpoint import Head
from power_bert_tf.modeling.checkpoints.checkpoint import vocabulary_in
from power_bert_tf.modeling.checkpoints.checkpoint import with_vocabulary
from power_bert_tf.modeling.config import EncoderConfig
from power_bert_tf.modeling.reduction import deserialize_reduction

# The key of config.json under which our own exports keep what transformers does not know.
OWN_KEY = "power_bert_tf"

_DTYPES = ("F32", "F16", "BF16", "F64")
_NAMES_SHOWN = 8


def recognises(path):
    """Whether a path is a folder with safetensors."""
    return any((path / name).is_file() for name in safetensors_files.NAMES)


def open_checkpoint(folder):
    """A folder with config.json, model.safetensors (or shards) and, perhaps, a vocabulary.

    Only the headers of the weights are read.

    Args:
        folder: path of the folder.

    Returns:
        `Checkpoint`.

    Raises:
        InputError: where a file is missing, corrupt or does not fit config.json.
    """
    folder = _existing(folder)
    path = folder / "config.json"
    config = EncoderConfig.from_json(path)
    settings = read_json_object(path)
    files = safetensors_files.weight_files(folder)
    checkpoint = Checkpoint(
        weights=str(files[0] if len(files) == 1 else folder / safetensors_files.INDEX),
        settings=str(path),
        config=config,
        tensors=functools.partial(safetensors_files.stored_tensors, folder),
        lowercase=_lowercase(folder / "tokenizer_config.json"),
        files=files,
        **_own(settings, path),
    )
    checkpoint = checked(checkpoint, functools.partial(_head, settings, path))
    return with_vocabulary(checkpoint, vocabulary_in(folder))


def checked(checkpoint, head_of=None):
    """A `Checkpoint`, once all of its tensors are known to fit its config and its head.

    Args:
        checkpoint: `Checkpoint`.
        head_of: function that is given the number of outputs of the head, where there is one,
            and gives the checkpoint's `Head`.
    """
    with checkpoint.tensors() as tensors:
        table = _classifier(checkpoint.config, None)
        names = [theirs for _, theirs, _ in table if theirs in tensors]
        if head_of is not None and names:
            outputs = tensors[names[0]].shape[:1]
            checkpoint = dataclasses.replace(checkpoint, head=head_of(*outputs or (0,)))
        # A head for something else may have any shape: it is left out.
        fits = checkpoint.head is not None and checkpoint.head.is_known
        num_classes = checkpoint.head.num_classes if fits else None
        _match(tensors, checkpoint, checkpoint.config, num_classes)
    return checkpoint


def read_config(folder):
    """The `EncoderConfig` of a checkpoint folder, as `open_checkpoint` checks it."""
    return open_checkpoint(folder).config


def load_weights(model, folder):
    """Fills a classifier with the weights of a checkpoint folder.

    A pooler that the checkpoint lacks keeps its initial weights, and so do the retention
    parameters of a search model. A head for classification is loaded where the checkpoint has one.

    Args:
        model: `BertClassifier`.
        folder: path of a folder as `open_checkpoint` takes it.

    Raises:
        InputError: where a file is missing or corrupt, or a tensor is unknown, missing or of
            another shape or type; the model is then as it was.
    """
    checkpoint = open_checkpoint(folder)
    rows = None
    if checkpoint.head is not None:
        rows = checkpoint.head.rows(model.head, model.num_classes, model.label_names)
    fill(model, checkpoint, rows)


def fill(model, checkpoint, rows=None):
    """Fills a classifier with the weights of a checkpoint.

    Args:
        model: `BertClassifier`.
        checkpoint: `Checkpoint`.
        rows: sequence of ints, which row of the checkpoint's head stands for each class of the
            model; None to leave the model's head as it is.

    Raises:
        InputError: where a tensor does not fit the model, which is then as it was.
    """
    variables = {variable.path: variable for variable in model.weights}
    num_classes = None if rows is None else model.num_classes
    with checkpoint.tensors() as tensors:
        sources = _match(tensors, checkpoint, model.config, num_classes)
        targets = [(variables[ours], name) for ours, name in sources.items()]
        for variable, name in targets:
            tensor = tensors[name].read().astype("float32")
            if rows is not None and variable.path.startswith("classifier/"):
                tensor = tensor[list(rows)]
            variable.assign(tensor.T if variable.path.endswith("/kernel") else tensor)


def encoder_table(config):
    """Yields (path of our weight, their name, their shape) for embeddings and encoders.

    Their matrices are (out, in), so the kernels of ours are theirs transposed.
    """
    return BACKBONES[config.backbone].encoder_table(config)


def model_table(config, num_classes):
    """`encoder_table` with the pooler and the head: every weight of a plain classifier."""
    yield from encoder_table(config)
    if config.pooler:
        yield from _pooler(config)
    yield from _classifier(config, num_classes)


def _pooler(config):
    hidden = config.hidden_dim
    return dense("pooler", BACKBONES[config.backbone].pooler, hidden, hidden)


def _classifier(config, num_classes):
    name = BACKBONES[config.backbone].classifier
    return dense("classifier", name, config.hidden_dim, num_classes)


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


def _match(tensors, checkpoint, config, num_classes):
    """Accounts for every tensor of a checkpoint, by shape and type alone.

    Args:
        tensors: dict of `StoredTensor` by name.
        checkpoint: `Checkpoint`, for the errors.
        config: `EncoderConfig`.
        num_classes: int, or None to leave a head for classification unchecked.

    Returns:
        dict from the path of each of our weights that the checkpoint fills to the name of the
        tensor.
    """
    backbone = BACKBONES[config.backbone]
    prefixed = any(name.startswith(backbone.prefix) for name in tensors)
    prefix = "" if prefixed else backbone.prefix
    heads = {
        name.split(".")[0]
        for name in (backbone.pooler, backbone.classifier, *backbone.ignored)
        if not name.startswith(backbone.prefix)
    }
    found, unknown = {}, []
    for name in sorted(tensors):
        canonical = _canonical(name, prefix, heads)
        if canonical in found:
            unknown.append(name)
        found.setdefault(canonical, name)
    if config.distinct_encoders > len(tensors):
        raise InputError(
            f"{checkpoint.settings} gives {config.num_layers} encoders, but {checkpoint.weights} "
            f"has only {len(tensors)} tensors"
        )

    table, ignored = list(encoder_table(config)), set(backbone.ignored)
    pooler, classifier = _pooler(config), _classifier(config, num_classes)
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
        _misfit(found[theirs], tensors[found[theirs]], shape)
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
        raise InputError(
            f"the tensors of {checkpoint.weights} must be those of {checkpoint.settings}. "
            f"Received: {'; '.join(problems)}"
        )
    return {ours: found[theirs] for ours, theirs, _ in table}


def _misfit(name, tensor, expected):
    if tensor.shape != expected:
        return f"{name!r} of shape {tensor.shape}, expected {expected}"
    if tensor.dtype not in _DTYPES:
        return f"{name!r} of type {tensor.dtype}, expected one of {', '.join(_DTYPES)}"
    return None


def _listed(entries):
    more = len(entries) - _NAMES_SHOWN
    return ", ".join(entries[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _existing(folder):
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"the checkpoint must be a folder or a .keras file. Received: {folder}")
    return folder


def _lowercase(path):
    """What tokenizer_config.json says of the vocabulary; None where there is none."""
    if not path.exists():
        return None
    return bool(read_json_object(path).get("do_lower_case", True))


def _head(settings, path, num_classes):
    """The head of the weights, as config.json describes it."""
    problem = settings.get("problem_type")
    architectures = settings.get("architectures")
    said = str(architectures).rstrip("]'")
    if said.endswith("MultipleChoice") and num_classes == 1:
        return Head("multiple_choice", num_classes)
    if architectures and not said.endswith("SequenceClassification"):
        return Head(f"another purpose, {architectures}", num_classes)
    if problem not in (None, "regression", "single_label_classification"):
        return Head(f"another purpose, {problem}", num_classes)
    if problem == "regression" or num_classes == 1:
        return Head("regression", num_classes)
    return Head("classification", num_classes, _label_names(settings, path, num_classes))


def _label_names(settings, path, num_classes):
    given = settings.get("id2label")
    if given is None:
        return ()
    names = list(given.values()) if isinstance(given, dict) else []
    try:
        # In the order of the ids, whatever that of the file is.
        names = [given[key] for key in sorted(given, key=int)]
        fits = sorted(map(int, given)) == list(range(num_classes))
    except (TypeError, ValueError):
        fits = False
    if not fits or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{path}: `id2label` must name each of the {num_classes} outputs of the head. "
            f"Received: {given!r:.200}"
        )
    return tuple(names)


def _own(settings, path):
    """What our own export wrote into config.json, fields of `Checkpoint`; none from elsewhere."""
    own = settings.get(OWN_KEY)
    if own is None:
        return {}
    try:
        length, reduction = own.get("sequence_length"), own.get("reduction")
        if length is not None and (type(length) is not int or length < 1):
            raise InputError(f"`sequence_length` must be an int of at least 1, not {length!r}")
        if reduction is not None:
            reduction = deserialize_reduction(reduction)
    except (TypeError, AttributeError, InputError) as error:
        raise InputError(
            f"{path}: `{OWN_KEY}` must describe a model of this package: {error}. "
            f"Received: {own!r:.200}"
        ) from error
    return {"sequence_length": length, "reduction": reduction}
