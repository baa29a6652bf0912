import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.errors import InputError

VOCABULARY = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d"]
TOKENIZER = WordPieceTokenizer(VOCABULARY)
# [PAD] is 1, so that padding shows.
PAD, CLS, SEP, A, B, C, D = 1, 2, 3, 5, 6, 7, 8


def test_single_text():
    inputs = Preprocessor(TOKENIZER, 6)(["a b", "", "a b c d a b"])
    assert inputs["token_ids"].numpy().tolist() == [
        [CLS, A, B, SEP, PAD, PAD],
        [CLS, SEP, PAD, PAD, PAD, PAD],
        [CLS, A, B, C, D, SEP],
    ]
    assert inputs["padding_mask"].numpy().tolist() == [
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
    ]
    assert not inputs["segment_ids"].numpy().any()
    assert {tensor.dtype for tensor in inputs.values()} == {tf.int32}


def test_pair():
    inputs = Preprocessor(TOKENIZER, 8)(["a b", "a a a a a"], ["c", "c d"])
    assert inputs["token_ids"].numpy().tolist() == [
        [CLS, A, B, SEP, C, SEP, PAD, PAD],
        [CLS, A, A, A, SEP, C, D, SEP],
    ]
    assert inputs["segment_ids"].numpy().tolist() == [
        [0, 0, 0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1],
    ]


def test_pad_to_longest():
    preprocessor = Preprocessor(TOKENIZER, 6)
    texts = ["a", "a b"]
    for multiple, length in ((1, 4), (2, 4), (3, 6), (8, 6)):
        inputs = preprocessor.pad_to_longest(texts, multiple=multiple)
        whole = preprocessor(texts)
        for name, tensor in inputs.items():
            assert tensor.shape == (2, length)
            assert tensor.dtype == tf.int32
            assert tensor.numpy().tolist() == whole[name].numpy()[:, :length].tolist()
    assert preprocessor.pad_to_longest(["a b c d a b c d"])["token_ids"].shape == (1, 6)
    pair = preprocessor.pad_to_longest(["a"], ["b"], multiple=1)
    assert pair["segment_ids"].numpy().tolist() == [[0, 0, 0, 1, 1]]


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=10, max_size=50),
    sequence_length=st.integers(4, 24),
)
def test_pairs_are_cut_as_tokenizers_cuts_them(lengths, sequence_length):
    reference = BertWordPieceTokenizer({piece: i for i, piece in enumerate(VOCABULARY)})
    reference.enable_truncation(sequence_length, strategy="longest_first")
    reference.enable_padding(length=sequence_length, pad_id=PAD)
    pairs = [("a b " * first, "c d " * second) for first, second in lengths]
    expected = reference.encode_batch(pairs)
    inputs = Preprocessor(TOKENIZER, sequence_length)(*zip(*pairs, strict=True))
    for name, attribute in (
        ("token_ids", "ids"),
        ("segment_ids", "type_ids"),
        ("padding_mask", "attention_mask"),
    ):
        values = [getattr(encoding, attribute) for encoding in expected]
        np.testing.assert_array_equal(inputs[name], values)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [((4, 4), (2, 3)), ((5, 4), (3, 2)), ((4, 5), (2, 3)), ((9, 1), (4, 1)), ((0, 9), (0, 5))],
)
def test_odd_places_go_to_the_longer_text(lengths, expected):
    token_ids, _ = Preprocessor(TOKENIZER, 8).ragged(["a " * lengths[0]], ["b " * lengths[1]])
    row = token_ids.to_list()[0]
    assert (row.count(A), row.count(B)) == expected


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [((4, 4), (1, 4)), ((9, 1), (4, 1)), ((2, 3), (2, 3)), ((3, 5), (0, 5)), ((3, 9), (0, 5))],
)
def test_only_the_first_text_gives_way(lengths, expected):
    preprocessor = Preprocessor(TOKENIZER, 8, truncation="only_first")
    texts = ["a " * lengths[0]], ["b " * lengths[1]]
    row = preprocessor.ragged(*texts)[0].to_list()[0]
    assert row == [CLS, *[A] * expected[0], SEP, *[B] * expected[1], SEP]
    shortest = preprocessor(*texts, sequence_length=3)
    assert shortest["token_ids"].numpy().tolist() == [[CLS, SEP, SEP]]


