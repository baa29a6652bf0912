"""A folder that answers texts: a model file, its tokenizer, settings and a card."""

import shutil

from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.deploy import exported
from power_bert_tf.deploy import model_files
from power_bert_tf.deploy.checked import check_answers
from power_bert_tf.deploy.checked import model_answers
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.deploy.runtimes.conversion import check
from power_bert_tf.deploy.saved_model import check_export_folder
from power_bert_tf.deploy.tokenizer_json import bare_tokenizer
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text

_WRITERS = {
    "openvino": model_files.write_openvino,
    "onnx": model_files.write_onnx,
    "keras": model_files.write_keras,
    "litert": model_files.write_litert,
}
FORMATS = tuple(_WRITERS)
# In another process, as it will be loaded: answers on the standard output.
_ANSWER = """
import json, sys
from power_bert_tf.deploy.exported import load_exported
asked = json.load(sys.stdin)
outputs = load_exported(sys.argv[1]).outputs(asked["texts"], asked["text_pairs"])
json.dump(outputs.tolist(), sys.stdout)
"""


def export_folder(
    model, preprocessor, folder, format="openvino", examples=None, pairs=False, card="", int8=None
):
    """Writes a folder that `load_exported` answers from.

    It holds the model (of "openvino" `model.xml` and `model.bin`, of "onnx" `model.onnx`, of
    "keras" `model.keras`, of "litert" `model.tflite`), which takes texts of any length up to N and
    any number of them; `tokenizer.json` for the package `tokenizers`; `settings.json`; and, as
    `README.md`, a card.

    Args:
        model: `BertClassifier` whose rows can be packed.
        preprocessor: `Preprocessor` of the model's sequence length, of word-pieces.
        folder: where it is to appear; must be new or empty.
        format: str, one of `FORMATS`.
        examples: `Examples`. The first 64 are answered from the folder in a process of its own;
            where that is not what the model answers, nothing is written.
        pairs: bool. The task is about pairs of texts.
        card: str, Markdown.
        int8: path of what `CompiledClassifier.save_quantized` wrote of the model, to export that
            to "openvino".

    Raises:
        InputError: where `folder` holds something, the model or the tokenizer cannot be exported,
            a package is missing, or the answers differ.
    """
    check_export_folder(folder)
    if format not in FORMATS:
        raise InputError(f"`format` must be one of {', '.join(FORMATS)}. Received: {format!r}")
    if int8 is not None and format != "openvino":
        raise InputError(f"int8 goes with the format openvino. Received: format={format!r}")
    if not isinstance(preprocessor.tokenizer, WordPieceTokenizer):
        raise InputError(
            f"the format {format} takes models with a word-piece vocabulary. "
            f"Received: {type(preprocessor.tokenizer).__name__}"
        )
    model = model if model.compute_dtype == "float32" else model.with_dtype("float32")
    # Says what cannot be exported before anything is written.
    check(model.for_inference(packed=True), "float32", ("float32",))

    def write(aside):
        path = aside / exported.FILES[format]
        if int8 is None:
            _WRITERS[format](model, path)
        else:
            for suffix in (".xml", ".bin"):
                shutil.copyfile(int8.with_suffix(suffix), path.with_suffix(suffix))
        bare_tokenizer(preprocessor.tokenizer).save(str(aside / exported.TOKENIZER))
        settings = {
            "format": exported.FORMAT + format,
            "dtype": "float32" if int8 is None else "int8",
            "head": model.head,
            "label_names": list(model.label_names)
            or [str(index) for index in range(model.num_classes)],
            "sequence_length": model.sequence_length,
            "truncation": preprocessor.truncation,
            "is_pair": pairs,
        }
        write_json(aside / exported.SETTINGS, settings)
        write_text(aside / exported.CARD, card)
        if examples is not None:
            check_answers(_ANSWER, aside, examples, _expected(model, preprocessor, int8))

    write_folder(folder, write)


def _expected(model, preprocessor, int8):
    """A function from texts and second texts to what the export must answer."""
    if int8 is not None:
        return CompiledClassifier(model, preprocessor, dtype="int8", calibration=int8).predict
    return model_answers(model, preprocessor)
