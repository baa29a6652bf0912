"""PoWER-BERT for Keras 3: BERT classifiers that drop the word-vectors they no longer need."""

import importlib

# Imported when first asked for, so that what runs without TensorFlow is not made to import it,
# and the command line can set up TensorFlow's logging before it is loaded.
_EXPORTS = {
    "BertClassifier": "modeling",
    "CompiledClassifier": "deploy.compiled",
    "EncoderConfig": "modeling",
    "Extraction": "modeling",
    "InputError": "errors",
    "MultipleChoiceAccuracy": "training.objectives",
    "MultipleChoiceLoss": "training.objectives",
    "NoReduction": "modeling",
    "Preprocessor": "data",
    "Reduction": "modeling",
    "RetentionConfiguration": "modeling",
    "SentencePieceTokenizer": "data",
    "SoftExtraction": "modeling",
    "WordPieceTokenizer": "data",
    "export_huggingface": "deploy.huggingface",
    "export_saved_model": "deploy.saved_model",
    "fine_tuning_optimizer": "training.optimizers",
    "open_checkpoint": "modeling",
    "search_optimizer": "training.optimizers",
    "trace": "analysis.trace",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name):
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)


def __dir__():
    return sorted([*globals(), *__all__])
