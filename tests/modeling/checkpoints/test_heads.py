"""Heads that come with a checkpoint: their classes, names and order."""

import numpy as np
import pytest
from modeling.checkpoints.test_huggingface import by_path
from modeling.checkpoints.test_huggingface import error_of
from modeling.checkpoints.test_huggingface import random_tensors
from modeling.checkpoints.test_huggingface import small_model
from modeling.checkpoints.test_huggingface import write

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.checkpoints.checkpoint import Head

NAMES = {"2": "Not-Sure", "0": "NO", "1": "YES"}
ORDERED = ("NO", "YES", "Not-Sure")


@pytest.mark.parametrize(
    ("theirs", "ours", "rows"),
    [
        ((), ("a", "b", "c"), (0, 1, 2)),
        (("a", "b", "c"), (), (0, 1, 2)),
        (("a", "b", "c"), ("c", "a", "b"), (2, 0, 1)),
        (("LABEL_0", "LABEL_1", "LABEL_2"), ("c", "a", "b"), (0, 1, 2)),
        (("c", "a", "b"), ("0", "1", "2"), (0, 1, 2)),
        (("not entailment", "NEUTRAL", "x-y"), ("neutral", "X_Y", "Not_Entailment"), (1, 2, 0)),
        (("a", "b", "c"), ("a", "b", "d"), None),
        (("a", "A", "b"), ("a", "b", "A"), None),
        # Names that do not count from 0 in order are names.
        (("LABEL_1", "LABEL_0", "LABEL_2"), ("LABEL_2", "LABEL_1", "LABEL_0"), (2, 0, 1)),
    ],
)
def test_rows_by_name_or_by_position(theirs, ours, rows):
    head = Head("classification", 3, theirs)
    if rows is None:
        message = error_of(head.rows, "classification", 3, ours)
        assert str(list(ours)) in message and str(list(theirs)) in message
    else:
        assert head.rows("classification", 3, ours) == rows


def test_other_kinds_and_numbers_are_refused():
    head = Head("classification", 3)
    assert "3 outputs" in error_of(head.rows, "classification", 2)
    assert "for regression, 1 outputs" in error_of(head.rows, "regression", 1)


def test_a_head_comes_with_its_names(tmp_path):
    tensors = random_tensors(3)
    model = BertClassifier.from_checkpoint(
        write(tmp_path, tensors, id2label=NAMES), sequence_length=8
    )
    assert model.num_classes == 3 and model.label_names == ORDERED
    kernel = by_path(model)["classifier/kernel"]
    np.testing.assert_array_equal(kernel, tensors["classifier.weight"].T)


def test_names_in_another_order_put_its_rows_in_order(tmp_path):
    tensors = random_tensors(3)
    folder = write(tmp_path, tensors, id2label=NAMES)
    names = ("not sure", "no", "yes")
    weights = by_path(BertClassifier.from_checkpoint(folder, 3, 8, label_names=names))
    expected = tensors["classifier.weight"][[2, 0, 1]].T
    np.testing.assert_array_equal(weights["classifier/kernel"], expected)
    expected = tensors["classifier.bias"][[2, 0, 1]]
    np.testing.assert_array_equal(weights["classifier/bias"], expected)
    model = small_model(3, label_names=names)
    huggingface.load_weights(model, folder)
    np.testing.assert_array_equal(by_path(model)["classifier/bias"], expected)


def test_a_new_head_leaves_theirs(tmp_path):
    folder = write(tmp_path, random_tensors(3), id2label=NAMES)
    for num_classes in (2, 3):
        model = BertClassifier.from_checkpoint(folder, num_classes, 8, new_head=True)
        assert model.label_names == () and not by_path(model)["classifier/bias"].any()
    arguments = {"num_classes": 3, "label_names": ("a", "b", "c")}
    message = error_of(BertClassifier.from_checkpoint, folder, **arguments)
    assert "Not-Sure" in message and "new_head=True" in message


def test_one_output_is_regression(tmp_path):
    tensors = random_tensors(1)
    for settings in ({}, {"problem_type": "regression", "id2label": {"0": "LABEL_0"}}):
        model = BertClassifier.from_checkpoint(
            write(tmp_path, tensors, **settings), sequence_length=8
        )
        assert model.head == "regression" and model.label_names == ()
    assert "classification, 2 outputs" in error_of(BertClassifier.from_checkpoint, tmp_path, 2, 8)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"problem_type": "multi_label_classification"}, "multi_label_classification"),
        ({"architectures": ["BertForTokenClassification"]}, "BertForTokenClassification"),
    ],
)
def test_a_head_for_something_else_can_be_left_out(tmp_path, settings, said):
    folder = write(tmp_path, random_tensors(3), **settings)
    assert said in error_of(BertClassifier.from_checkpoint, folder, 3, 8)
    assert BertClassifier.from_checkpoint(folder, 3, 8, new_head=True)


def test_without_a_head_there_are_two_classes(tmp_path):
    folder = write(tmp_path, random_tensors(), id2label=NAMES)
    assert open_checkpoint(folder).head is None
    assert BertClassifier.from_checkpoint(folder, sequence_length=8).num_classes == 2
    model = BertClassifier.from_checkpoint(folder, sequence_length=8, head="regression")
    assert model.num_classes == 1


@pytest.mark.parametrize(
    "names", [{"0": "a"}, {"0": "a", "1": "b", "3": "c"}, ["a", "b", "c"], {"x": "a"}, {"0": 1}, 3]
)
def test_names_that_do_not_fit_the_head(tmp_path, names):
    folder = write(tmp_path, random_tensors(3), id2label=names)
    message = error_of(open_checkpoint, folder)
    assert "config.json: `id2label` must name each of the 3 outputs" in message
