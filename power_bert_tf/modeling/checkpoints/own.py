"""Our own: a `.keras` file of this package, or the folder of a run.

Of a PoWER-BERT or a search the plain weights are taken. Nothing in the file decides what is
built: its configuration must be a `BertClassifier`'s, whose sizes are checked against the arrays
that the file holds, and then this package builds that class without its reduction.
"""

import contextlib
import functools
import math
import pathlib
import shutil
import tempfile
import zipfile

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.files import parse_json_object
from power_bert_tf.files import read_json_object
from power_bert_tf.modeling.checkpoints import hdf5
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.checkpoints.checkpoint import Head
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor
from power_bert_tf.modeling.checkpoints.checkpoint import vocabulary_in
from power_bert_tf.modeling.checkpoints.checkpoint import with_vocabulary
from power_bert_tf.modeling.classifier import BertClassifier
from power_bert_tf.modeling.config import EncoderConfig

_REGISTERED = "power_bert_tf>BertClassifier"
_SETTINGS = "settings.json"
_FINE_TUNED = pathlib.Path("fine-tune", "model.keras")
_WEIGHTS = "model.weights.h5"
_LARGEST_CONFIG = 1_000_000


def recognises(path):
    """Whether a path is a `.keras` file or the folder of a run."""
    return path.suffix == ".keras" or (path / _SETTINGS).is_file()


def open_checkpoint(path):
    """A `.keras` file, or a run's fine-tuned model.

    The vocabulary is the run's, or the one beside a file that is in no run.

    Args:
        path: path of the file or of the run folder.

    Returns:
        `Checkpoint`.

    Raises:
        InputError: where a file is missing or corrupt, or is another model's.
    """
    if path.is_dir():
        path = path / _FINE_TUNED
    if not path.is_file():
        raise InputError(f"there is no model at {path}")
    arguments = _arguments(path)
    config, num_classes = arguments["config"], arguments["num_classes"]
    with _weights_file(path) as file, hdf5.stored_tensors(file) as stored:
        present = sum(math.prod(tensor.shape) for tensor in stored.values())
        arrays = len(stored)
    needed = 0
    if config.distinct_encoders <= arrays:
        table = huggingface.model_table(config, num_classes)
        needed = sum(math.prod(shape) for _, _, shape in table)
    if config.distinct_encoders > arrays or needed > present:
        raise InputError(
            f"{path} must hold the weights of its {config.num_layers} encoders, {needed or 'more'} "
            f"numbers. Received: {present} in {arrays} arrays"
        )
    folder = path.absolute().parent
    if (folder.parent / _SETTINGS).is_file():  # A step of a run.
        folder = folder.parent
    checkpoint = Checkpoint(
        weights=str(path),
        settings="its configuration",
        config=config,
        tensors=functools.partial(_stored_tensors, path, arguments),
        head=Head(arguments["head"], num_classes, arguments["label_names"]),
        lowercase=_lowercase(folder / _SETTINGS),
        files=(path,),
    )
    return with_vocabulary(checkpoint, vocabulary_in(folder))


def _arguments(path):
    """What the `BertClassifier` in a file was made with, without its reduction and dtype."""
    with _opened(path) as archive:
        entry = archive.getinfo("config.json")
        if entry.file_size > _LARGEST_CONFIG:
            raise InputError(f"{path} must be a model that this package saved; it cannot be read")
        given = parse_json_object(archive.read(entry), path)
    if given.get("registered_name") != _REGISTERED:
        raise InputError(
            f"{path} must hold a `BertClassifier` of this package. "
            f"Received: {given.get('registered_name')!r:.80}"
        )
    try:
        given = given["config"]
        arguments = {
            "config": EncoderConfig(**given["config"]),
            "num_classes": given["num_classes"],
            "sequence_length": given["sequence_length"],
            "head": given["head"],
            "label_names": tuple(given["label_names"]),
        }
        if type(arguments["num_classes"]) is not int or arguments["num_classes"] < 1:
            raise InputError(f"`num_classes` is {arguments['num_classes']!r:.80}")
        if not all(isinstance(name, str) for name in arguments["label_names"]):
            raise InputError(f"`label_names` is {given['label_names']!r:.80}")
    except (KeyError, TypeError, InputError) as error:
        raise InputError(f"{path} holds a configuration that cannot be read: {error}") from error
    return arguments


@contextlib.contextmanager
def _stored_tensors(path, arguments):
    model = BertClassifier(**arguments, dtype="float32")
    with _weights_file(path) as file:
        _check_shapes(model, file, path)
        model.load_weights(file)
    variables = {variable.path: variable for variable in model.weights}
    table = huggingface.model_table(model.config, model.num_classes)
    yield {theirs: _stored_tensor(variables[ours]) for ours, theirs, _ in table}


def _check_shapes(model, file, path):
    """Raises InputError unless a file has every array of a model.

    Keras reads by the names that it would write, and leaves out, with a warning at most, what is
    not there.
    """
    written = file.with_name(f"expected.{_WEIGHTS}")
    model.save_weights(written)
    with hdf5.stored_tensors(written) as expected, hdf5.stored_tensors(file) as stored:
        for name, tensor in expected.items():
            shape = stored[name].shape if name in stored else None
            if shape != tensor.shape:
                raise InputError(
                    f"{path} must hold the weights of its configuration: {name} of shape "
                    f"{tensor.shape}. Received: {'none' if shape is None else shape}"
                )


def _stored_tensor(variable):
    shape = tuple(variable.shape)
    if variable.path.endswith("/kernel"):
        return StoredTensor(shape[::-1], "F32", lambda: keras.ops.convert_to_numpy(variable).T)
    return StoredTensor(shape, "F32", lambda: keras.ops.convert_to_numpy(variable))


@contextlib.contextmanager
def _weights_file(path):
    """The weights of a `.keras` file as a file of their own, which goes again."""
    with tempfile.TemporaryDirectory() as folder, _opened(path) as archive:
        entry = archive.getinfo(_WEIGHTS)
        # As Keras writes it, so that it cannot unfold into more than the file has.
        if entry.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{path} must hold its weights uncompressed, as Keras writes them")
        file = pathlib.Path(folder, _WEIGHTS)
        with archive.open(entry) as source, open(file, "wb") as target:
            shutil.copyfileobj(source, target)
        yield file


@contextlib.contextmanager
def _opened(path):
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError) as error:
        raise InputError(
            f"{path} must be a model that this package saved; it cannot be read"
        ) from error


def _lowercase(path):
    """What a run's settings say of its vocabulary; None where there are none."""
    if not path.is_file():
        return None
    identity = read_json_object(path).get("identity")
    value = identity.get("lowercase") if isinstance(identity, dict) else None
    return value if isinstance(value, bool) else None
