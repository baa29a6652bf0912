import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import masks
from layers.strategies import scores
from power_bert_tf.layers.ranking import prioritise
from power_bert_tf.layers.ranking import sorted_positions


def test_cls_first_padding_last():
    priority = prioritise(np.array([[0.1, 0.3, 0.9]], "float32"), np.array([[1, 1, 0]]))
    np.testing.assert_array_equal(priority, np.array([[1e30, 0.3, -1e30]], "float32"))


def test_ties_go_to_the_earlier_row():
    priority = np.array([[np.inf, 1.0, 2.0, 1.0, -np.inf, -np.inf]], "float32")
    np.testing.assert_array_equal(sorted_positions(priority), [[0, 2, 1, 3, 4, 5]])


@few_examples
@given(mask=masks(), data=st.data())
def test_positions_agree_with_numpy(mask, data):
    score = data.draw(scores(mask.shape))
    positions = ops.convert_to_numpy(sorted_positions(prioritise(score, mask)))
    for text in range(len(mask)):
        order = numpy_reference.sorted_rows(score[text], mask[text])
        np.testing.assert_array_equal(positions[text][order], np.arange(len(order)))
        assert order[0] == 0
        assert not np.any(mask[text][order[mask[text].sum() :]])
