"""Keras layers of BERT, and the one that drops word-vectors; written in `keras.ops` alone."""

from power_bert_tf.layers.attention_output import AttentionOutput
from power_bert_tf.layers.embeddings import BertEmbeddings
from power_bert_tf.layers.extract import Extract
from power_bert_tf.layers.feed_forward import FeedForward
from power_bert_tf.layers.mask_budget import MaskBudget
from power_bert_tf.layers.packing import Packing
from power_bert_tf.layers.packing import StayingRows
from power_bert_tf.layers.positions import Positions
from power_bert_tf.layers.self_attention import SelfAttention

__all__ = [
    "AttentionOutput",
    "BertEmbeddings",
    "Extract",
    "FeedForward",
    "MaskBudget",
    "Packing",
    "Positions",
    "SelfAttention",
    "StayingRows",
]
