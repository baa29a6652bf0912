import numpy as np
import pytest
import tensorflow as tf
from training import toy

import power_bert_tf as pb
from power_bert_tf.cli import main
from power_bert_tf.runs.folder import RunFolder

TEXTS, PAIRS = ["the film was so good", "Bad"], ["so bad", "it was so bad a plot"]


@pytest.mark.slow
def test_what_is_exported_answers_as_the_run(pairs_run, tmp_path, capsys):
    folder = tmp_path / "deep" / "served"
    assert main(["export", str(pairs_run.path), str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"SavedModel: {folder}\n")
    assert "(text=tf.constant(['...']), text_pair=tf.constant(['...']))" in printed
    assert "signatures['serving_default']" in (folder / "README.md").read_text()
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    answers = signature(text=tf.constant(TEXTS), text_pair=tf.constant(PAIRS))
    run = RunFolder.open(pairs_run.path)
    expected = run.finished_step().load_model()(run.preprocessor()(TEXTS, PAIRS))
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)
    assert [name.decode() for name in answers["label_names"].numpy()] == list(toy.LABELS)


@pytest.mark.slow
def test_an_openvino_folder_answers_as_the_run(pairs_run, tmp_path, capsys):
    pytest.importorskip("openvino")
    folder = tmp_path / "served"
    assert main(["export", str(pairs_run.path), str(folder), "--format", "openvino"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"OpenVINO: {folder}\n") and ".predict(['...'], ['...'])" in printed
    run = pb.open_run(pairs_run.path)
    loaded = pb.load_exported(folder)
    for answer, expected in zip(
        loaded.predict(TEXTS, PAIRS), run.predict(TEXTS, PAIRS), strict=True
    ):
        assert answer["label"] == expected["label"]
        assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-4)
    card = (folder / "README.md").read_text()
    assert card.startswith("# served: ") and run.report["configuration"]["text"] in card
    assert "Trained with power-bert-tf " in card and "\nimport power_bert_tf as pb\n" in card


@pytest.mark.slow
def test_a_checkpoint_for_transformers_answers_as_the_run(pairs_run, tmp_path, capsys):
    folder = tmp_path / "hub"
    assert main(["export", str(pairs_run.path), str(folder), "--format", "huggingface"]) == 0
    assert capsys.readouterr().out.startswith(f"Checkpoint: {folder}\n")
    run = pb.open_run(pairs_run.path)
    card = (folder / "README.md").read_text()
    assert card.startswith("# hub: ") and run.report["configuration"]["text"] in card
    assert "transformers does not know elimination" in card
    # As the card says.
    program = card.split("```python\n")[1].split("```")[0]
    names = {}
    exec(program, names)
    inputs = run.preprocessor(TEXTS, PAIRS)
    np.testing.assert_allclose(names["model"](inputs), run.model()(inputs), atol=1e-5)
