"""RoBERTa (Liu et al., 2019): BERT's encoders, trained longer, on byte pairs, without segments.

Its positions are numbered from 2 on, after the id of the padding: of 514 position embeddings 512
are of use. Its one segment embedding is the same for every word. Its head has a dense layer with
tanh before the classifier, which stands where BERT's pooler does.
"""

from power_bert_tf.modeling.backbones.backbone import Backbone
from power_bert_tf.modeling.backbones.backbone import size
from power_bert_tf.modeling.backbones.backbone import tensors
from power_bert_tf.modeling.backbones.bert import BERT

_SIZE = {"vocabulary_size": 50265, "num_segments": 1, "layer_norm_epsilon": 1e-5}

ROBERTA = Backbone(
    model_type="roberta",
    transformers="Roberta",
    sizes=BERT.sizes,
    options=BERT.options,
    fixed={"position_offset": 2},
    # The offset of the positions is the padding's id and one.
    required={"position_embedding_type": "absolute", "pad_token_id": 1},
    prefix="roberta.",
    embeddings={
        "token_embedding": "roberta.embeddings.word_embeddings",
        "position_embedding": "roberta.embeddings.position_embeddings",
        "segment_embedding": "roberta.embeddings.token_type_embeddings",
        "layer_norm": "roberta.embeddings.LayerNorm",
    },
    encoder="roberta.encoder.layer.{index}",
    parts=BERT.parts,
    pooler="classifier.dense",
    classifier="classifier.out_proj",
    # A buffer of position numbers, a pooler that the head does not use, and the head of
    # pre-training (masked words).
    ignored=frozenset({"roberta.embeddings.position_ids", "lm_head.bias"})
    | tensors("lm_head.decoder", "lm_head.dense", "lm_head.layer_norm", "roberta.pooler.dense"),
    named={
        "roberta-base": size(12, 768, 12, **_SIZE),
        "roberta-large": size(24, 1024, 16, **_SIZE),
    },
)
