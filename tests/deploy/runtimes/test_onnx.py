import pytest

from deploy.runtimes import answers
from power_bert_tf.deploy.runtimes import onnx

pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")


@pytest.mark.parametrize("name", answers.CASES)
def test_answers_are_those_of_keras(name):
    model = answers.model(name)
    answers.check_float32(onnx.compile_graph(model), model)
