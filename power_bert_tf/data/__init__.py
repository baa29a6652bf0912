"""Tasks, examples and text: from files to batches. TensorFlow's room."""

from power_bert_tf.data.packing import Preprocessor
from power_bert_tf.data.pipeline import evaluation_dataset
from power_bert_tf.data.pipeline import training_dataset
from power_bert_tf.data.proposed_length import propose_sequence_length
from power_bert_tf.data.sentence_pieces import SentencePieceTokenizer
from power_bert_tf.data.sources import Examples
from power_bert_tf.data.sources import load_from_file
from power_bert_tf.data.sources import load_from_tfds
from power_bert_tf.data.sources import load_from_tsv
from power_bert_tf.data.sources import load_questions
from power_bert_tf.data.sources import load_texts
from power_bert_tf.data.sources import user_task
from power_bert_tf.data.tasks import TASKS
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import get_task
from power_bert_tf.data.tokenization import WordPieceTokenizer
from power_bert_tf.data.tokenizers import tokenizer_from_file
from power_bert_tf.data.tokenizers import tokenizer_from_folder

__all__ = [
    "TASKS",
    "Examples",
    "Preprocessor",
    "SentencePieceTokenizer",
    "Task",
    "WordPieceTokenizer",
    "evaluation_dataset",
    "get_task",
    "load_from_file",
    "load_from_tfds",
    "load_from_tsv",
    "load_questions",
    "load_texts",
    "propose_sequence_length",
    "tokenizer_from_file",
    "tokenizer_from_folder",
    "training_dataset",
    "user_task",
]
