"""What a trace says was dropped is what the graph drops."""

import functools

import keras
import numpy as np
import pytest
from training import toy

from power_bert_tf.analysis.trace import Trace
from power_bert_tf.analysis.trace import trace
from power_bert_tf.errors import InputError
from power_bert_tf.layers import Extract
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import NoReduction

LENGTH = 16
RETENTIONS = ["10,6,3", "16,5,5", "12,8,3 of 16", "16,7,7 of 16", "1,1,1"]


@functools.cache
def power_bert(retention, selection="attention"):
    return toy.classifier(
        LENGTH,
        seed=7,
        config=toy.config(num_layers=3),
        reduction=Extraction(retention, selection=selection),
    )


def texts():
    generator = np.random.default_rng(1)
    return ["good", *(toy.sentence(generator, "bad") for _ in range(12))]


def kept_by_the_graph(model, inputs):
    """Follows the rows through the graph by their values: sets of positions, text by text.

    Knows no score: a row that comes out of an extract layer is the row that went in and has the
    same numbers.
    """
    layers = [layer for layer in model.layers if isinstance(layer, Extract)]
    watched = keras.Model(
        model.input,
        {layer.name: (layer.input[0], layer.output[0], layer.output[2]) for layer in layers},
    )
    seen = keras.tree.map_structure(np.asarray, watched(inputs))
    kept = []
    for row, words in enumerate(np.asarray(inputs["padding_mask"]).sum(axis=1)):
        positions, visible, of_text = np.arange(LENGTH), set(range(words)), []
        for index in range(model.config.num_layers):
            if f"encoder_{index}_extract" in seen:
                before, after, mask = (each[row] for each in seen[f"encoder_{index}_extract"])
                equal = (after[:, None, :] == before[None, :, :]).all(axis=2)
                # Padding is alike; of words there must not be two with the same numbers.
                assert (equal[mask > 0].sum(axis=1) == 1).all()
                positions = positions[equal.argmax(axis=1)]
                visible = set(positions[mask > 0].tolist())
            of_text.append(visible)
        kept.append(of_text)
    return kept


@pytest.mark.parametrize("retention", RETENTIONS)
def test_kept_positions_are_those_of_the_graph(retention):
    model, preprocessor = power_bert(retention), toy.preprocessor(LENGTH)
    traces = trace(model, preprocessor, texts())
    inputs = preprocessor(texts())
    expected = kept_by_the_graph(model, inputs)
    assert [each.kept for each in traces] == expected
    np.testing.assert_allclose([each.outputs for each in traces], model(inputs), atol=1e-5)


@pytest.mark.parametrize("retention", RETENTIONS)
def test_as_many_are_kept_as_the_configuration_says(retention):
    model, configuration = power_bert(retention), RetentionConfiguration.parse(retention)
    lengths = set()
    for each in trace(model, toy.preprocessor(LENGTH), texts()):
        lengths.add(len(each.pieces))
        counts = tuple(len(kept) for kept in each.kept)
        assert counts == configuration.at_length(len(each.pieces))
        assert all(0 in kept for kept in each.kept)
        assert each.kept[2] <= each.kept[1] <= each.kept[0]
    assert len(lengths) > 3


def test_pieces_and_pairs():
    model = power_bert("10,6,3")
    (each,) = trace(model, toy.preprocessor(LENGTH), ["a good film"], ["We saw it"])
    assert each.pieces == "[CLS] a good film [SEP] we saw it [SEP]".split()
    assert len(each.kept[0]) == 9 and len(each.kept[2]) == 3


def test_the_first_words_stay_where_the_head_is_selected():
    (each,) = trace(
        power_bert("5,3,2", "head"), toy.preprocessor(LENGTH), ["so good a film was it"]
    )
    assert each.kept == [{0, 1, 2, 3, 4}, {0, 1, 2}, {0, 1}]


def test_keeping_everything():
    (each,) = trace(power_bert("16,16,16"), toy.preprocessor(LENGTH), ["so good"])
    assert each.kept == [{0, 1, 2, 3}] * 3
    assert each.lines() == []


def test_lines_strike_what_an_encoder_drops():
    pieces = ["[CLS]", "a", "good", "film", "[SEP]"]
    kept = [{0, 1, 2, 3, 4}, {0, 2, 3}, {0, 2, 3}, {0, 2}]
    each = Trace(pieces, kept, np.zeros(2))
    assert each.lines() == [
        "encoder  2: [CLS] ~~a~~ good film ~~[SEP]~~",
        "encoder  4: [CLS] good ~~film~~",
    ]
    assert each.lines("({})".format)[1] == "encoder  4: [CLS] good (film)"


@pytest.mark.parametrize("reduction", [NoReduction(), SoftExtraction(0.1)])
def test_a_model_that_drops_nothing_is_refused(reduction):
    model = toy.classifier(reduction=reduction)
    with pytest.raises(InputError, match=f"drops word-vectors.*{type(reduction).__name__}"):
        trace(model, toy.preprocessor(), ["good"])
