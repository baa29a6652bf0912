"""Keras layers of BERT and of PoWER-BERT, written in `keras.ops` alone."""

from power_bert_tf.layers.attention_output import AttentionOutput
from power_bert_tf.layers.constraints import UnitInterval
from power_bert_tf.layers.embeddings import BertEmbeddings
from power_bert_tf.layers.extract import Extract
from power_bert_tf.layers.feed_forward import FeedForward
from power_bert_tf.layers.relative_budget import RelativeBudget
from power_bert_tf.layers.self_attention import SelfAttention
from power_bert_tf.layers.significance_score import SignificanceScore
from power_bert_tf.layers.soft_extract import SoftExtract
from power_bert_tf.layers.static_score import StaticScore

__all__ = [
    "AttentionOutput",
    "BertEmbeddings",
    "Extract",
    "FeedForward",
    "RelativeBudget",
    "SelfAttention",
    "SignificanceScore",
    "SoftExtract",
    "StaticScore",
    "UnitInterval",
]
