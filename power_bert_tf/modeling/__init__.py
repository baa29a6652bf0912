"""Graphs, configurations and checkpoints of BERT, written in Keras alone."""

from power_bert_tf.modeling.checkpoints.opening import open_checkpoint
from power_bert_tf.modeling.classifier import BertClassifier
from power_bert_tf.modeling.config import EncoderConfig
from power_bert_tf.modeling.loading import load_classifier
from power_bert_tf.modeling.reduction import NoReduction
from power_bert_tf.modeling.reduction import Reduction

__all__ = [
    "BertClassifier",
    "EncoderConfig",
    "NoReduction",
    "Reduction",
    "load_classifier",
    "open_checkpoint",
]
