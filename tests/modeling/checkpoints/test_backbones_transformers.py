"""Every backbone against the reference implementation, transformers, on random weights."""

import keras
import numpy as np
import pytest

from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import BertClassifier

pytestmark = pytest.mark.large

VOCABULARY_SIZE, LENGTH = 101, 32
ALBERT = {
    "vocab_size": VOCABULARY_SIZE,
    "embedding_size": 12,
    "hidden_size": 40,
    "num_hidden_layers": 4,
    "num_attention_heads": 5,
    "intermediate_size": 60,
    "max_position_embeddings": 40,
    # Ten times its own, so that attention is far from even and the logits from nothing.
    "initializer_range": 0.2,
}
DISTILBERT = {
    "vocab_size": VOCABULARY_SIZE,
    "dim": 40,
    "n_layers": 3,
    "n_heads": 5,
    "hidden_dim": 60,
    "max_position_embeddings": 40,
    "initializer_range": 0.2,
}
ROBERTA = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 5,
    "intermediate_size": 60,
    "max_position_embeddings": 42,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "initializer_range": 0.2,
}
CASES = {
    "albert": ("Albert", ALBERT),
    "albert, as wide as its embeddings": ("Albert", {**ALBERT, "embedding_size": 40}),
    "albert, another activation": ("Albert", {**ALBERT, "hidden_act": "relu"}),
    "distilbert": ("DistilBert", DISTILBERT),
    "distilbert with sines": ("DistilBert", {**DISTILBERT, "sinusoidal_pos_embds": True}),
    "roberta": ("Roberta", ROBERTA),
}
PRE_TRAINING = {
    "AlbertForPreTraining": CASES["albert"],
    "AlbertForMaskedLM": CASES["albert"],
    "AlbertModel": CASES["albert"],
    "DistilBertForMaskedLM": CASES["distilbert"],
    "DistilBertModel": CASES["distilbert"],
    "RobertaForMaskedLM": CASES["roberta"],
    "RobertaModel": CASES["roberta"],
}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def transformers(torch):
    return pytest.importorskip("transformers")


def random_model(torch, transformers, class_name, kind, sizes, **options):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**sizes, **options)
    model = getattr(transformers, class_name)(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name.lower() or name.endswith("bias"):
                parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


def random_inputs():
    """Texts of several lengths, the first of which fills the input, in two segments each."""
    random, lengths = np.random.default_rng(0), np.array([[LENGTH], [2], [20], [31], [9]])
    token_ids = random.integers(2, VOCABULARY_SIZE, (5, LENGTH))
    mask = np.arange(LENGTH) < lengths
    return {
        # Padded by RoBERTa's own id, from which it counts positions; others may as well.
        "token_ids": np.where(mask, token_ids, 1).astype("int32"),
        "segment_ids": (np.arange(LENGTH) >= lengths // 2).astype("int32"),
        "padding_mask": mask.astype("int32"),
    }


def theirs(torch, model, inputs, segments):
    tensors = {name: torch.from_numpy(value).long() for name, value in inputs.items()}
    named = {"token_type_ids": tensors["segment_ids"]} if segments else {}
    with torch.no_grad():
        return model(
            input_ids=tensors["token_ids"],
            attention_mask=tensors["padding_mask"],
            **named,
        )


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_transformers(tmp_path, torch, transformers, case):
    kind, sizes = CASES[case]
    reference = random_model(
        torch, transformers, f"{kind}ForSequenceClassification", kind, sizes, num_labels=3
    )
    reference.save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 3, LENGTH)
    inputs = random_inputs()
    expected = theirs(torch, reference, inputs, segments=kind == "Albert").logits.numpy()
    given = {name: inputs[name] for name in model.input}
    logits = model.logits_model.predict(given, verbose=0)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)
    assert np.ptp(logits, axis=0).max() > 0.1
    everything = model.with_reduction(Extraction([LENGTH] * model.config.num_layers))
    np.testing.assert_allclose(
        everything.logits_model.predict(given, verbose=0), expected, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("class_name", PRE_TRAINING)
def test_word_vectors_of_pre_trained_models(tmp_path, torch, transformers, class_name):
    """With and without the prefix, and whatever head stands on the encoder."""
    kind, sizes = PRE_TRAINING[class_name]
    reference = random_model(torch, transformers, class_name, kind, sizes)
    reference.save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 2, LENGTH)
    inputs = random_inputs()
    encoder = getattr(reference, kind.lower(), reference)
    expected = theirs(torch, encoder, inputs, segments=kind == "Albert").last_hidden_state.numpy()
    # Where encoders share their layers, the last one's output is that of its last call.
    last = next(each for each in reversed(model.operations) if each.name.endswith("feed_forward"))
    hidden = keras.Model(model.input, last._inbound_nodes[-1].outputs[0])
    hidden = hidden.predict({name: inputs[name] for name in model.input}, verbose=0)
    words = inputs["padding_mask"].astype(bool)
    np.testing.assert_allclose(hidden[words], expected[words], rtol=0, atol=1e-4)
