"""What answers batches from a model file: an engine for each format, by its own package alone.

An engine takes the path of the file and a dtype, and gives a function from a dict of int32 arrays,
(texts, longest), to a float32 array (texts, outputs). Its package is imported when it is asked for.
"""

import os

import numpy as np

from power_bert_tf.deploy.openvino_options import compile_options
from power_bert_tf.errors import InputError

INPUTS = ("token_ids", "segment_ids", "padding_mask")


def openvino_engine(model, dtype):
    """OpenVINO, in float32, 16 bits, or int8 where the model is quantized.

    Args:
        model: path, or `openvino.Model`, which is not needed any more once it is compiled.
        dtype: str.
    """
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU", compile_options(dtype))
    request = compiled.create_infer_request()
    names = [port.get_any_name() for port in compiled.inputs]

    def run(inputs):
        request.infer([np.ascontiguousarray(inputs[name], "int32") for name in names])
        # A copy, since the next call writes to the same place.
        return request.get_output_tensor(0).data.astype("float32")

    return run


def onnx_engine(path, dtype):
    """ONNX Runtime, in float32."""
    import onnxruntime

    _check_float32(dtype)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = {each.name: _ours(each.name) for each in session.get_inputs()}
    return lambda inputs: session.run(
        None, {theirs: inputs[ours] for theirs, ours in names.items()}
    )[0]


def litert_engine(path, dtype):
    """LiteRT, in float32: a signature for each length, the next longer one answers."""
    from ai_edge_litert.interpreter import Interpreter

    _check_float32(dtype)
    interpreter = Interpreter(model_path=str(path), num_threads=os.cpu_count())
    signatures = interpreter.get_signature_list()
    lengths = {int(name.removeprefix("length_")): name for name in signatures}

    def run(inputs):
        size = inputs["token_ids"].shape[1]
        length = min(each for each in lengths if each >= size)
        runner = interpreter.get_signature_runner(lengths[length])
        padded = {
            name: np.pad(inputs[name], ((0, 0), (0, length - size)))
            for name in signatures[lengths[length]]["inputs"]
        }
        return runner(**padded)["outputs"]

    return run


def keras_engine(path, dtype):
    """Keras, on TensorFlow or JAX."""
    from power_bert_tf.deploy.runtimes import default_runtime
    from power_bert_tf.deploy.runtimes import load_runtime
    from power_bert_tf.modeling import load_classifier

    runtime = default_runtime()
    module = load_runtime(runtime, dtype)
    model = load_classifier(path)
    model = model if model.compute_dtype == dtype else model.with_dtype(dtype)
    graph = model.for_inference(packed=model.packs)
    return module.compile_graph(graph, dtype, jit_compile=runtime == "jax")


def _ours(theirs):
    """Which input is meant by the name that a converter has made of it."""
    return next(name for name in INPUTS if name in theirs)


def _check_float32(dtype):
    if dtype != "float32":
        raise InputError(f"`dtype` must be float32 in this format. Received: dtype={dtype!r}")
