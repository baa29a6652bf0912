"""A run's model in a format for use elsewhere: a line for each."""

import pathlib

from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.deploy.saved_model import check_export_folder
from power_bert_tf.deploy.saved_model import export_saved_model
from power_bert_tf.deploy.text_folder import export_folder
from power_bert_tf.errors import InputError
from power_bert_tf.runs.int8 import MOST_DROP
from power_bert_tf.runs.int8 import int8_model
from power_bert_tf.runs.report_text import markdown
from power_bert_tf.runs.report_text import without_texts


def _saved_model(run, model, folder, step, int8):
    pair = ", text_pair=tf.constant(['...'])" if run.task.is_pair else ""
    use = (
        "import tensorflow as tf, tensorflow_text; "
        f"tf.saved_model.load({str(folder)!r}).signatures['serving_default']"
        f"(text=tf.constant(['...']){pair})"
    )
    card = model_card(run, folder, use, step)
    export_saved_model(model, run.preprocessor, folder, run.task.is_pair, run.folder.dev(), card)
    return f"SavedModel: {folder}\nTo use it: {use}"


def _huggingface(run, model, folder, step, int8):
    use = (
        f"import power_bert_tf as pb; checkpoint = pb.open_checkpoint({str(folder)!r}); "
        "model = pb.BertClassifier.from_checkpoint(checkpoint, reduction=checkpoint.reduction)"
    )
    card = model_card(run, folder, use, step)
    note = export_huggingface(model, run.preprocessor, folder, run.folder.dev(), card)
    choice = run.task.head == "multiple_choice"
    purpose = "MultipleChoice" if choice else "SequenceClassification"
    return (
        f"Checkpoint: {folder}\n"
        f"To use it: transformers.AutoModelFor{purpose}.from_pretrained("
        f"{str(folder)!r})\nNote: {note}"
    )


def _text_folder(format):
    def write(run, model, folder, step, int8):
        dev, pairs = run.folder.dev(), run.task.is_pair
        pair = ", ['...']" if pairs else ""
        use = (
            f"import power_bert_tf as pb; pb.load_exported({str(folder)!r}).predict(['...']{pair})"
        )
        card = model_card(run, folder, use, step, int8)
        path = None if int8 is None else int8.path
        export_folder(model, run.preprocessor, folder, format, dev, pairs, card, path)
        return (
            f"{_TITLES[format]}: {folder}\n"
            f"To use it, with numpy, tokenizers and {_NEEDS[format]}: {use}"
        )

    return write


_TITLES = {"openvino": "OpenVINO", "onnx": "ONNX", "keras": "Keras", "litert": "LiteRT"}
_NEEDS = {
    "openvino": "openvino",
    "onnx": "onnxruntime",
    "keras": "keras",
    "litert": "ai-edge-litert",
}


def model_card(run, folder, use, step=None, int8=None):
    """What an export is, and what it has been measured to do, as Markdown.

    Args:
        run: `Run`.
        folder: where the export is to appear.
        use: str, Python statements that use it.
        step: str, the step that is exported; the last where None.
        int8: `Int8Model`, where that is exported.
    """
    settings = run.folder.settings()
    weights = pathlib.Path(settings["checkpoint"]).name
    what = run.method.title
    if step is not None and step != run.folder.steps[-1]:
        what = f"The model of the step {step}, of a run of {run.method.title}"
    quantized = f"In 8-bit integers: {int8}.\n\n" if int8 is not None else ""
    versions = ", ".join(f"{name} {each}" for name, each in settings["versions"].items())
    # A step may be exported before the others are done.
    done = run.folder.step(run.folder.steps[-1]).finished
    measured = f"{markdown(without_texts(run.report))}\n" if done else ""
    lines = "\n".join(use.split("; "))
    return (
        f"# {pathlib.Path(folder).name}: {run.task.name}\n\n"
        f"{what}, made with power_bert_tf from the weights of `{weights}`. Their licence holds for "
        f"these too.\n\n{quantized}```python\n{lines}\n```\n\n{measured}"
        f"Trained with {versions}.\n"
    )


_WRITERS = {
    "saved_model": _saved_model,
    "huggingface": _huggingface,
    **{format: _text_folder(format) for format in _TITLES},
}
# As it was spelt before.
_ALSO = {"savedmodel": "saved_model"}
FORMATS = tuple(_WRITERS)


def export(run, folder, format="saved_model", step=None, dtype="float32", max_int8_drop=MOST_DROP):
    """Writes a run's model for use elsewhere.

    Args:
        run: `Run`.
        folder: where it is to appear; new or empty.
        format: "saved_model", which takes raw text or tokens; "huggingface", a checkpoint that
            transformers loads; or "openvino", "onnx", "litert" or "keras", a folder that
            `load_exported` answers texts from, of these but the last without TensorFlow.
        step: str; the last step where None.
        dtype: "float32", or "int8" for the format openvino.
        max_int8_drop: float, points of the metric that int8 may lose on the dev examples.

    Returns:
        str, how to use it.

    Raises:
        InputError: where an argument cannot be used, or the folder holds something.
    """
    format = _ALSO.get(format, format)
    if format not in FORMATS:
        raise InputError(f"`format` must be one of {', '.join(FORMATS)}. Received: {format!r}")
    if dtype not in ("float32", "int8") or (dtype == "int8" and format != "openvino"):
        raise InputError(
            "`dtype` must be float32, or int8 with the format openvino. "
            f"Received: dtype={dtype!r}, format={format!r}"
        )
    check_export_folder(folder)
    int8 = int8_model(run.folder, step).check(max_int8_drop) if dtype == "int8" else None
    return _WRITERS[format](run, run.model(step), folder, step, int8)
