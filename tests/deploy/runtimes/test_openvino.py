import numpy as np
import pytest

from deploy.runtimes import answers
from power_bert_tf.deploy.runtimes import openvino

pytest.importorskip("openvino")


@pytest.mark.parametrize("name", answers.CASES)
def test_answers_are_those_of_keras(name):
    model = answers.model(name)
    answers.check_float32(openvino.compile_graph(model), model)


def require_instructions(dtype):
    """Skips where the processor has none for a dtype: OpenVINO computes in float32 then."""
    from openvino import Core

    name = {"bfloat16": "BF16", "float16": "FP16"}[dtype]
    if name not in Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip(f"this processor has no products in {dtype}")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.large)])
@pytest.mark.parametrize("name", answers.CASES)
def test_16_bits_cost_no_more_than_in_keras(name, dtype):
    require_instructions(dtype)
    inputs, model = answers.padded_texts(200), answers.model(name)
    exact = np.asarray(model(inputs))
    ours = openvino.compile_graph(model, dtype)(inputs)
    theirs = np.asarray(answers.model(name, dtype=f"mixed_{dtype}")(inputs))
    # Both round each product; where, and in which order, differs. So twice Keras' mean error.
    allowed = 2 * np.abs(theirs - exact).mean()
    # More than float32 would: the dtype is not ignored.
    assert 1e-4 < np.abs(ours - exact).mean() < allowed < 0.02
