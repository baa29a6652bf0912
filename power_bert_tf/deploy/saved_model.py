"""A SavedModel that takes raw text."""

import pathlib

import keras
import tensorflow as tf

from power_bert_tf.deploy.checked import check_answers
from power_bert_tf.deploy.checked import model_answers
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_text

# In another process, as it will be loaded: answers on the standard output.
_ANSWER = """
import json, sys
import tensorflow as tf, tensorflow_text
asked = json.load(sys.stdin)
given = {"text": asked["texts"], "text_pair": asked["text_pairs"]}
answers = tf.saved_model.load(sys.argv[1]).signatures["serving_default"](
    **{name: tf.constant(texts) for name, texts in given.items() if texts is not None}
)
json.dump(answers.get("probabilities", answers.get("score")).numpy().tolist(), sys.stdout)
"""


def check_export_folder(folder):
    """Raises InputError where a folder to export to is neither new nor empty."""
    folder = pathlib.Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"the export folder must be new or empty. Received: {folder}")


def export_saved_model(model, preprocessor, folder, pairs=False, examples=None, card=None):
    """Writes a SavedModel whose default signature takes text, and a second one tokens.

    Its inputs are `text`, and `text_pair` for a task of pairs, string tensors of shape (batch,).
    Its outputs for classification: `probabilities`, float32 (batch, classes), `label`, string
    (batch,), the most probable class, and `label_names`, string (classes,). For regression, and for
    multiple choice, where each option is a pair: `score`, float32 (batch,). The signature `tokens`
    takes `token_ids`, `segment_ids` and `padding_mask` instead, int32 (batch, length) of any
    length up to N. A batch is computed with packed rows, padded to its longest text in attention
    alone; to N where rows cannot be packed. It computes in float32. A process that loads it
    imports tensorflow and tensorflow_text, and nothing else.

    Args:
        model: `BertClassifier`.
        preprocessor: `Preprocessor` of the model's sequence length.
        folder: where the SavedModel is to appear; must be new or empty.
        pairs: bool. The task is about pairs of texts.
        examples: `Examples`. The first 64 are answered by the SavedModel in a process of its own;
            where that is not what the model answers, nothing is written.
        card: str, Markdown, to be written as `README.md`.

    Raises:
        InputError: where `folder` holds something, or the lengths or the answers differ.
    """
    check_export_folder(folder)
    if preprocessor.sequence_length != model.sequence_length:
        raise InputError(
            f"`preprocessor` must have the model's sequence length {model.sequence_length}. "
            f"Received: {preprocessor.sequence_length}"
        )
    model = model if model.compute_dtype == "float32" else model.with_dtype("float32")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.track(preprocessor)
    names = tf.constant(model.label_names or [str(index) for index in range(model.num_classes)])

    graph = model.for_inference(packed=model.packs)
    length = None if model.packs else model.sequence_length

    def answer(inputs):
        outputs = graph({name: inputs[name] for name in graph.input}, training=False)
        if model.head != "classification":
            return {"score": outputs[:, 0]}
        return {
            "probabilities": outputs,
            "label": tf.gather(names, tf.argmax(outputs, axis=1)),
            "label_names": names,
        }

    def of_shape(tensors, shape):
        # A signature takes tensors of other ranks than it says, and kernels do not look.
        return [tf.ensure_shape(tensor, shape) for tensor in tensors]

    def pad(*texts):
        texts = of_shape(texts, (None,))
        if model.packs:
            return preprocessor.pad_to_longest(*texts, multiple=1)
        return preprocessor(*texts)

    text = tf.TensorSpec((None,), tf.string, name="text")
    text_pair = tf.TensorSpec((None,), tf.string, name="text_pair")
    if pairs:
        archive.add_endpoint(
            "serve",
            lambda text, text_pair: answer(pad(text, text_pair)),
            [text, text_pair],
        )
    else:
        archive.add_endpoint("serve", lambda text: answer(pad(text)), [text])
    archive.add_endpoint(
        "tokens",
        lambda *tensors: answer(
            dict(zip(graph.input, of_shape(tensors, (None, length)), strict=True))
        ),
        [tf.TensorSpec((None, length), tf.int32, name=name) for name in graph.input],
    )

    def write(aside):
        archive.write_out(str(aside), verbose=False)
        if card is not None:
            write_text(aside / "README.md", card)
        if examples is not None:
            check_answers(_ANSWER, aside, examples, model_answers(model, preprocessor))

    write_folder(folder, write)
