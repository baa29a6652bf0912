"""LiteRT (TensorFlow Lite) on the CPU, with XNNPACK."""

import os

from power_bert_tf.deploy.runtimes.conversion import check
from power_bert_tf.deploy.runtimes.conversion import exported
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.conversion import input_name
from power_bert_tf.deploy.runtimes.conversion import quiet

DTYPES = ("float32",)
STATIC_BATCH = True
PACKS = False


def compile_graph(graph, dtype="float32", jit_compile=False, batch_size=None):
    """Compiles a graph of static length with LiteRT, with the weights that it has now.

    Args:
        graph: `BertClassifier`, or a functional model of the same inputs, in float32.
        dtype: str, one of `DTYPES`.
        jit_compile: bool, ignored: the runtime has a compiler of its own.
        batch_size: int, ignored.

    Returns:
        A function from a dict of int32 arrays of shape (batch, N) to a float32 array of shape
        (batch, outputs). The first call of each batch size is slower than the others.

    Raises:
        InputError: where LiteRT is not installed, or cannot compute so.
    """
    interpreters = import_optional("ai_edge_litert.interpreter", "litert")
    check(graph, dtype, DTYPES)
    model = exported(graph, "litert", ".tflite")
    prepared = {}

    def prepare(inputs):
        with quiet():
            interpreter = interpreters.Interpreter(model_content=model, num_threads=os.cpu_count())
            places = {
                input_name([each["name"]], graph): each["index"]
                for each in interpreter.get_input_details()
            }
            for name, place in places.items():
                interpreter.resize_tensor_input(place, inputs[name].shape)
            interpreter.allocate_tensors()
        return interpreter, places, interpreter.get_output_details()[0]["index"]

    def run(inputs):
        batch_size = len(inputs["token_ids"])
        if batch_size not in prepared:
            prepared[batch_size] = prepare(inputs)
        interpreter, places, output = prepared[batch_size]
        for name, place in places.items():
            interpreter.set_tensor(place, inputs[name])
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run
