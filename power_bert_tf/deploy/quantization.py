"""8-bit integers for an OpenVINO model, by NNCF."""

import contextlib
import io
import logging
import re
import warnings

from power_bert_tf.deploy.processor import lacks_int8
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.conversion import quiet

# How many texts at a time it is calibrated on.
CALIBRATION_BATCH = 32
_HEAD = re.compile("/(pooler|classifier)[^/]*/")
_SCORE = re.compile("/[^/]*(significance|score|contribution)[^/]*/")
_NO_INSTRUCTIONS = (
    "this processor has no instructions for products of 8-bit integers (AVX-VNNI, AVX-512 VNNI or "
    "AMX): int8 may be slower than float32 here, and less exact. Where AVX2 is all there is, it "
    "took 1.7 times as long"
)


def quantized(model, inputs, smooth=0.95, attention=False):
    """An OpenVINO model whose encoders multiply with their weights in 8-bit integers.

    Products of attention and the methods' scores stay in float: they take as long, and what stays
    of a text would change. So does the head, which takes no time.

    Args:
        model: `openvino.Model`.
        inputs: list of dict of int32 arrays, what it is calibrated on: batches of texts like those
            to come.
        smooth: float, how much of the activations' outliers SmoothQuant moves into the weights, at
            most 1; -1 for none.
        attention: bool. Quantize the products of attention too.

    Raises:
        InputError: where NNCF is not installed.
    """
    nncf = import_optional("nncf", "openvino")
    warn_of_processor()
    names = [port.get_any_name() for port in model.inputs]
    batches = [{name: batch[name] for name in names} for batch in inputs]
    logging.getLogger("nncf").setLevel(logging.ERROR)
    # It prints how far it is, over several lines.
    with contextlib.redirect_stdout(io.StringIO()), quiet():
        return nncf.quantize(
            model,
            nncf.Dataset(batches),
            preset=nncf.QuantizationPreset.MIXED,
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(batches),
            ignored_scope=nncf.IgnoredScope(names=_left_in_float(model, attention)),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=smooth)
            ),
        )


def _left_in_float(model, attention):
    """The names of the products of the head and of scores, and of attention unless it is not."""
    products = (node for node in model.get_ops() if node.get_type_name() == "MatMul")
    return [
        node.get_friendly_name()
        for node in products
        if _HEAD.search(node.get_friendly_name())
        or _SCORE.search(node.get_friendly_name())
        or not (attention or any(_source(port) == "Constant" for port in node.inputs()))
    ]


def _source(port):
    return port.get_source_output().get_node().get_type_name()


def warn_of_processor():
    """Warns where the processor has no instructions for products of 8-bit integers."""
    if lacks_int8():
        warnings.warn(_NO_INSTRUCTIONS, stacklevel=2)
