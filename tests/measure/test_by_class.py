"""Figures by class, of numbers, and what changes between two models."""

import numpy as np
import pytest

from power_bert_tf.measure.by_class import calibration_error
from power_bert_tf.measure.by_class import class_figures
from power_bert_tf.measure.by_class import most_changed
from power_bert_tf.measure.by_class import number_figures

LABELS = np.array([0, 0, 1, 1])
OUTPUTS = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.35, 0.65, 0.0], [0.4, 0.6, 0.0]])


def test_figures_by_class():
    figures = class_figures(LABELS, OUTPUTS)
    assert figures["precision"] == pytest.approx([1.0, 2 / 3, 0.0])
    assert figures["recall"] == pytest.approx([0.5, 1.0, 0.0])
    assert figures["f1"] == pytest.approx([2 / 3, 0.8, 0.0])
    assert figures["examples"] == [2, 2, 0]
    assert figures["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]


def test_calibration_by_hand():
    # Bins of 0.9 (right), 0.8 (wrong), and 0.6 to 0.7 (both right).
    expected = (0.1 + 0.8 + (2 - 1.25)) / 4
    assert calibration_error(LABELS, OUTPUTS) == pytest.approx(expected)
    sure = np.eye(2)[[0, 1, 1]]
    assert calibration_error(np.array([0, 1, 1]), sure) == 0
    assert calibration_error(np.array([1, 0, 0]), sure) == 1


def test_numbers():
    figures = number_figures(np.array([1.0, 2.0, 3.0]), np.array([[2.0], [3.0], [4.0]]))
    assert figures == {"rmse": pytest.approx(1.0), "pearson": pytest.approx(1.0)}
    assert number_figures(np.array([1.0, 2.0]), np.array([[5.0], [5.0]]))["pearson"] == 0


def test_what_changes_most():
    bert = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.1, 0.9]])
    reduced = np.array([[0.6, 0.4], [0.1, 0.9], [0.45, 0.55], [0.3, 0.7]])
    # Only answers that differ, whatever moves besides.
    assert most_changed(bert, reduced).tolist() == [1, 2]
    assert most_changed(bert, reduced, count=1).tolist() == [1]
