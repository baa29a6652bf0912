import dataclasses
import json

import pytest

from power_bert_tf.errors import InputError
from power_bert_tf.modeling import EncoderConfig

# Google's uncased_L-2_H-128_A-2.
GOOGLE = {
    "hidden_size": 128,
    "hidden_act": "gelu",
    "initializer_range": 0.02,
    "vocab_size": 30522,
    "hidden_dropout_prob": 0.2,
    "num_attention_heads": 2,
    "type_vocab_size": 3,
    "max_position_embeddings": 256,
    "num_hidden_layers": 2,
    "intermediate_size": 512,
    "attention_probs_dropout_prob": 0.3,
}
HUGGING_FACE = {
    **GOOGLE,
    "architectures": ["BertModel"],
    "hidden_act": "gelu_new",
    "layer_norm_eps": 1e-7,
    "model_type": "bert",
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "transformers_version": "4.50.0",
    "use_cache": True,
}


def read(tmp_path, given):
    path = tmp_path / "config.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    return EncoderConfig.from_json(path)


def test_reads_googles_spelling(tmp_path):
    assert read(tmp_path, GOOGLE) == EncoderConfig(
        vocabulary_size=30522,
        num_layers=2,
        num_heads=2,
        hidden_dim=128,
        intermediate_dim=512,
        max_sequence_length=256,
        num_segments=3,
        dropout=0.2,
        attention_dropout=0.3,
        activation="gelu",
        layer_norm_epsilon=1e-12,
    )


def test_reads_hugging_faces_spelling(tmp_path):
    expected = dataclasses.replace(
        read(tmp_path, GOOGLE), activation="gelu_tanh", layer_norm_epsilon=1e-7
    )
    assert read(tmp_path, HUGGING_FACE) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", "must be a JSON file"),
        ("[1]", "must hold a JSON object.*list"),
        ({**GOOGLE, "model_type": "gpt2"}, "'gpt2'"),
        ({**GOOGLE, "position_embedding_type": "relative_key"}, "'relative_key'"),
        ({**GOOGLE, "hidden_act": "swish"}, "'swish'"),
        ({**GOOGLE, "hidden_size": None}, "`hidden_dim`.*hidden_dim=None"),
        ({**GOOGLE, "hidden_size": 130, "num_attention_heads": 4}, "hidden_dim=130, num_heads=4"),
        ({**GOOGLE, "num_attention_heads": "2"}, "num_heads='2'"),
        ({**GOOGLE, "intermediate_size": 51.2}, "intermediate_dim=51.2"),
        ({**GOOGLE, "num_hidden_layers": 0}, "num_layers=0"),
        ({**GOOGLE, "num_hidden_layers": 10**9}, "at most 1000. Received: num_layers=1000000000"),
        ({**GOOGLE, "hidden_dropout_prob": 1}, "dropout=1"),
        ({**GOOGLE, "attention_probs_dropout_prob": "high"}, "attention_dropout='high'"),
        *(
            ({name: GOOGLE[name] for name in GOOGLE if name != missing}, missing)
            for missing in (
                "vocab_size",
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "intermediate_size",
                "max_position_embeddings",
            )
        ),
    ],
)
def test_names_the_file_and_what_is_wrong(tmp_path, given, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, given)
    assert str(tmp_path / "config.json") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="nothing.json: No such file"):
        EncoderConfig.from_json(tmp_path / "nothing.json")


def test_undecodable_bytes(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b'{"hidden_size": "\xff"}')
    with pytest.raises(InputError, match="config.json must be a JSON file"):
        EncoderConfig.from_json(path)


def test_one_number_for_all_encoders():
    config = EncoderConfig(num_layers=2, num_heads=3, hidden_dim=12, intermediate_dim=5)
    assert [dataclasses.astuple(config.encoder(index)) for index in range(2)] == [(3, 4, 4, 5)] * 2


def test_one_number_for_each_encoder():
    config = EncoderConfig(
        num_layers=2,
        num_heads=[3, 1],
        hidden_dim=12,
        intermediate_dim=(5, 6),
        key_dim=(2, 7),
        value_dim=(8, 9),
    )
    assert dataclasses.astuple(config.encoder(0)) == (3, 2, 8, 5)
    assert dataclasses.astuple(config.encoder(1)) == (1, 7, 9, 6)
    assert hash(config) == hash(dataclasses.replace(config))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": (2, 2, 2)}, r"`num_heads`.*2 encoders.*\(2, 2, 2\)"),
        ({"intermediate_dim": [3]}, r"`intermediate_dim`.*\[3\]"),
        ({"num_heads": 3}, "hidden_dim=8, num_heads=3"),
        ({"num_heads": (2, 0)}, "num_heads=0"),
        ({"key_dim": 0}, "key_dim=0"),
        ({"value_dim": (2, 0)}, "encoder 1.*value_dim=0"),
        ({"intermediate_dim": -1}, "intermediate_dim=-1"),
        ({"vocabulary_size": 0}, "vocabulary_size=0"),
        ({"max_sequence_length": 2.5}, "max_sequence_length=2.5"),
        ({"attention_dropout": -0.1}, "attention_dropout=-0.1"),
        ({"activation": "swish"}, "activation='swish'"),
    ],
)
def test_sizes_out_of_range(changes, message):
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 4}
    with pytest.raises(InputError, match=message):
        EncoderConfig(**{**sizes, **changes})


def test_sizes_by_name():
    assert EncoderConfig.of_size("bert-base") == EncoderConfig()
    small = EncoderConfig.of_size("minilm-l6")
    assert (small.num_layers, small.hidden_dim, small.intermediate_dim) == (6, 384, 1536)
    with pytest.raises(InputError, match="`size` must be one of bert-tiny, .*'bert-huge'"):
        EncoderConfig.of_size("bert-huge")
