"""DistilBERT (Sanh et al., 2019): half of BERT's encoders, no segments, no pooler.

Its head has a dense layer with ReLU before the classifier, which stands where BERT's pooler does.
When it is trained here, dropout also falls on the projection of the attention output, as in BERT;
the original has none there.
"""

from power_bert_tf.modeling.backbones.backbone import Backbone
from power_bert_tf.modeling.backbones.backbone import size
from power_bert_tf.modeling.backbones.backbone import tensors

DISTILBERT = Backbone(
    model_type="distilbert",
    transformers="DistilBert",
    sizes={
        "vocabulary_size": "vocab_size",
        "num_layers": "n_layers",
        "num_heads": "n_heads",
        "hidden_dim": "dim",
        "intermediate_dim": "hidden_dim",
        "max_sequence_length": "max_position_embeddings",
    },
    options={
        "dropout": ("dropout", 0.1),
        "attention_dropout": ("attention_dropout", 0.1),
        "head_dropout": ("seq_classif_dropout", 0.2),
        "activation": ("activation", "gelu"),
    },
    fixed={"num_segments": 0, "layer_norm_epsilon": 1e-12, "pooler_activation": "relu"},
    required={},
    prefix="distilbert.",
    embeddings={
        "token_embedding": "distilbert.embeddings.word_embeddings",
        # In the file even where they are sines.
        "position_embedding": "distilbert.embeddings.position_embeddings",
        "layer_norm": "distilbert.embeddings.LayerNorm",
    },
    encoder="distilbert.transformer.layer.{index}",
    parts={
        "self_attention/query": "attention.q_lin",
        "self_attention/key": "attention.k_lin",
        "self_attention/value": "attention.v_lin",
        "attention_output/projection": "attention.out_lin",
        "attention_output/layer_norm": "sa_layer_norm",
        "feed_forward/intermediate": "ffn.lin1",
        "feed_forward/output": "ffn.lin2",
        "feed_forward/layer_norm": "output_layer_norm",
    },
    pooler="pre_classifier",
    classifier="classifier",
    # A buffer of position numbers, and the head of pre-training (masked words).
    ignored=frozenset({"distilbert.embeddings.position_ids"})
    | tensors("vocab_layer_norm", "vocab_projector", "vocab_transform"),
    named={"distilbert-base": size(6, 768, 12)},
)
