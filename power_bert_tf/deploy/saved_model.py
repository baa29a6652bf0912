"""A SavedModel that takes raw text."""

import pathlib

import keras
import tensorflow as tf

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder


def check_export_folder(folder):
    """Raises InputError where a folder to export to is neither new nor empty."""
    folder = pathlib.Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"the export folder must be new or empty. Received: {folder}")


def export_saved_model(model, preprocessor, folder, pairs=False):
    """Writes a SavedModel whose default signature takes text.

    Its inputs are `text`, and `text_pair` for a task of pairs, string tensors of shape (batch,).
    Its outputs for classification: `probabilities`, float32 (batch, classes), `label`, string
    (batch,), the most probable class, and `label_names`, string (classes,). For regression, and for
    multiple choice, where each option is a pair: `score`, float32 (batch,). A process that loads
    it imports tensorflow and tensorflow_text, and nothing else.

    Args:
        model: `BertClassifier`.
        preprocessor: `Preprocessor` of the model's sequence length.
        folder: where the SavedModel is to appear; must be new or empty.
        pairs: bool. The task is about pairs of texts.

    Raises:
        InputError: where `folder` holds something, or the lengths differ.
    """
    check_export_folder(folder)
    if preprocessor.sequence_length != model.sequence_length:
        raise InputError(
            f"`preprocessor` must have the model's sequence length {model.sequence_length}. "
            f"Received: {preprocessor.sequence_length}"
        )
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(preprocessor)
    names = tf.constant(model.label_names or [str(index) for index in range(model.num_classes)])

    def answer(inputs):
        outputs = model(inputs, training=False)
        if model.head != "classification":
            return {"score": outputs[:, 0]}
        return {
            "probabilities": outputs,
            "label": tf.gather(names, tf.argmax(outputs, axis=1)),
            "label_names": names,
        }

    text = tf.TensorSpec((None,), tf.string, name="text")
    text_pair = tf.TensorSpec((None,), tf.string, name="text_pair")
    if pairs:
        archive.add_endpoint(
            "serve",
            lambda text, text_pair: answer(preprocessor(text, text_pair)),
            [text, text_pair],
        )
    else:
        archive.add_endpoint("serve", lambda text: answer(preprocessor(text)), [text])
    write_folder(folder, lambda aside: archive.write_out(str(aside), verbose=False))
