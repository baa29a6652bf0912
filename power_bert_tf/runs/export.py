"""A run's model in a format for use elsewhere: a line for each."""

import pathlib

from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.deploy.openvino_folder import export_openvino
from power_bert_tf.deploy.saved_model import export_saved_model
from power_bert_tf.errors import InputError
from power_bert_tf.runs.report_text import markdown


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


def _openvino(run, model, folder):
    dev, pairs = run.folder.dev(), run.task.is_pair
    export_openvino(model, run.preprocessor, folder, dev, pairs, model_card(run, folder))
    pair = ", ['...']" if pairs else ""
    return (
        f"OpenVINO: {folder}\n"
        "To use it, with numpy, openvino and tokenizers: import power_bert_tf as pb; "
        f"pb.load_exported({str(folder)!r}).predict(['...']{pair})"
    )


def model_card(run, folder):
    """What an export is, and what it has been measured to do, as Markdown."""
    weights = pathlib.Path(run.folder.settings()["checkpoint"]).name
    name, pair = pathlib.Path(folder).name, ', ["..."]' if run.task.is_pair else ""
    return (
        f"# {name}: {run.task.name}\n\n"
        f"{run.method.title}, made with power_bert_tf from the weights of `{weights}`. Their "
        "licence holds for these too.\n\n"
        "```python\nimport power_bert_tf as pb\n\n"
        f'pb.load_exported("{name}").predict(["..."]{pair})\n```\n\n'
        f"{markdown(run.report)}"
    )


_WRITERS = {
    "saved_model": _saved_model,
    "huggingface": _huggingface,
    "openvino": _openvino,
}
# As it was spelt before.
_ALSO = {"savedmodel": "saved_model"}
FORMATS = tuple(_WRITERS)


def export(run, folder, format="saved_model", step=None):
    """Writes a run's model for use elsewhere.

    Args:
        run: `Run`.
        folder: where it is to appear; new or empty.
        format: "saved_model", which takes raw text; "huggingface", a checkpoint that transformers
            loads; or "openvino", a folder that `load_exported` answers from without TensorFlow.
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
