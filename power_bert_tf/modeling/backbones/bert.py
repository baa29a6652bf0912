"""BERT (Devlin et al., NAACL 2019), and whatever was distilled into its layout."""

from power_bert_tf.modeling.backbones.backbone import Backbone
from power_bert_tf.modeling.backbones.backbone import size
from power_bert_tf.modeling.backbones.backbone import tensors

BERT = Backbone(
    model_type="bert",
    transformers="Bert",
    sizes={
        "vocabulary_size": "vocab_size",
        "num_layers": "num_hidden_layers",
        "num_heads": "num_attention_heads",
        "hidden_dim": "hidden_size",
        "intermediate_dim": "intermediate_size",
        "max_sequence_length": "max_position_embeddings",
    },
    options={
        "num_segments": ("type_vocab_size", 2),
        "dropout": ("hidden_dropout_prob", 0.1),
        "attention_dropout": ("attention_probs_dropout_prob", 0.1),
        "head_dropout": ("classifier_dropout", None),
        "activation": ("hidden_act", "gelu"),
        "layer_norm_epsilon": ("layer_norm_eps", 1e-12),
    },
    fixed={},
    required={"position_embedding_type": "absolute"},
    prefix="bert.",
    embeddings={
        "token_embedding": "bert.embeddings.word_embeddings",
        "position_embedding": "bert.embeddings.position_embeddings",
        "segment_embedding": "bert.embeddings.token_type_embeddings",
        "layer_norm": "bert.embeddings.LayerNorm",
    },
    encoder="bert.encoder.layer.{index}",
    parts={
        "self_attention/query": "attention.self.query",
        "self_attention/key": "attention.self.key",
        "self_attention/value": "attention.self.value",
        "attention_output/projection": "attention.output.dense",
        "attention_output/layer_norm": "attention.output.LayerNorm",
        "feed_forward/intermediate": "intermediate.dense",
        "feed_forward/output": "output.dense",
        "feed_forward/layer_norm": "output.LayerNorm",
    },
    pooler="bert.pooler.dense",
    classifier="classifier",
    # A buffer of position numbers, and the two heads of pre-training (masked words, next sentence).
    ignored=frozenset({"bert.embeddings.position_ids", "cls.predictions.bias"})
    | tensors(
        "cls.predictions.decoder",
        "cls.predictions.transform.LayerNorm",
        "cls.predictions.transform.dense",
        "cls.seq_relationship",
    ),
    named={
        "bert-tiny": size(2, 128, 2),
        "bert-mini": size(4, 256, 4),
        "bert-small": size(4, 512, 8),
        "bert-medium": size(8, 512, 8),
        "minilm-l6": size(6, 384, 12),
        "bert-base": size(12, 768, 12),
        "bert-large": size(24, 1024, 16),
    },
)
