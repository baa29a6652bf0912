"""A classifier as a file of another runtime, for texts of any length, any number at a time."""

import tempfile

import keras
import tensorflow as tf

from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.runtimes.conversion import exported
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.conversion import quiet
from power_bert_tf.deploy.runtimes.openvino import convert
from power_bert_tf.files import write_file


def write_openvino(model, path):
    """A graph of packed rows as .xml, with the weights in a .bin file beside it."""
    openvino = import_optional("openvino", "openvino")
    openvino.save_model(convert(model.for_inference(packed=True)), path, compress_to_fp16=False)


def write_onnx(model, path):
    """A graph of packed rows as .onnx."""
    import_optional("tf2onnx", "onnx")
    content = exported(model.for_inference(packed=True), "onnx", path.suffix)
    write_file(path, lambda aside: aside.write_bytes(content))


def write_keras(model, path):
    """The classifier itself, for inputs of any length, as .keras."""
    model.at_length(None).save(path)


def write_litert(model, path):
    """A signature for each of a few lengths over the same weights, as .tflite.

    Its graphs are of static length: `length_64` takes inputs of shape (texts, 64).
    """
    names = {length: f"length_{length}" for length in bucket_lengths(model.sequence_length)}
    archive = keras.export.ExportArchive()
    archive.track(model)
    for length, name in names.items():
        graph = model.for_inference(length)
        specs = [tf.TensorSpec((None, length), tf.int32, name=each) for each in graph.input]
        archive.add_endpoint(name, _endpoint(graph), specs)
    with tempfile.TemporaryDirectory() as folder, quiet():
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(names.values())
        )
        content = converter.convert()
    write_file(path, lambda aside: aside.write_bytes(content))


def _endpoint(graph):
    names = list(graph.input)

    def answer(*tensors):
        inputs = dict(zip(names, tensors, strict=True))
        return {"outputs": graph(inputs, training=False)}

    return answer
