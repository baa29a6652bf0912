"""A classifier as it was saved."""

from power_bert_tf.errors import InputError
from power_bert_tf.modeling import keras_file
from power_bert_tf.modeling.classifier import BertClassifier
from power_bert_tf.modeling.reduction import deserialize_reduction


def load_classifier(path):
    """Loads a `BertClassifier` with its reduction from a `.keras` file, without its optimizer.

    Args:
        path: path of the file.

    Raises:
        InputError: where the file is missing, damaged or another model's, or its reduction cannot
            be made; says why.
    """
    arguments = keras_file.read_arguments(path)
    try:
        reduction = deserialize_reduction(arguments.pop("reduction"))
        model = BertClassifier(**arguments, reduction=reduction)
    except (InputError, TypeError) as error:
        raise InputError(f"{path}: {error}") from error
    keras_file.load_weights(model, path)
    return model
