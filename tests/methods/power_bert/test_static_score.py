import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing
from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import masks

from power_bert_tf.methods.power_bert.static_score import StaticScore


class StaticScoreTest(testing.TestCase):
    def test_layer(self):
        # Integer input has no gradient to train by.
        self.run_layer_test(
            StaticScore,
            init_kwargs={"strategy": "random", "seed": 3},
            input_data=np.array([[1, 1, 1, 1], [1, 0, 1, 0]], "int32"),
            expected_output_shape=(2, 4),
            expected_output_dtype="float32",
            expected_num_trainable_weights=0,
            run_training_check=False,
        )


def test_head_prefers_the_first_words():
    mask = np.array([[1, 1, 1, 0], [1, 0, 1, 1]])
    score = ops.convert_to_numpy(StaticScore("head")(mask))
    np.testing.assert_array_equal(score[0, :3], [0, -1, -2])
    np.testing.assert_array_equal(score[1, [0, 2, 3]], [0, -1, -2])


def drawn(rows, seed=0):
    mask = np.ones((1, rows), "int32")
    return ops.convert_to_numpy(StaticScore("random", seed=seed)(mask))[0]


def test_random_draws_once_for_all_lengths():
    np.testing.assert_array_equal(drawn(5), drawn(8)[:5])
    assert len(set(drawn(8))) == 8
    assert list(np.argsort(drawn(8))) != list(np.argsort(drawn(8, seed=1)))


@few_examples
@given(mask=masks(), strategy=st.sampled_from(["head", "random"]))
def test_agrees_with_numpy(mask, strategy):
    rows = mask.shape[1]
    score = ops.convert_to_numpy(StaticScore(strategy)(mask))
    by_position = -np.arange(rows) if strategy == "head" else drawn(rows)
    for text in range(len(mask)):
        expected = numpy_reference.static_score(mask[text], by_position)
        np.testing.assert_array_equal(score[text] * mask[text], expected)


def test_unknown_strategy():
    with pytest.raises(ValueError, match="strategy=tail"):
        StaticScore("tail")
