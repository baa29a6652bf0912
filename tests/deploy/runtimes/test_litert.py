import pytest

from deploy.runtimes import answers
from power_bert_tf.deploy.runtimes import litert

pytest.importorskip("ai_edge_litert")


@pytest.mark.parametrize("name", answers.CASES)
def test_answers_are_those_of_keras(name):
    model = answers.model(name)
    answers.check_float32(litert.compile_graph(model), model)
