"""Checkpoints written by hand in every spelling, and the encoder of keras_hub as the reference."""

import json
import os
import pickle
import re

import keras
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.checkpoints import huggingface

SIZES = {
    "model_type": "bert",
    "vocab_size": 19,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "hidden_size": 12,
    "intermediate_size": 20,
    "max_position_embeddings": 10,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
PRE_TRAINING = {
    "cls.predictions.bias": (19,),
    "cls.predictions.decoder.bias": (19,),
    "cls.predictions.decoder.weight": (19, 12),
    "cls.predictions.transform.LayerNorm.bias": (12,),
    "cls.predictions.transform.LayerNorm.weight": (12,),
    "cls.predictions.transform.dense.bias": (12,),
    "cls.predictions.transform.dense.weight": (12, 12),
    "cls.seq_relationship.bias": (2,),
    "cls.seq_relationship.weight": (2, 12),
}


def random_tensors(num_classes=None, pooler=True, prefix="bert.", old_spelling=False):
    """The tensors of a BERT of the sizes above, as Hugging Face's files name and shape them."""
    shapes = {
        "embeddings.word_embeddings.weight": (19, 12),
        "embeddings.position_embeddings.weight": (10, 12),
        "embeddings.token_type_embeddings.weight": (2, 12),
        "embeddings.LayerNorm.weight": (12,),
        "embeddings.LayerNorm.bias": (12,),
    }
    for index in range(2):
        for part, out_dim, in_dim in (
            ("attention.self.query", 12, 12),
            ("attention.self.key", 12, 12),
            ("attention.self.value", 12, 12),
            ("attention.output.dense", 12, 12),
            ("intermediate.dense", 20, 12),
            ("output.dense", 12, 20),
        ):
            shapes[f"encoder.layer.{index}.{part}.weight"] = (out_dim, in_dim)
            shapes[f"encoder.layer.{index}.{part}.bias"] = (out_dim,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{index}.{part}.weight"] = (12,)
            shapes[f"encoder.layer.{index}.{part}.bias"] = (12,)
    if pooler:
        shapes |= {"pooler.dense.weight": (12, 12), "pooler.dense.bias": (12,)}
    shapes = {prefix + name: shape for name, shape in shapes.items()}
    if num_classes:
        shapes |= {"classifier.weight": (num_classes, 12), "classifier.bias": (num_classes,)}
    random = np.random.default_rng(0)
    tensors = {name: random.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    if old_spelling:
        tensors = {
            name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): tensor
            for name, tensor in tensors.items()
        }
    return tensors


def write(folder, tensors, vocabulary_size=None, **sizes):
    """Writes a checkpoint folder and returns it."""
    (folder / "config.json").write_text(json.dumps({**SIZES, **sizes}))
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(contiguous, folder / "model.safetensors")
    if vocabulary_size is not None:
        lines = "".join(f"word{index}\n" for index in range(vocabulary_size))
        (folder / "vocab.txt").write_text(lines)
    return folder


def small_model(num_classes=3, **arguments):
    config = EncoderConfig(
        vocabulary_size=19,
        num_layers=2,
        num_heads=3,
        hidden_dim=12,
        intermediate_dim=20,
        max_sequence_length=10,
    )
    return BertClassifier(config, num_classes, 8, **arguments)


def by_path(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def random_inputs(vocabulary_size=19, length=8):
    """Three texts: one that fills the input, one shorter, and one of two word-pieces."""
    random = np.random.default_rng(1)
    return {
        "token_ids": random.integers(vocabulary_size, size=(3, length)).astype("int32"),
        "segment_ids": (np.arange(length)[None] > [[3], [2], [1]]).astype("int32"),
        "padding_mask": (np.arange(length)[None] < [[length], [length - 3], [2]]).astype("int32"),
    }


def error_of(call, *arguments, **named):
    """The message of the InputError, checked to be one line."""
    with pytest.raises(InputError) as caught:
        call(*arguments, **named)
    message = str(caught.value)
    assert "\n" not in message
    return message


# What is loaded


def test_every_weight_lands_where_it_belongs(tmp_path):
    tensors = random_tensors(num_classes=3)
    model = BertClassifier.from_checkpoint(write(tmp_path, tensors), 3, 8)
    weights = by_path(model)
    theirs = "bert.encoder.layer.1."
    for ours, expected in {
        "embeddings/token_embedding/embeddings": tensors["bert.embeddings.word_embeddings.weight"],
        "embeddings/layer_norm/gamma": tensors["bert.embeddings.LayerNorm.weight"],
        "embeddings/layer_norm/beta": tensors["bert.embeddings.LayerNorm.bias"],
        "encoder_1_self_attention/key/kernel": tensors[theirs + "attention.self.key.weight"].T,
        "encoder_1_self_attention/key/bias": tensors[theirs + "attention.self.key.bias"],
        "encoder_1_feed_forward/output/kernel": tensors[theirs + "output.dense.weight"].T,
        "encoder_1_feed_forward/layer_norm/gamma": tensors[theirs + "output.LayerNorm.weight"],
        "pooler/kernel": tensors["bert.pooler.dense.weight"].T,
        "classifier/kernel": tensors["classifier.weight"].T,
        "classifier/bias": tensors["classifier.bias"],
    }.items():
        np.testing.assert_array_equal(weights[ours], expected)
    loaded = sorted(weight.sum() for weight in weights.values())
    np.testing.assert_allclose(loaded, sorted(tensor.sum() for tensor in tensors.values()), 1e-5)


@pytest.mark.parametrize("prefix", ["", "bert."])
@pytest.mark.parametrize("old_spelling", [False, True])
def test_every_spelling_gives_the_same_weights(tmp_path, prefix, old_spelling):
    expected = small_model()
    huggingface.load_weights(expected, write(tmp_path, random_tensors(3)))
    model = small_model()
    spelled = random_tensors(3, prefix=prefix, old_spelling=old_spelling)
    huggingface.load_weights(model, write(tmp_path, spelled))
    for path, weight in by_path(model).items():
        np.testing.assert_array_equal(weight, by_path(expected)[path])


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_what_a_checkpoint_lacks_keeps_its_initial_weights(tmp_path, prefix):
    model = small_model(reduction=SoftExtraction(0.1))
    before = by_path(model)
    folder = write(tmp_path, random_tensors(pooler=False, prefix=prefix))
    huggingface.load_weights(model, folder)
    kept = {path for path, weight in by_path(model).items() if np.array_equal(weight, before[path])}
    assert kept == {
        "pooler/kernel",
        "pooler/bias",
        "classifier/kernel",
        "classifier/bias",
        "encoder_0_soft_extract/retention",
        "encoder_1_soft_extract/retention",
    }


def test_a_model_without_pooler_leaves_the_checkpoints_alone(tmp_path):
    config = EncoderConfig(19, 2, 3, 12, 20, max_sequence_length=10, pooler=False)
    model = BertClassifier(config, 3, 8)
    huggingface.load_weights(model, write(tmp_path, random_tensors(3)))
    assert not any(path.startswith("pooler") for path in by_path(model))


@pytest.mark.parametrize(
    ("prefix", "position_ids"),
    [("", "embeddings.position_ids"), ("bert.", "bert.embeddings.position_ids")],
)
def test_heads_of_pre_training_and_position_numbers_are_ignored(tmp_path, prefix, position_ids):
    tensors = random_tensors(prefix=prefix)
    tensors |= {name: np.ones(shape, "float32") for name, shape in PRE_TRAINING.items()}
    tensors[position_ids] = np.arange(10)[None]
    assert BertClassifier.from_checkpoint(write(tmp_path, tensors), 2, 8)
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma"): t for name, t in tensors.items()
    }
    assert BertClassifier.from_checkpoint(write(tmp_path, renamed), 2, 8)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_other_float_types_are_converted(tmp_path, dtype):
    tensors = {name: tensor.astype(dtype) for name, tensor in random_tensors(3).items()}
    model = BertClassifier.from_checkpoint(write(tmp_path, tensors), 3, 8)
    weight = by_path(model)["encoder_0_feed_forward/intermediate/kernel"]
    expected = tensors["bert.encoder.layer.0.intermediate.dense.weight"].T.astype("float32")
    np.testing.assert_array_equal(weight, expected)
    assert weight.dtype == np.float32


def test_a_mixed_precision_model_gets_float32_weights(tmp_path):
    folder = write(tmp_path, random_tensors(3))
    mixed = BertClassifier.from_checkpoint(folder, 3, 8, dtype="mixed_bfloat16")
    plain = BertClassifier.from_checkpoint(folder, 3, 8)
    for path, weight in by_path(plain).items():
        np.testing.assert_array_equal(by_path(mixed)[path], weight)


def test_a_regression_head(tmp_path):
    tensors = random_tensors(1)
    model = BertClassifier.from_checkpoint(write(tmp_path, tensors), 1, 8, head="regression")
    np.testing.assert_array_equal(
        by_path(model)["classifier/kernel"], tensors["classifier.weight"].T
    )


def test_weights_go_into_a_model_of_another_length_and_a_saved_one(tmp_path):
    folder = write(tmp_path, random_tensors(3))
    expected = by_path(BertClassifier.from_checkpoint(folder, 3, 8))
    model = small_model()
    model.save(tmp_path / "model.keras")
    for other in (model.at_length(4), keras.models.load_model(tmp_path / "model.keras")):
        huggingface.load_weights(other, folder)
        for path, weight in by_path(other).items():
            np.testing.assert_array_equal(weight, expected[path])


def test_the_tables_name_every_weight_of_a_model():
    model = small_model()
    named = [ours for ours, _, _ in huggingface.encoder_table(model.config)]
    assert len(named) == len(set(named))
    heads = {"pooler/kernel", "pooler/bias", "classifier/kernel", "classifier/bias"}
    assert {weight.path for weight in model.weights} == {*named, *heads}


# The reference: keras_hub


def hub_tensors(backbone):
    """The weights of a keras_hub BertBackbone in Hugging Face's layout."""
    hidden = backbone.hidden_dim
    layers = {
        "embeddings.word_embeddings": backbone.token_embedding,
        "embeddings.position_embeddings": backbone.position_embedding,
        "embeddings.token_type_embeddings": backbone.segment_embedding,
        "embeddings.LayerNorm": backbone.embeddings_layer_norm,
        "pooler.dense": backbone.pooled_dense,
    }
    for index, encoder in enumerate(backbone.transformer_layers):
        attention = encoder._self_attention_layer
        layers |= {
            f"encoder.layer.{index}.{name}": layer
            for name, layer in {
                "attention.self.query": attention.query_dense,
                "attention.self.key": attention.key_dense,
                "attention.self.value": attention.value_dense,
                "attention.output.dense": attention.output_dense,
                "attention.output.LayerNorm": encoder._self_attention_layer_norm,
                "intermediate.dense": encoder._feedforward_intermediate_dense,
                "output.dense": encoder._feedforward_output_dense,
                "output.LayerNorm": encoder._feedforward_layer_norm,
            }.items()
        }
    tensors = {}
    for name, layer in layers.items():
        for weight in layer.weights:
            value = weight.numpy()
            if weight.path.endswith("kernel"):
                # keras_hub keeps heads on an axis of their own: (in, heads, dim), (heads, dim, out)
                by_input = ".self." in name or "intermediate" in name
                value = value.reshape((hidden, -1) if by_input else (-1, hidden)).T
            end = "bias" if weight.path.endswith(("bias", "beta")) else "weight"
            tensors[f"{name}.{end}"] = value.reshape(-1) if end == "bias" else value
    return tensors


@pytest.mark.parametrize(("num_layers", "num_heads", "hidden_dim"), [(2, 3, 24), (3, 1, 16)])
def test_logits_and_word_vectors_equal_those_of_keras_hub(
    tmp_path, num_layers, num_heads, hidden_dim
):
    keras_hub = pytest.importorskip("keras_hub")
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=50,
        num_layers=num_layers,
        num_heads=num_heads,
        hidden_dim=hidden_dim,
        intermediate_dim=40,
        max_sequence_length=32,
    )
    random = np.random.default_rng(2)
    for weight in backbone.weights:
        weight.assign(weight.numpy() + random.normal(0, 0.3, weight.shape))
    tensors = hub_tensors(backbone)
    tensors["classifier.weight"] = random.normal(size=(3, hidden_dim)).astype("float32")
    tensors["classifier.bias"] = random.normal(size=3).astype("float32")
    sizes = {
        "vocab_size": 50,
        "num_hidden_layers": num_layers,
        "num_attention_heads": num_heads,
        "hidden_size": hidden_dim,
        "intermediate_size": 40,
        "max_position_embeddings": 32,
        # keras_hub's BERT has the tanh approximation, whatever the checkpoint says.
        "hidden_act": "gelu_new",
    }
    model = BertClassifier.from_checkpoint(write(tmp_path, tensors, **sizes), 3, 16)

    inputs = random_inputs(50, 16)
    expected = keras.tree.map_structure(keras.ops.convert_to_numpy, backbone(inputs))
    expected_logits = (
        expected["pooled_output"] @ tensors["classifier.weight"].T + tensors["classifier.bias"]
    )
    last = model.get_layer(f"encoder_{num_layers - 1}_feed_forward").output
    hidden = keras.ops.convert_to_numpy(keras.Model(model.input, last)(inputs))
    words = inputs["padding_mask"].astype(bool)
    np.testing.assert_allclose(hidden[words], expected["sequence_output"][words], atol=1e-4)
    logits = keras.ops.convert_to_numpy(model.logits_model(inputs))
    np.testing.assert_allclose(logits, expected_logits, atol=1e-4)
    assert np.ptp(logits, axis=0).max() > 0.1


# What is refused


@pytest.fixture(scope="module")
def untouched():
    """A model that no refused checkpoint may change."""
    model = small_model()
    before = by_path(model)
    yield model
    for path, weight in by_path(model).items():
        np.testing.assert_array_equal(weight, before[path])


def test_missing_unknown_and_misshapen_tensors_are_named_together(tmp_path):
    tensors = random_tensors()
    del tensors["bert.encoder.layer.1.output.dense.bias"]
    tensors["bert.embeddings.word_embeddings.scale"] = np.ones(3, "float32")
    tensors["bert.pooler.dense.bias"] = np.ones(5, "float32")
    message = error_of(huggingface.read_config, write(tmp_path, tensors))
    assert str(tmp_path / "model.safetensors") in message
    assert "missing 'bert.encoder.layer.1.output.dense.bias'" in message
    assert "unknown 'bert.embeddings.word_embeddings.scale'" in message
    assert "unfit 'bert.pooler.dense.bias' of shape (5,), expected (12,)" in message


def test_a_missing_tensor_is_spelled_without_prefix_where_the_file_has_none(tmp_path):
    tensors = random_tensors(prefix="")
    del tensors["pooler.dense.bias"]
    message = error_of(huggingface.read_config, write(tmp_path, tensors))
    assert "missing 'pooler.dense.bias'" in message


def test_every_single_tensor_is_needed_and_has_its_shape(tmp_path, untouched):
    tensors = random_tensors(3)
    for name, tensor in tensors.items():
        wrong = {**tensors, name: np.ones((*tensor.shape, 1), "float32")}
        message = error_of(huggingface.load_weights, untouched, write(tmp_path, wrong))
        assert f"unfit {name!r} of shape" in message and "missing" not in message
        del wrong[name]
        message = error_of(huggingface.load_weights, untouched, write(tmp_path, wrong))
        assert f"missing {name!r}" in message and "unfit" not in message


def test_two_spellings_of_one_tensor_are_refused(tmp_path):
    tensors = random_tensors()
    tensors["bert.embeddings.LayerNorm.gamma"] = tensors["bert.embeddings.LayerNorm.weight"]
    message = error_of(huggingface.read_config, write(tmp_path, tensors))
    assert "unknown 'bert.embeddings.LayerNorm.weight'" in message


def test_a_prefix_on_some_tensors_only_is_refused(tmp_path):
    tensors = random_tensors()
    tensors["pooler.dense.bias"] = tensors.pop("bert.pooler.dense.bias")
    message = error_of(huggingface.read_config, write(tmp_path, tensors))
    assert "missing 'bert.pooler.dense.bias'; unknown 'pooler.dense.bias'" in message


def test_tensors_of_another_type_are_refused(tmp_path):
    tensors = random_tensors()
    tensors["bert.pooler.dense.weight"] = np.ones((12, 12), "int8")
    message = error_of(huggingface.read_config, write(tmp_path, tensors))
    assert "'bert.pooler.dense.weight' of type I8" in message


def test_a_head_for_other_classes_is_refused_with_a_hint(tmp_path):
    folder = write(tmp_path, random_tensors(5))
    message = error_of(BertClassifier.from_checkpoint, folder, 2, 8)
    assert "for classification, 2 outputs. Received: classification, 5 outputs" in message
    assert "new_head=True" in message and "num_classes=5" in message


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"hidden_size": 15}, "word_embeddings"),
        ({"vocab_size": 10**12}, "word_embeddings"),
        ({"intermediate_size": 21}, "encoder.layer.0.intermediate.dense"),
        ({"max_position_embeddings": 512}, "position_embeddings"),
        ({"type_vocab_size": 3}, "token_type_embeddings"),
        ({"type_vocab_size": 0}, "token_type_embeddings"),
        ({"num_hidden_layers": 1}, "encoder.layer.1"),
        ({"num_hidden_layers": 3}, "encoder.layer.2"),
        ({"num_hidden_layers": 1000}, "1000 encoders"),
    ],
)
def test_a_config_that_disagrees_is_refused_before_a_model_is_built(tmp_path, sizes, name):
    message = error_of(BertClassifier.from_checkpoint, write(tmp_path, random_tensors(), **sizes))
    assert "config.json" in message and name in message
    assert len(message) < 2000


