"""Tasks, examples and text: from files to batches. TensorFlow's room."""

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.examples import as_examples
from power_bert_tf.data.glue_files import load_from_tsv
from power_bert_tf.data.own_files import iterate_questions
from power_bert_tf.data.own_files import iterate_texts
from power_bert_tf.data.own_files import load_from_file
from power_bert_tf.data.own_files import load_questions
from power_bert_tf.data.own_files import load_texts
from power_bert_tf.data.pipeline import evaluation_dataset
from power_bert_tf.data.pipeline import training_dataset
from power_bert_tf.data.preprocessor import Preprocessor
from power_bert_tf.data.proposed_length import propose_sequence_length
from power_bert_tf.data.published_files import load_published
from power_bert_tf.data.sentence_pieces import SentencePieceTokenizer
from power_bert_tf.data.tables import Columns
from power_bert_tf.data.tasks import TASKS
from power_bert_tf.data.tasks import Task
from power_bert_tf.data.tasks import get_task
from power_bert_tf.data.tasks import user_task
from power_bert_tf.data.tfds import load_from_tfds
from power_bert_tf.data.tokenizers import tokenizer_from_file
from power_bert_tf.data.tokenizers import tokenizer_from_folder
from power_bert_tf.data.word_pieces import WordPieceTokenizer

__all__ = [
    "TASKS",
    "Columns",
    "Examples",
    "Preprocessor",
    "SentencePieceTokenizer",
    "Task",
    "WordPieceTokenizer",
    "as_examples",
    "evaluation_dataset",
    "get_task",
    "iterate_questions",
    "iterate_texts",
    "load_from_file",
    "load_from_tfds",
    "load_from_tsv",
    "load_published",
    "load_questions",
    "load_texts",
    "propose_sequence_length",
    "tokenizer_from_file",
    "tokenizer_from_folder",
    "training_dataset",
    "user_task",
]
