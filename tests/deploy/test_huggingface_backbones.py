"""Folders for transformers of other backbones than BERT, read back, and by transformers itself."""

import dataclasses
import json

import numpy as np
import pytest
from data.sentence_piece_models import trained
from modeling.backbones_by_name import SMALL
from modeling.models import small_classifier
from safetensors.numpy import load_file
from training import toy

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import SentencePieceTokenizer
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint

TEXTS = ["the film was so good", "bad", "it was so bad a plot"]
LENGTH = 16
TOKENIZERS = {
    "albert": lambda: SentencePieceTokenizer(trained()),
    "distilbert": lambda: WordPieceTokenizer(toy.VOCABULARY),
    # Its own texts are in byte pairs; any pieces do for the round trip.
    "roberta": lambda: WordPieceTokenizer(toy.VOCABULARY),
}
everyone = pytest.mark.parametrize("name", TOKENIZERS)


def exported(folder, name, **changes):
    preprocessor = Preprocessor(TOKENIZERS[name](), LENGTH)
    size = preprocessor.tokenizer.vocabulary_size
    config = dataclasses.replace(SMALL[name], vocabulary_size=size, **changes)
    model = small_classifier(config=config, sequence_length=LENGTH, label_names=toy.LABELS)
    export_huggingface(model, preprocessor, folder)
    return model, preprocessor


def logits(model, preprocessor):
    inputs = preprocessor(TEXTS)
    return np.asarray(model.logits_model({name: inputs[name] for name in model.input}))


@everyone
def test_the_round_trip(tmp_path, name):
    model, preprocessor = exported(tmp_path, name)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.config == model.config
    tokenizer = tokenizer_from_file(checkpoint.vocabulary)
    assert tokenizer.vocabulary == preprocessor.tokenizer.vocabulary
    read = BertClassifier.from_checkpoint(checkpoint, sequence_length=LENGTH)
    assert read.label_names == toy.LABELS
    np.testing.assert_array_equal(logits(read, preprocessor), logits(model, preprocessor))
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["pad_token"] == ("<pad>" if name == "albert" else "[PAD]")


def test_the_positions_of_roberta_are_counted_with_those_before_the_first_word(tmp_path):
    model, _ = exported(tmp_path, "roberta")
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["max_position_embeddings"] == model.config.max_sequence_length + 2
    table = load_file(tmp_path / "model.safetensors")[
        "roberta.embeddings.position_embeddings.weight"
    ]
    assert len(table) == model.config.max_sequence_length + 2


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("albert", {"share_layers": False}, "no Albert.*share_layers=False"),
        ("distilbert", {"embedding_dim": 4}, "no DistilBert.*embedding_dim=4"),
        ("distilbert", {"num_segments": 2}, "no DistilBert.*segments=True"),
        ("distilbert", {"layer_norm_epsilon": 1e-5}, "no DistilBert.*layer_norm_epsilon=1e-05"),
    ],
)
def test_models_that_transformers_has_not(tmp_path, name, changes, said):
    with pytest.raises(InputError, match=said):
        exported(tmp_path / "folder", name, **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.large
@pytest.mark.parametrize("name", ["albert", "distilbert"])
def test_transformers_gives_the_same_logits(tmp_path, name):
    torch, transformers = map(pytest.importorskip, ("torch", "transformers"))
    model, preprocessor = exported(tmp_path, name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    inputs = tokenizer(TEXTS, padding="max_length", max_length=LENGTH, return_tensors="pt")
    np.testing.assert_array_equal(inputs["input_ids"], preprocessor(TEXTS)["token_ids"])
    if name == "distilbert":
        inputs.pop("token_type_ids", None)
    with torch.no_grad():
        expected = reference(**inputs).logits.numpy()
    np.testing.assert_allclose(logits(model, preprocessor), expected, rtol=0, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.1
