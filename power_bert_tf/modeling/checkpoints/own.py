"""Our own: a `.keras` file of this package, or the folder of a run.

Whatever the model in it does to its word-vectors, the plain weights are taken.
"""

import contextlib
import functools
import pathlib

import keras

from power_bert_tf.files import read_json_object
from power_bert_tf.modeling import keras_file
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.checkpoints.checkpoint import Head
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor
from power_bert_tf.modeling.checkpoints.checkpoint import vocabulary_in
from power_bert_tf.modeling.checkpoints.checkpoint import with_vocabulary
from power_bert_tf.modeling.graph import classifier_graph
from power_bert_tf.modeling.reduction import NoReduction
from power_bert_tf.modeling.shared_layers import SharedLayers
from power_bert_tf.modeling.text_model import TextModel

_SETTINGS = "settings.json"
_FINE_TUNED = pathlib.Path("fine-tune", "model.keras")


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
    arguments = keras_file.read_arguments(path)
    folder = path.absolute().parent
    if (folder.parent / _SETTINGS).is_file():  # A step of a run.
        folder = folder.parent
    head = Head(arguments["head"], arguments["num_classes"], arguments["label_names"])
    checkpoint = Checkpoint(
        weights=str(path),
        settings="its configuration",
        config=arguments["config"],
        tensors=functools.partial(_stored_tensors, path, arguments),
        head=head,
        lowercase=_lowercase(folder / _SETTINGS),
        files=(path,),
        sequence_length=arguments["sequence_length"],
    )
    return with_vocabulary(checkpoint, vocabulary_in(folder))


@contextlib.contextmanager
def _stored_tensors(path, arguments):
    sizes = {name: arguments[name] for name in ("config", "num_classes", "sequence_length", "head")}
    layers = SharedLayers(dtype="float32")
    graph = classifier_graph(**sizes, reduction=NoReduction(), layers=layers)
    model = TextModel(graph.inputs, graph.outputs)
    keras_file.load_weights(model, path)
    variables = {variable.path: variable for variable in model.weights}
    table = huggingface.model_table(arguments["config"], arguments["num_classes"])
    yield {theirs: _stored_tensor(variables[ours]) for ours, theirs, _ in table}


def _stored_tensor(variable):
    shape = tuple(variable.shape)
    if variable.path.endswith("/kernel"):
        return StoredTensor(shape[::-1], "F32", lambda: keras.ops.convert_to_numpy(variable).T)
    return StoredTensor(shape, "F32", lambda: keras.ops.convert_to_numpy(variable))


def _lowercase(path):
    """What a run's settings say of its vocabulary; None where there are none."""
    if not path.is_file():
        return None
    identity = read_json_object(path).get("identity")
    value = identity.get("lowercase") if isinstance(identity, dict) else None
    return value if isinstance(value, bool) else None
