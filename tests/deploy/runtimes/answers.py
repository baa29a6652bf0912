"""What every runtime must answer."""

import numpy as np
import pytest
from training import toy

from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.power_bert.reductions import Extraction

LENGTH = 16
REDUCTIONS = {
    "bert": None,
    "absolute": Extraction("9,4"),
    "relative": Extraction("9,4 of 16"),
    "adapler": Removal(),
}
# A graph takes seconds to convert; the relative one has all that the others have.
CASES = [
    pytest.param(name, marks=() if name == "relative" else pytest.mark.slow) for name in REDUCTIONS
]


def model(name, **arguments):
    """A tiny BERT whose answers differ from text to text."""
    return toy.classifier(LENGTH, seed=3, reduction=REDUCTIONS[name], **arguments)


def padded_texts(count):
    """The inputs of texts of several lengths, all shorter than the model's."""
    inputs = {
        name: np.asarray(values)
        for name, values in toy.preprocessor(LENGTH)(toy.examples(count, seed=3).texts).items()
    }
    lengths = inputs["padding_mask"].sum(axis=1)
    assert lengths.min() < lengths.max() < LENGTH
    return inputs


def check_float32(run, model):
    """`run` answers as the model, for batches of 7, of 2 and of 7 again."""
    inputs = padded_texts(9)
    expected = np.asarray(model(inputs))
    assert np.ptp(expected[:, 0]) > 0.1
    answers = []
    for rows in (slice(7), slice(7, 9), slice(1, 8)):
        answers.append(run({name: values[rows] for name, values in inputs.items()}))
        assert answers[-1].dtype == "float32"
        np.testing.assert_allclose(answers[-1], expected[rows], rtol=0, atol=1e-4)
    # A later call has not written over an earlier answer.
    np.testing.assert_allclose(answers[0], expected[:7], rtol=0, atol=1e-4)
