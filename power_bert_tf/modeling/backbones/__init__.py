"""The backbones, by the `model_type` of their config.json."""

from power_bert_tf.modeling.backbones.albert import ALBERT
from power_bert_tf.modeling.backbones.bert import BERT
from power_bert_tf.modeling.backbones.distilbert import DISTILBERT
from power_bert_tf.modeling.backbones.roberta import ROBERTA

BACKBONES = {each.model_type: each for each in (BERT, ALBERT, DISTILBERT, ROBERTA)}
