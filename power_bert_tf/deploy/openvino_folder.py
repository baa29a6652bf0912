"""A folder that answers texts by OpenVINO and `tokenizers`, without TensorFlow or Keras."""

import json
import subprocess
import sys

import numpy as np

from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.deploy import exported
from power_bert_tf.deploy.runtimes.conversion import check
from power_bert_tf.deploy.runtimes.conversion import import_optional
from power_bert_tf.deploy.runtimes.openvino import convert
from power_bert_tf.deploy.saved_model import check_export_folder
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text

_CHECKED_TEXTS = 64
# In another process, as it will be loaded: answers on the standard output.
_ANSWER = """
import json, sys
from power_bert_tf.deploy.exported import load_exported
asked = json.load(sys.stdin)
outputs = load_exported(sys.argv[1]).outputs(asked["texts"], asked["text_pairs"])
json.dump(outputs.tolist(), sys.stdout)
"""


def export_openvino(model, preprocessor, folder, examples=None, pairs=False, card=""):
    """Writes a folder that `load_exported` answers from.

    It holds the graph of packed rows (`model.xml`, `model.bin`), `tokenizer.json` for the package
    `tokenizers`, `settings.json` and, as `README.md`, a card.

    Args:
        model: `BertClassifier` whose rows can be packed, in float32.
        preprocessor: `Preprocessor` of the model's sequence length, of word-pieces.
        folder: where it is to appear; must be new or empty.
        examples: `Examples`. The first 64 are answered from the folder in a process of its own;
            where that is not what the model answers, nothing is written.
        pairs: bool. The task is about pairs of texts.
        card: str, Markdown.

    Raises:
        InputError: where `folder` holds something, the model or the tokenizer cannot be exported,
            a package is missing, or the answers differ.
    """
    check_export_folder(folder)
    openvino = import_optional("openvino", "openvino")
    if not isinstance(preprocessor.tokenizer, WordPieceTokenizer):
        raise InputError(
            "the format openvino takes models with a word-piece vocabulary. "
            f"Received: {type(preprocessor.tokenizer).__name__}"
        )
    model = model if model.compute_dtype == "float32" else model.with_dtype("float32")
    graph = model.for_inference(packed=True)
    check(graph, "float32", ("float32",))

    def write(aside):
        openvino.save_model(convert(graph), aside / exported.MODEL, compress_to_fp16=False)
        bare_tokenizer(preprocessor.tokenizer).save(str(aside / exported.TOKENIZER))
        settings = {
            "format": exported.FORMAT,
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
            _check_answers(model, preprocessor, aside, examples)

    write_folder(folder, write)


def bare_tokenizer(tokenizer):
    """A `WordPieceTokenizer` as a `tokenizers.Tokenizer`, which adds no special tokens.

    Special tokens are pieces of the vocabulary and nothing more, so that a text cannot forge them.
    """
    tokenizers = import_optional("tokenizers", "openvino")
    ids = {piece: index for index, piece in enumerate(tokenizer.vocabulary)}
    bare = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    bare.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=tokenizer.lowercase)
    bare.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return bare


def _check_answers(model, preprocessor, folder, examples):
    rows = min(len(examples), max(1, _CHECKED_TEXTS // examples.choices))
    some = examples.select(np.arange(rows))
    pairs = None if some.text_pairs is None else some.text_pairs.tolist()
    asked = {"texts": some.texts.tolist(), "text_pairs": pairs}
    process = subprocess.run(
        [sys.executable, "-c", _ANSWER, str(folder)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        said = process.stderr.strip().splitlines()[-1:]
        raise InputError(f"the export cannot be loaded, and is removed: {' '.join(said)}")
    inputs = preprocessor(asked["texts"], asked["text_pairs"])
    expected = np.asarray(model(inputs, training=False))
    difference = float(np.abs(np.array(json.loads(process.stdout)) - expected).max())
    if not difference <= 1e-3:
        raise InputError(
            "the export must answer as the model, and is removed: of "
            f"{len(asked['texts'])} dev texts one differs by {difference:.2g}"
        )
