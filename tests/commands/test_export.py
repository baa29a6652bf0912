import numpy as np
import pytest
import tensorflow as tf
from training import toy

from power_bert_tf.cli import main
from power_bert_tf.runs.folder import RunFolder

TEXTS, PAIRS = ["the film was so good", "Bad"], ["so bad", "it was so bad a plot"]


@pytest.mark.slow
def test_what_is_exported_answers_as_the_run(pairs_run, tmp_path, capsys):
    folder = tmp_path / "deep" / "served"
    assert main(["export", str(pairs_run.path), str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"SavedModel: {folder}\n")
    assert "(text=tf.constant(['...']), text_pair=...)" in printed
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answers = signature(text=tf.constant(TEXTS), text_pair=tf.constant(PAIRS))
    run = RunFolder.open(pairs_run.path)
    expected = run.finished_step().load_model()(run.preprocessor()(TEXTS, PAIRS))
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)
    assert [name.decode() for name in answers["label_names"].numpy()] == list(toy.LABELS)
