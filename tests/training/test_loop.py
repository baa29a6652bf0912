"""What a model is asked between trainings."""

import numpy as np
import pytest

from power_bert_tf.training import loop
from training import toy


@pytest.mark.parametrize("choices", [1, 3])
def test_long_texts_are_answered_in_small_batches(choices, monkeypatch):
    if choices == 1:
        examples, model = toy.examples(20), toy.classifier(seed=0)
    else:
        examples, model = toy.questions(20), toy.classifier(seed=0, head="multiple_choice")
    expected = loop.predict(model, examples, toy.preprocessor())
    sizes, dataset = [], loop.evaluation_dataset

    def recorded(examples, preprocessor, batch_size, pad_to_longest):
        sizes.append(batch_size)
        return dataset(examples, preprocessor, batch_size, pad_to_longest)

    monkeypatch.setattr(loop, "evaluation_dataset", recorded)
    # Room for three texts of N word-vectors, or questions.
    monkeypatch.setattr(loop, "_MOST_WORDS", 3 * choices * toy.LENGTH + 1)
    answers = loop.predict(model, examples, toy.preprocessor())
    np.testing.assert_allclose(answers, expected, rtol=0, atol=1e-5)
    # A text that is longer than the room is answered by itself; what was asked for is the most.
    monkeypatch.setattr(loop, "_MOST_WORDS", 1)
    loop.predict(model, examples.take(2, 0), toy.preprocessor())
    monkeypatch.undo()
    assert sizes == [3, 1]
