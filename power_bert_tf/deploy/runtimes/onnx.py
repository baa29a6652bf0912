"""ONNX Runtime on the CPU."""

import numpy as np

from power_bert_tf.deploy.runtimes.conversion import check
from power_bert_tf.deploy.runtimes.conversion import exported
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.conversion import input_name

# Its CPU kernels for 16 bits are few and slow.
DTYPES = ("float32",)
STATIC_BATCH = False
PACKS = True


def compile_graph(graph, dtype="float32", jit_compile=False, batch_size=None):
    """Compiles a graph with ONNX Runtime, with the weights that it has now.

    Args:
        graph: `BertClassifier`, or a functional model of the same inputs, in float32.
        dtype: str, one of `DTYPES`.
        jit_compile: bool, ignored: the runtime has a compiler of its own.
        batch_size: int, ignored.

    Returns:
        A function from a dict of int32 arrays of shape (batch, N) to a float32 array of shape
        (batch, outputs), for any batch size.

    Raises:
        InputError: where ONNX Runtime or tf2onnx is not installed, or cannot compute so.
    """
    onnxruntime = import_optional("onnxruntime", "onnx")
    import_optional("tf2onnx", "onnx")
    check(graph, dtype, DTYPES)
    session = onnxruntime.InferenceSession(
        exported(graph, "onnx", ".onnx"), providers=["CPUExecutionProvider"]
    )
    names = {each.name: input_name([each.name], graph) for each in session.get_inputs()}

    def run(inputs):
        feed = {theirs: np.asarray(inputs[ours], "int32") for theirs, ours in names.items()}
        return session.run(None, feed)[0]

    return run
