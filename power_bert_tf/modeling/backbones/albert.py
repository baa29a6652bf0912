"""ALBERT (Lan et al., ICLR 2020): narrow embeddings, and one encoder that is applied many times.

The weights of the encoder are shared, what PoWER-BERT learns is not: each application has
retention parameters, and then a length, of its own.
"""

from power_bert_tf.modeling.backbones.backbone import Backbone
from power_bert_tf.modeling.backbones.backbone import size
from power_bert_tf.modeling.backbones.backbone import tensors
from power_bert_tf.modeling.backbones.bert import BERT

_SIZE = {"vocabulary_size": 30000, "embedding_dim": 128}

ALBERT = Backbone(
    model_type="albert",
    transformers="Albert",
    sizes={**BERT.sizes, "embedding_dim": "embedding_size"},
    options={
        "num_segments": ("type_vocab_size", 2),
        "dropout": ("hidden_dropout_prob", 0.0),
        "attention_dropout": ("attention_probs_dropout_prob", 0.0),
        "head_dropout": ("classifier_dropout_prob", 0.1),
        "activation": ("hidden_act", "gelu_new"),
        "layer_norm_epsilon": ("layer_norm_eps", 1e-12),
    },
    fixed={"share_layers": True},
    # One group of encoders, with one encoder in it: no published model has more.
    required={
        "position_embedding_type": "absolute",
        "num_hidden_groups": 1,
        "inner_group_num": 1,
    },
    prefix="albert.",
    embeddings={
        "token_embedding": "albert.embeddings.word_embeddings",
        "position_embedding": "albert.embeddings.position_embeddings",
        "segment_embedding": "albert.embeddings.token_type_embeddings",
        "layer_norm": "albert.embeddings.LayerNorm",
        "projection": "albert.encoder.embedding_hidden_mapping_in",
    },
    encoder="albert.encoder.albert_layer_groups.0.albert_layers.0",
    parts={
        "self_attention/query": "attention.query",
        "self_attention/key": "attention.key",
        "self_attention/value": "attention.value",
        "attention_output/projection": "attention.dense",
        "attention_output/layer_norm": "attention.LayerNorm",
        "feed_forward/intermediate": "ffn",
        "feed_forward/output": "ffn_output",
        "feed_forward/layer_norm": "full_layer_layer_norm",
    },
    pooler="albert.pooler",
    classifier="classifier",
    # A buffer of position numbers, and the heads of pre-training (masked words, sentence order).
    ignored=frozenset({"albert.embeddings.position_ids", "predictions.bias"})
    | tensors(
        "predictions.LayerNorm",
        "predictions.decoder",
        "predictions.dense",
        "sop_classifier.classifier",
    ),
    named={
        "albert-base": size(12, 768, 12, **_SIZE),
        "albert-large": size(24, 1024, 16, **_SIZE),
        "albert-xlarge": size(24, 2048, 16, **_SIZE),
        "albert-xxlarge": size(12, 4096, 64, **_SIZE),
    },
)