def test_folders_and_files_that_are_not_there(tmp_path, untouched):
    absent = tmp_path / "absent"
    assert str(absent) in error_of(BertClassifier.from_checkpoint, absent)
    assert str(absent) in error_of(huggingface.load_weights, untouched, str(absent))
    assert "config.json" in error_of(BertClassifier.from_checkpoint, tmp_path)
    write(tmp_path, {})
    os.remove(tmp_path / "model.safetensors")
    message = error_of(BertClassifier.from_checkpoint, tmp_path)
    assert "model.safetensors" in message and "pickle" not in message
    assert "config.json" in error_of(huggingface.read_config, tmp_path / "config.json")


class Trap:
    """A pickle of it writes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_is_never_read(tmp_path):
    write(tmp_path, {})
    os.remove(tmp_path / "model.safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    message = error_of(BertClassifier.from_checkpoint, tmp_path)
    assert "pytorch_model.bin" in message and "safe_serialization=True" in message
    os.rename(tmp_path / "pytorch_model.bin", tmp_path / "model.safetensors")
    assert "model.safetensors" in error_of(BertClassifier.from_checkpoint, tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.5, -1])
def test_truncated_weights(tmp_path, untouched, kept):
    path = write(tmp_path, random_tensors()) / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept) if isinstance(kept, float) else kept])
    assert str(path) in error_of(BertClassifier.from_checkpoint, tmp_path)
    assert str(path) in error_of(huggingface.load_weights, untouched, tmp_path)


@pytest.mark.parametrize(
    "content", [b"\xff" * 64, (2).to_bytes(8, "little") + b"{]", b"version https://git-lfs\n" * 9]
)
def test_weights_that_are_no_safetensors(tmp_path, content):
    path = write(tmp_path, random_tensors()) / "model.safetensors"
    path.write_bytes(content)
    assert str(path) in error_of(BertClassifier.from_checkpoint, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model_type": "roberta"}', "{}"])
def test_a_config_that_is_none(tmp_path, content):
    path = write(tmp_path, random_tensors()) / "config.json"
    path.write_text(content)
    assert str(path) in error_of(BertClassifier.from_checkpoint, tmp_path)


@pytest.mark.parametrize("lines", [0, 1, 18, 20, 24])
def test_a_vocabulary_of_another_size_is_refused(tmp_path, lines):
    message = error_of(BertClassifier.from_checkpoint, write(tmp_path, random_tensors(), lines))
    assert str(tmp_path / "vocab.txt") in message
    assert re.search(r"\b19\b", message)


@pytest.mark.parametrize(("rows", "lines", "fits"), [(24, 19, 1), (64, 19, 1), (32, 19, 0)])
def test_padding_of_the_embedding_to_a_multiple_of_8_or_64_is_accepted(tmp_path, rows, lines, fits):
    tensors = random_tensors()
    tensors["bert.embeddings.word_embeddings.weight"] = np.ones((rows, 12), "float32")
    folder = write(tmp_path, tensors, lines, vocab_size=rows)
    if fits:
        assert huggingface.read_config(folder).vocabulary_size == rows
    else:
        assert "vocab.txt" in error_of(huggingface.read_config, folder)


def test_a_vocabulary_need_not_end_in_a_line_break(tmp_path):
    folder = write(tmp_path, random_tensors(), 19)
    path = folder / "vocab.txt"
    path.write_bytes(path.read_bytes()[:-1])
    assert huggingface.read_config(folder).vocabulary_size == 19
    # Only "\n" ends a line: vocabularies hold other separators as word-pieces.
    path.write_bytes(path.read_bytes().replace(b"word3", "\u2028".encode()))
    assert huggingface.read_config(folder).vocabulary_size == 19
