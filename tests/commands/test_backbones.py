"""The demo's corpus through all three steps on a tiny ALBERT and a tiny DistilBERT, from the folder
of a checkpoint to a SavedModel. Their weights are random: that the loss falls is what can be asked.
"""

import contextlib
import dataclasses
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from data.sentence_piece_models import trained

import power_bert_tf as pb
from commands.conftest import without_timing
from commands.conftest import write_weights
from power_bert_tf.analysis.trace import trace
from power_bert_tf.cli import main
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data.demo import demo_checkpoint
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.runs import demo

pytestmark = pytest.mark.slow

LENGTH = 32
CONFIGS = {
    "albert": {
        "model_type": "albert",
        "embedding_size": 8,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": LENGTH,
    },
    "distilbert": {
        "model_type": "distilbert",
        "dim": 32,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 16,
        "max_position_embeddings": LENGTH,
        "seq_classif_dropout": 0.0,
    },
}
# A high rate, so that a few steps are enough to see that a tiny model learns.
TASK = dataclasses.replace(
    demo._TASK,
    sequence_length=LENGTH,
    batch_size=16,
    learning_rate=4e-3,
)
OPTIONS = {"retention_learning_rate": 0.5, "strength": 0.3}
TEXTS = ["not a bad film at all", "the plot is dull, and 1,000 minutes long"]


def write_checkpoint(folder, backbone):
    """The vocabulary of the demo's reviews and random weights."""
    folder.mkdir()
    if backbone == "albert":
        (folder / "spiece.model").write_bytes(trained())
    else:
        (folder / "vocab.txt").write_bytes((demo_checkpoint() / "vocab.txt").read_bytes())
    size = tokenizer_from_folder(folder).vocabulary_size
    (folder / "config.json").write_text(json.dumps({**CONFIGS[backbone], "vocab_size": size}))
    write_weights(folder, EncoderConfig.from_json(folder / "config.json"))
    return folder


def fit(folder, backbone, task, train, dev, **options):
    checkpoint = write_checkpoint(folder / "checkpoint", backbone)
    return pb.fit(
        train,
        dev,
        checkpoint=checkpoint,
        output=folder / "run",
        task=task,
        **{**OPTIONS, **options},
    ).folder


@pytest.fixture(scope="module", params=["albert", "distilbert"])
def run(request, tmp_path_factory):
    """A finished run; tests leave it as it is."""
    folder = tmp_path_factory.mktemp(request.param)
    # The same few reviews again and again are soon known by heart.
    train = demo_examples("train", 32).select(np.tile(np.arange(32), 8))
    epochs = {"fine_tuning_epochs": 4, "search_epochs": 1, "retraining_epochs": 1}
    with without_timing(), contextlib.redirect_stdout(io.StringIO()):
        return fit(folder, request.param, TASK, train, demo_examples("dev", 16), **epochs)


def losses(run, step):
    return [epoch["loss"] for epoch in json.loads((run.path / step / "history.json").read_text())]


def test_all_three_steps(run):
    first, *_, last = losses(run, "fine-tune")
    assert last < 0.8 * first
    # It goes on from there, with words eliminated.
    assert losses(run, "re-train")[-1] < first
    power = run.finished_step().load_model()
    assert power.config.backbone in CONFIGS
    retention = power.reduction.retention
    assert str(retention) == run.step("search").metrics()["findings"]["retention"]
    # Each application of ALBERT's one encoder has a length of its own.
    assert LENGTH > retention.lengths[0] > retention.lengths[1]


def test_the_run_keeps_the_tokenizer(run):
    kept = run.preprocessor().tokenizer
    given = tokenizer_from_folder(run.path.parent / "checkpoint")
    assert type(kept) is type(given) and kept.vocabulary == given.vocabulary
    is_albert = run.finished_step().load_model().config.backbone == "albert"
    assert (run.path / "spiece.model").exists() == is_albert
    assert (run.path / "vocab.txt").exists() != is_albert


def test_answers_compiled_traced_and_on_the_command_line(run, capsys):
    power, preprocessor = run.finished_step().load_model(), run.preprocessor()
    expected = np.asarray(power(preprocessor(TEXTS)))
    compiled = CompiledClassifier(power, preprocessor, lengths=(16, LENGTH))
    np.testing.assert_allclose(compiled.predict(TEXTS), expected, atol=1e-5)
    traced = trace(power, preprocessor, TEXTS)
    np.testing.assert_allclose([each.outputs for each in traced], expected, atol=1e-5)
    assert traced[1].pieces[0] == "[CLS]" and traced[1].pieces[-1] == "[SEP]"
    assert main(["predict", str(run.path), *TEXTS]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for answer, row in zip(answers, expected, strict=True):
        assert list(answer["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-5)


def test_a_saved_model_takes_text(run, tmp_path):
    assert main(["export", str(run.path), str(tmp_path / "served")]) == 0
    # Elsewhere, where the run and its tokenizer's file are not.
    (tmp_path / "served").rename(tmp_path / "moved")
    signature = tf.saved_model.load(str(tmp_path / "moved")).signatures["serving_default"]
    expected = run.finished_step().load_model()(run.preprocessor()(TEXTS))
    answers = signature(text=tf.constant(TEXTS))["probabilities"]
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_more_pieces_than_embeddings(tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint", "albert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 20}))
    write_weights(folder, EncoderConfig.from_json(folder / "config.json"))
    with pytest.raises(InputError, match="spiece.model must not have more pieces .* 20. Received"):
        pb.fit(
            demo_examples("train", 8),
            demo_examples("dev", 8),
            checkpoint=folder,
            output=tmp_path / "run",
            task=TASK,
        )
    assert not (tmp_path / "run").exists()
