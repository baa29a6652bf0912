"""Graphs, configurations and checkpoints of BERT, written in Keras alone."""

from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.checkpoints.opening import open_checkpoint
from power_bert_tf.modeling.classifier import BertClassifier
from power_bert_tf.modeling.config import EncoderConfig
from power_bert_tf.modeling.reduction import Extraction
from power_bert_tf.modeling.reduction import NoReduction
from power_bert_tf.modeling.reduction import Reduction
from power_bert_tf.modeling.reduction import SoftExtraction

__all__ = [
    "BertClassifier",
    "EncoderConfig",
    "Extraction",
    "NoReduction",
    "Reduction",
    "RetentionConfiguration",
    "SoftExtraction",
    "open_checkpoint",
]
