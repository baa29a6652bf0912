"""Reads `.keras` files of this package: the one place that does.

Nothing in a file decides what is built: its configuration must be a `BertClassifier`'s, and every
array that such a model has must be in the file, in its shape, before one is read.
"""

import contextlib
import math
import pathlib
import shutil
import tempfile
import zipfile

from power_bert_tf.errors import InputError
from power_bert_tf.files import parse_json_object
from power_bert_tf.modeling.checkpoints import hdf5
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.config import EncoderConfig

REGISTERED_NAME = "power_bert_tf>BertClassifier"
_WEIGHTS = "model.weights.h5"
_LARGEST_CONFIG = 1_000_000


def read_arguments(path):
    """The arguments that the `BertClassifier` in a file was made with.

    Args:
        path: path of a `.keras` file.

    Returns:
        dict; `reduction` is as Keras has serialised it, and not yet made.

    Raises:
        InputError: where the file is missing, damaged or another model's.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"there is no model at {path}")
    with _opened(path) as archive:
        entry = archive.getinfo("config.json")
        if entry.file_size > _LARGEST_CONFIG:
            raise InputError(f"{path} must be a model that this package saved; it cannot be read")
        given = parse_json_object(archive.read(entry), path)
    if given.get("registered_name") != REGISTERED_NAME:
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
            "reduction": given["reduction"],
            "dtype": given["dtype"],
            "name": given["name"],
        }
        if type(arguments["num_classes"]) is not int or arguments["num_classes"] < 1:
            raise InputError(f"`num_classes` is {arguments['num_classes']!r:.80}")
        if not all(isinstance(name, str) for name in arguments["label_names"]):
            raise InputError(f"`label_names` is {given['label_names']!r:.80}")
    except (KeyError, TypeError, InputError) as error:
        raise InputError(f"{path} holds a configuration that cannot be read: {error}") from error
    _check_size(arguments, path)
    return arguments


def _check_size(arguments, path):
    """Raises InputError where a file holds fewer numbers than its configuration asks for.

    Before a model is built, which would take memory for what is not there.
    """
    config = arguments["config"]
    with weights_file(path) as file, hdf5.stored_tensors(file) as stored:
        present = sum(math.prod(tensor.shape) for tensor in stored.values())
        arrays = len(stored)
    needed = 0
    if config.distinct_encoders <= arrays:
        table = huggingface.model_table(config, arguments["num_classes"])
        needed = sum(math.prod(shape) for _, _, shape in table)
    if config.distinct_encoders > arrays or needed > present:
        raise InputError(
            f"{path} must hold the weights of its {config.num_layers} encoders, {needed or 'more'} "
            f"numbers. Received: {present} in {arrays} arrays"
        )


@contextlib.contextmanager
def weights_file(path):
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


def load_weights(model, path):
    """Fills a model with the weights of the `.keras` file that it was saved in.

    Keras reads by the names that it would write, and leaves out, with a warning at most, what is
    not there: here every array must be there.

    Raises:
        InputError: where one is missing or of another shape; the model is then as it was.
    """
    with weights_file(path) as file:
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
        model.load_weights(file)


@contextlib.contextmanager
def _opened(path):
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError) as error:
        raise InputError(
            f"{path} must be a model that this package saved; it cannot be read"
        ) from error
