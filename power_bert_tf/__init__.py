"""BERT classifiers that answer faster, for Keras 3: what a task does not need is left out."""

import importlib
import importlib.metadata

from power_bert_tf import registered
from power_bert_tf.methods import exports

# Imported when first asked for, so that what runs without TensorFlow is not made to import it,
# and the command line can set up TensorFlow's logging before it is loaded.
_EXPORTS = {
    "AttentionOutput": "power_bert_tf.layers",
    "BertClassifier": "power_bert_tf.modeling",
    "BertEmbeddings": "power_bert_tf.layers",
    "CompiledClassifier": "power_bert_tf.deploy.compiled",
    "EncoderConfig": "power_bert_tf.modeling",
    "Examples": "power_bert_tf.data",
    "explain": "power_bert_tf.analysis.explain",
    "export_huggingface": "power_bert_tf.deploy.huggingface",
    "export_folder": "power_bert_tf.deploy.text_folder",
    "export_saved_model": "power_bert_tf.deploy.saved_model",
    "Extract": "power_bert_tf.layers",
    "FeedForward": "power_bert_tf.layers",
    "fine_tuning_optimizer": "power_bert_tf.training.optimizers",
    "fit": "power_bert_tf.runs.fit",
    "InputError": "power_bert_tf.errors",
    "load_classifier": "power_bert_tf.modeling",
    "load_exported": "power_bert_tf.deploy.exported",
    "MultipleChoiceAccuracy": "power_bert_tf.training.objectives",
    "MultipleChoiceLoss": "power_bert_tf.training.objectives",
    "NoReduction": "power_bert_tf.modeling",
    "open_checkpoint": "power_bert_tf.modeling",
    "open_run": "power_bert_tf.runs.run",
    "Preprocessor": "power_bert_tf.data",
    "Reduction": "power_bert_tf.modeling",
    "SelfAttention": "power_bert_tf.layers",
    "SentencePieceTokenizer": "power_bert_tf.data",
    "trace": "power_bert_tf.analysis.trace",
    "trade_off": "power_bert_tf.runs.trade_off",
    "tune": "power_bert_tf.runs.tune",
    "WordPieceTokenizer": "power_bert_tf.data",
    **exports(),
}

__all__ = sorted(_EXPORTS)

registered.register_with_keras()


def __getattr__(name):
    if name == "__version__":
        return importlib.metadata.version("power-bert-tf")
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__():
    return sorted([*globals(), *__all__])
