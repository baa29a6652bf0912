"""A run's model in a format for use elsewhere: a line for each."""

from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.deploy.saved_model import export_saved_model
from power_bert_tf.errors import InputError


def _saved_model(run, model, folder):
    export_saved_model(model, run.preprocessor, folder, run.task.is_pair)
    pair = ", text_pair=..." if run.task.is_pair else ""
    return (
        f"SavedModel: {folder}\n"
        "To use it: import tensorflow as tf, tensorflow_text; "
        f"tf.saved_model.load({str(folder)!r}).signatures['serving_default']"
        f"(text=tf.constant(['...']){pair})"
    )


def _huggingface(run, model, folder):
    note = export_huggingface(model, run.preprocessor, folder)
    return (
        f"Checkpoint: {folder}\n"
        "To use it: transformers.AutoModelForSequenceClassification.from_pretrained("
        f"{str(folder)!r})\nNote: {note}"
    )


_WRITERS = {"saved_model": _saved_model, "huggingface": _huggingface}
# As it was spelt before.
_ALSO = {"savedmodel": "saved_model"}
FORMATS = tuple(_WRITERS)


def export(run, folder, format="saved_model", step=None):
    """Writes a run's model for use elsewhere.

    Args:
        run: `Run`.
        folder: where it is to appear; new or empty.
        format: "saved_model", which takes raw text, or "huggingface", a checkpoint that
            transformers loads.
        step: str; the last step where None.

    Returns:
        str, how to use it.

    Raises:
        InputError: where the format is unknown or the folder holds something.
    """
    format = _ALSO.get(format, format)
    if format not in FORMATS:
        raise InputError(f"`format` must be one of {', '.join(FORMATS)}. Received: {format!r}")
    return _WRITERS[format](run, run.model(step), folder)
