import numpy as np
from keras import ops

from power_bert_tf.layers.initializers import bert_initializer


def test_draws_within_two_standard_deviations():
    drawn = ops.convert_to_numpy(bert_initializer(stddev=0.5)((64, 64)))
    assert np.abs(drawn).max() <= 1.0
    assert 0.35 < drawn.std() < 0.5
    assert abs(drawn.mean()) < 0.05


def test_draws_as_bert_does_where_not_told():
    assert np.abs(ops.convert_to_numpy(bert_initializer()((64, 64)))).max() <= 0.04