def test_only_first_is_as_in_tokenizers():
    reference = BertWordPieceTokenizer({piece: i for i, piece in enumerate(VOCABULARY)})
    reference.enable_truncation(9, strategy="only_first")
    # `tokenizers` refuses a second text that does not fit by itself.
    pairs = [("a b " * first, "c d " * second) for first in range(1, 8) for second in range(3)]
    token_ids, segment_ids = Preprocessor(TOKENIZER, 9, "only_first").encode(
        *zip(*pairs, strict=True)
    )
    expected = reference.encode_batch(pairs)
    assert token_ids == [encoding.ids for encoding in expected]
    assert segment_ids == [encoding.type_ids for encoding in expected]


def test_truncation_makes_no_difference_to_a_single_text():
    texts = ["a b c d a b c", "a"]
    token_ids, _ = Preprocessor(TOKENIZER, 5, "only_first").encode(texts)
    assert token_ids == Preprocessor(TOKENIZER, 5).encode(texts)[0]


def test_ragged_is_cut_but_not_padded():
    preprocessor = Preprocessor(TOKENIZER, 6)
    token_ids, segment_ids = preprocessor.ragged(["a", "a b c d a b"], ["b", "c"])
    assert token_ids.to_list() == [[CLS, A, SEP, B, SEP], [CLS, A, B, SEP, C, SEP]]
    assert segment_ids.to_list() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert token_ids.dtype == segment_ids.dtype == tf.int32


def test_sequence_length_of_the_call():
    preprocessor = Preprocessor(TOKENIZER, 4)
    texts = ["a b c d", "a"]
    longer = preprocessor(texts, sequence_length=9)
    expected = Preprocessor(TOKENIZER, 9)(texts)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(longer[name], tensor)


def test_eager_graph_and_dataset_agree():
    preprocessor = Preprocessor(TOKENIZER, 7)
    texts, pairs = ["a b c", "", "d"], ["b", "a b c d a", ""]
    expected = preprocessor(texts, pairs)
    string = tf.TensorSpec([None], tf.string)
    graph = tf.function(preprocessor, input_signature=[string, string])
    dataset = tf.data.Dataset.from_tensor_slices((texts, pairs)).batch(3).map(preprocessor)
    assert dataset.element_spec["token_ids"].shape.as_list() == [None, 7]
    for inputs in (graph(tf.constant(texts), tf.constant(pairs)), next(iter(dataset))):
        assert list(inputs) == ["token_ids", "segment_ids", "padding_mask"]
        for name, tensor in expected.items():
            np.testing.assert_array_equal(inputs[name], tensor)


def test_saved_model(tmp_path):
    module = tf.Module()
    module.preprocessor = Preprocessor(TOKENIZER, 7)
    string = tf.TensorSpec([None], tf.string)
    module.serve = tf.function(
        lambda text, text_pair: module.preprocessor(text, text_pair),
        input_signature=[string, string],
    )
    tf.saved_model.save(module, str(tmp_path))
    texts, pairs = tf.constant(["a b", "c"]), tf.constant(["d", ""])
    inputs = tf.saved_model.load(str(tmp_path)).serve(texts, pairs)
    for name, tensor in module.preprocessor(texts, pairs).items():
        np.testing.assert_array_equal(inputs[name], tensor)


def test_bad_input():
    for length in (1, 0, -3, 6.0, None):
        with pytest.raises(InputError, match="`sequence_length` must be .* at least 2"):
            Preprocessor(TOKENIZER, length)
    preprocessor = Preprocessor(TOKENIZER, 2)
    assert preprocessor(["a"])["token_ids"].numpy().tolist() == [[CLS, SEP]]
    with pytest.raises(InputError, match="at least 3"):
        preprocessor(["a"], ["b"])
    with pytest.raises(InputError, match="at least 2"):
        preprocessor(["a"], sequence_length=1)
    with pytest.raises(InputError, match="`truncation` must be one of longest_first, only_first"):
        Preprocessor(TOKENIZER, 8, truncation="only_second")
    with pytest.raises(InputError, match="`text_pair` must have one text for each"):
        Preprocessor(TOKENIZER, 8)(["a"], ["b", "c"])


def test_texts_are_encoded_without_padding():
    token_ids, segment_ids = Preprocessor(TOKENIZER, 6).encode(["a", "a b c d"], ["b", "c"])
    assert token_ids == [[CLS, A, SEP, B, SEP], [CLS, A, B, SEP, C, SEP]]
    assert segment_ids == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]]
    assert Preprocessor(TOKENIZER, 6).encode(["a b"]) == ([[CLS, A, B, SEP]], [[0] * 4])
