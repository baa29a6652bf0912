"""OpenVINO on the CPU: the fastest runtime on Intel's and AMD's, most of all in 8 or 16 bits."""

import os

from power_bert_tf.deploy.engines import openvino_engine
from power_bert_tf.deploy.openvino_options import PRECISIONS
from power_bert_tf.deploy.quantization import quantized
from power_bert_tf.deploy.quantization import warn_of_processor
from power_bert_tf.deploy.runtimes.conversion import check
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.conversion import input_name
from power_bert_tf.deploy.runtimes.conversion import quiet

DTYPES = tuple(PRECISIONS)
STATIC_BATCH = False
PACKS = True


def compile_graph(graph, dtype="float32", jit_compile=False, batch_size=None, calibration=None):
    """Compiles a graph with OpenVINO, with the weights that it has now.

    Args:
        graph: `BertClassifier`, or a functional model of the same inputs, in float32.
        dtype: str, one of `DTYPES`, to compute in. Processors without instructions for a 16-bit
            type compute in float32.
        jit_compile: bool, ignored: the runtime has a compiler of its own.
        batch_size: int, the batch size that comes most, which is compiled for itself where the
            length is static: where a graph extracts, static shapes are faster. A graph of any
            length is compiled once.
        calibration: for int8: list of dict of int32 arrays, as `quantized` takes them; or the path
            of what `save_quantized` wrote of this graph.

    Returns:
        A function from a dict of int32 arrays of shape (batch, N) to a float32 array of shape
        (batch, outputs). The first call with `batch_size`, and the first with another, take
        seconds, and each keeps a copy of the weights.

    Raises:
        InputError: where OpenVINO is not installed, or cannot compute so.
    """
    import_optional("openvino", "openvino")
    check(graph, dtype, DTYPES)
    model = _model(graph, dtype, calibration)
    length = next(iter(graph.input.values())).shape[1]
    if length is None:
        return openvino_engine(model, dtype)
    engines = {}

    def run(inputs):
        rows = inputs["token_ids"].shape[0]
        rows = rows if rows == batch_size else -1
        if rows not in engines:
            model.reshape(dict.fromkeys(model.inputs, [rows, length]))
            engines[rows] = openvino_engine(model, dtype)
        return engines[rows](inputs)

    return run


def _model(graph, dtype, calibration):
    if dtype != "int8":
        return convert(graph)
    if isinstance(calibration, (str, os.PathLike)):
        warn_of_processor()
        return import_optional("openvino", "openvino").Core().read_model(calibration)
    return quantized(convert(graph), calibration)


def save_quantized(graph, calibration, path, **options):
    """Writes a graph as a quantized OpenVINO model, with the weights that it has now.

    Args:
        graph: as for `compile_graph`.
        calibration: list of dict of int32 arrays, as `quantized` takes them.
        path: path of the .xml file; the weights stand beside it, in a .bin file.
        **options: further ones of `quantized`.
    """
    check(graph, "int8", DTYPES)
    model = quantized(convert(graph), calibration, **options)
    import_optional("openvino", "openvino").save_model(model, path, compress_to_fp16=False)


def convert(graph):
    """A graph as an OpenVINO model, whose inputs have the graph's names."""
    openvino = import_optional("openvino", "openvino")
    function = _function(graph)
    with quiet():
        model = openvino.convert_model(function)
    for port in model.inputs:
        port.get_tensor().set_names({input_name(port.get_names(), graph)})
    return model


def _function(graph):
    import tensorflow as tf

    inputs = {
        name: tf.TensorSpec((None, tensor.shape[1]), tf.int32, name=name)
        for name, tensor in graph.input.items()
    }
    function = tf.function(lambda inputs: graph(inputs, training=False))
    return function.get_concrete_function(inputs)
