"""The two configurations that PoWER-BERT's paper prints, and numbers worked by hand."""

import keras
import pytest
import tensorflow as tf
from every_second.method import EverySecond
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2_as_graph,
)

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.flops import computed_flops
from power_bert_tf.modeling.flops import encoder_flops
from power_bert_tf.modeling.flops import encoders_flops

# Goyal et al., PoWER-BERT (ICML 2020): section 4 gives RTE's configuration, figure 1 the other.
PUBLISHED = {
    "RTE": (256, "153,125,111,105,85,80,72,48,35,27,22,5", 3.29),
    "figure 1": (128, "80,73,70,50,50,40,33,27,20,15,13,3", 3.01),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations_at_the_sizes_of_bert_base(name):
    length, retention, expected = PUBLISHED[name]
    config = EncoderConfig()
    saved = encoders_flops(config, length) / encoders_flops(
        config, length, RetentionConfiguration.parse(retention).at_length(length)
    )
    assert saved == pytest.approx(expected, abs=0.01)


def test_an_encoder_by_hand():
    """8pH^2 + 4p^2H + 4eHF for p word-vectors in and e on, with H = 4, F = 6."""
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    expected = 8 * 5 * 16 + 4 * 25 * 4 + 4 * 3 * 4 * 6
    assert encoder_flops(config, 0, entering=5, leaving=3) == expected


def test_encoders_of_different_sizes():
    config = EncoderConfig(
        num_layers=2,
        num_heads=(2, 1),
        hidden_dim=4,
        intermediate_dim=(6, 2),
        key_dim=(2, 3),
        value_dim=(2, 1),
    )
    # Query and key project to 3, value to 1 and back; two products over 3 + 1 numbers a pair.
    expected = 2 * 5 * 4 * (3 + 3 + 1 + 1) + 2 * 25 * (3 + 1) + 4 * 3 * 4 * 2
    assert encoder_flops(config, 1, entering=5, leaving=3) == expected
    both = encoder_flops(config, 0, 5, 5) + encoder_flops(config, 1, 5, 5)
    assert encoders_flops(config, 5) == both


@pytest.mark.parametrize(("retention", "kept"), [("6,2", (6, 2)), ("6,2 of 16", (3, 1))])
def test_each_encoder_takes_what_the_one_before_let_through(retention, kept):
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    expected = encoder_flops(config, 0, 8, kept[0]) + encoder_flops(config, 1, kept[0], kept[1])
    assert RetentionConfiguration.parse(retention).at_length(8) == kept
    assert encoders_flops(config, 8, kept) == expected


def test_what_leaves_before_an_encoder_takes_no_part_in_its_attention():
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    expected = encoder_flops(config, 0, 6, 6) + encoder_flops(config, 1, 6, 2)
    assert encoders_flops(config, 8, (6, 2), entering=(6, 6)) == expected
    # 3 of 5 enter, and 2 of them the last encoder, where [CLS] alone asks.
    first = 3 * 2 * 3 * 16 + 2 * 3 * 3 * 4 + 2 * 3 * 3 * 4 + 2 * 3 * 16 + 4 * 3 * 24
    last = 2 * 1 * 16 + 2 * 2 * 2 * 16 + 2 * 2 * 4 + 2 * 2 * 4 + 2 * 16 + 4 * 24
    assert computed_flops(config, 5, (3, 2), entering=(3, 2)) == first + last


def test_keeping_everything_saves_nothing():
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    everything = RetentionConfiguration.parse("9,9")
    for length in (4, 9):
        kept = everything.at_length(length)
        assert encoders_flops(config, length, kept) == encoders_flops(config, length)


def profiled_products(graph):
    """What TensorFlow's profiler counts in the matrix products of a graph, for one text."""
    if keras.config.backend() != "tensorflow":
        pytest.skip("TensorFlow's profiler counts TensorFlow's graphs")
    inputs = {
        name: tf.TensorSpec((1, *tensor.shape[1:]), tf.int32)
        for name, tensor in graph.input.items()
    }
    function = tf.function(lambda inputs: graph(inputs, training=False))
    frozen, _ = convert_variables_to_constants_v2_as_graph(function.get_concrete_function(inputs))
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    with tf.Graph().as_default() as imported:
        tf.graph_util.import_graph_def(frozen.graph.as_graph_def(), name="")
        node = tf.compat.v1.profiler.profile(
            imported, options={**options, "output": "none"}, cmd="op"
        )
    counted = {}
    while node.children:
        node = node.children[0]
        counted[node.name] = node.float_ops
    return counted["MatMul"] + counted["BatchMatMulV2"]


@pytest.mark.parametrize(
    ("retention", "scored"),
    [
        (None, ()),
        ("9,5,2", (16, 9)),
        ("9,9,2", (16,)),
        ("16,5,5", (16,)),
        ("10,5,2 of 16", (16, 10)),
    ],
)
def test_the_profiler_counts_the_same(retention, scored):
    width, length = 8, 16
    config = EncoderConfig(
        vocabulary_size=20,
        num_layers=3,
        num_heads=2,
        hidden_dim=width,
        intermediate_dim=12,
        max_sequence_length=length,
    )
    model = BertClassifier(config, 2, length, Extraction(retention) if retention else None)
    # Pooler and head; and the sum over the queries in each encoder that scores.
    others = 2 * width * width + 2 * width * 2
    entering = {
        None: (),
        "9,5,2": (16, 9),
        "9,9,2": (16,),
        "16,5,5": (16,),
        "10,5,2 of 16": (16, 10),
    }
    others += sum(2 * rows * rows for rows in entering[retention])
    kept = model.reduction.retention.at_length(length) if retention else None
    assert profiled_products(model.for_inference()) == computed_flops(config, length, kept) + others
    if retention is None:
        others_per_text = encoders_flops(config, length) + others
        assert profiled_products(model) == others_per_text


def test_the_profiler_counts_the_same_where_words_leave_before_an_encoder():
    config = EncoderConfig(
        vocabulary_size=20,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=12,
        max_sequence_length=16,
    )
    model = BertClassifier(config, 2, 16, EverySecond())
    kept = model.reduction.kept(3, 16)
    entering = model.reduction.entering_of(16, kept)
    assert kept == entering == (8, 8, 8)
    others = 2 * 8 * 8 + 2 * 8 * 2
    expected = computed_flops(config, 16, kept, entering) + others
    assert profiled_products(model.for_inference()) == expected


@pytest.mark.parametrize("retention", [None, "9,5,2", "10,5,2 of 16"])
def test_albert_counts_its_projection_and_each_use_of_its_encoder(retention):
    sizes = {
        "vocabulary_size": 20,
        "num_layers": 3,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 12,
        "max_sequence_length": 16,
    }
    bert = EncoderConfig(**sizes)
    albert = EncoderConfig(**sizes, backbone="albert", embedding_dim=4, share_layers=True)
    kept = retention and RetentionConfiguration.parse(retention).at_length(16)
    projection = 2 * 16 * 4 * 8
    for flops in (encoders_flops, computed_flops):
        assert flops(albert, 16, kept) == flops(bert, 16, kept) + projection
    model = BertClassifier(albert, 2, 16, Extraction(retention) if retention else None)
    scored = {None: (), "9,5,2": (16, 9), "10,5,2 of 16": (16, 10)}[retention]
    others = 2 * 8 * 8 + 2 * 8 * 2 + sum(2 * rows * rows for rows in scored)
    expected = computed_flops(albert, 16, kept) + others
    assert profiled_products(model.for_inference()) == expected


def test_what_is_computed_by_hand():
    """H = 4, F = 6, 5 words: 3 or 2 stay, then [CLS] alone; 2mkn for each product."""
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    # Most stay: the values are averaged for all five.
    first = 3 * 2 * 5 * 16 + 2 * 5 * 5 * 4 + 2 * 5 * 5 * 4 + 2 * 3 * 16 + 4 * 3 * 24
    last = 2 * 1 * 16 + 2 * 2 * 3 * 16 + 2 * 3 * 4 + 2 * 3 * 4 + 2 * 16 + 4 * 24
    assert computed_flops(config, 5, (3, 2)) == first + last
    # Few stay: for these two alone.
    first = 3 * 2 * 5 * 16 + 2 * 5 * 5 * 4 + 2 * 2 * 5 * 4 + 2 * 2 * 16 + 4 * 2 * 24
    last = 2 * 1 * 16 + 2 * 2 * 2 * 16 + 2 * 2 * 4 + 2 * 2 * 4 + 2 * 16 + 4 * 24
    assert computed_flops(config, 5, (2, 2)) == first + last
