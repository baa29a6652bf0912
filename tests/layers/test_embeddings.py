import functools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops
from keras.src import testing

from layers import numpy_reference
from layers.strategies import few_examples
from layers.strategies import generators
from layers.strategies import randomize
from power_bert_tf.layers import BertEmbeddings


class BertEmbeddingsTest(testing.TestCase):
    def test_layer(self):
        # Two inputs: `run_layer_test` can train layers of one only.
        self.run_layer_test(
            BertEmbeddings,
            # As many segments as pieces: `run_layer_test` draws numbers for both.
            init_kwargs={"vocabulary_size": 7, "hidden_dim": 4, "num_segments": 7},
            input_shape={"token_ids_shape": (2, 3), "segment_ids_shape": (2, 3)},
            input_dtype={"token_ids_shape": "int32", "segment_ids_shape": "int32"},
            expected_output_shape=(2, 3, 4),
            expected_num_trainable_weights=5,
            expected_num_seed_generators=1,
            run_training_check=False,
        )


def test_adds_three_embeddings_and_normalises():
    layer = BertEmbeddings(vocabulary_size=2, hidden_dim=2, max_sequence_length=2, num_segments=2)
    layer.build((None, 2), (None, 2))
    layer.token_embedding.embeddings.assign([[0.0, 0.0], [1.0, 0.0]])
    layer.position_embedding.embeddings.assign([[0.0, 0.0], [4.0, 0.0]])
    layer.segment_embedding.embeddings.assign([[0.0, 3.0], [0.0, 9.0]])
    # Position 0: token 1 and segment 0 give (1, 3); position 1: token 0 and segment 1 give (4, 9).
    # Two numbers, normalised, are -1 and 1 by their order.
    hidden = layer(np.array([[1, 0]]), np.array([[0, 1]]))
    np.testing.assert_allclose(hidden, [[[-1, 1], [-1, 1]]], atol=1e-5)
    layer.position_embedding.embeddings.assign([[0.0, 0.0], [6.0, 0.0]])
    layer.segment_embedding.embeddings.assign([[0.0, 3.0], [0.0, 2.0]])
    hidden = layer(np.array([[1, 0]]), np.array([[0, 1]]))
    np.testing.assert_allclose(hidden, [[[-1, 1], [1, -1]]], atol=1e-5)


def test_normalises_with_its_epsilon():
    layer = BertEmbeddings(
        vocabulary_size=1,
        hidden_dim=2,
        max_sequence_length=1,
        num_segments=0,
        layer_norm_epsilon=16.0,
    )
    layer.build((None, 1))
    layer.token_embedding.embeddings.assign([[4.0, 10.0]])
    layer.position_embedding.embeddings.assign([[0.0, 0.0]])
    # A variance of 9: the deviation is 5 instead of 3.
    np.testing.assert_allclose(layer(np.array([[0]])), [[[-0.6, 0.6]]], rtol=1e-6)


@functools.cache
def built_layer(num_segments):
    layer = BertEmbeddings(
        vocabulary_size=9, hidden_dim=6, max_sequence_length=8, num_segments=num_segments
    )
    layer.build((None, 8), (None, 8))
    return layer


@few_examples
@given(
    shape=st.sampled_from([(1, 1), (3, 7)]),
    has_segments=st.booleans(),
    generator=generators(),
)
def test_agrees_with_numpy(shape, has_segments, generator):
    layer = built_layer(2 * has_segments)
    token_ids = generator.integers(0, 9, shape)
    segment_ids = generator.integers(0, 2, shape) if has_segments else None
    randomize(layer, generator)
    hidden = ops.convert_to_numpy(layer(token_ids, segment_ids))
    for text in range(shape[0]):
        segments = segment_ids[text] if has_segments else None
        expected = numpy_reference.embeddings(
            token_ids[text], segments, numpy_reference.weights_of(layer)
        )
        np.testing.assert_allclose(hidden[text], expected, rtol=1e-4, atol=1e-5)


def test_positions_from_an_offset_and_one_segment_for_all():
    layer = BertEmbeddings(
        vocabulary_size=2, hidden_dim=2, max_sequence_length=2, num_segments=1, position_offset=2
    )
    layer.build((None, 2))
    layer.token_embedding.embeddings.assign([[0.0, 0.0], [1.0, 0.0]])
    layer.position_embedding.embeddings.assign([[9.0, 0.0], [9.0, 0.0], [0.0, 0.0], [4.0, 0.0]])
    layer.segment_embedding.embeddings.assign([[0.0, 3.0]])
    # Position 0: token 1 gives (1, 3); position 1: token 0 gives (4, 3).
    np.testing.assert_allclose(layer(np.array([[1, 0]])), [[[-1, 1], [1, -1]]], atol=1e-5)
    again = BertEmbeddings.from_config(layer.get_config())
    assert again.position_offset == 2
    # Whatever the offset, there are places for two words.
    with pytest.raises(ValueError, match=r"length=3, max_sequence_length=2"):
        layer(np.array([[1, 0, 1]]))


def test_drops_out_in_training_only():
    keras.utils.set_random_seed(0)
    layer = BertEmbeddings(vocabulary_size=3, hidden_dim=8, max_sequence_length=16, dropout=0.5)
    token_ids = np.ones((1, 16), "int32")
    trained = ops.convert_to_numpy(layer(token_ids, token_ids, training=True))
    assert 0.2 < np.mean(trained == 0) < 0.8
    assert np.all(ops.convert_to_numpy(layer(token_ids, token_ids)) != 0)


def test_longer_than_the_position_embeddings():
    layer = BertEmbeddings(vocabulary_size=3, hidden_dim=2, max_sequence_length=4)
    token_ids = np.ones((1, 5), "int32")
    with pytest.raises(ValueError, match=r"length=5, max_sequence_length=4"):
        layer(token_ids, token_ids)
