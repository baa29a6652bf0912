"""Answers from an exported folder: by numpy, tokenizers and the package of its format alone."""

import pathlib

import numpy as np

from power_bert_tf.deploy import engines
from power_bert_tf.deploy.answers import named_answers
from power_bert_tf.deploy.batching import make_packed_batches
from power_bert_tf.deploy.openvino_options import PRECISIONS
from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object

TOKENIZER, SETTINGS, CARD = "tokenizer.json", "settings.json", "README.md"
# What settings.json calls a format begins so; and each format's model file.
FORMAT = "power_bert_tf "
FILES = {
    "openvino": "model.xml",
    "onnx": "model.onnx",
    "keras": "model.keras",
    "litert": "model.tflite",
}
_ENGINES = {
    "openvino": engines.openvino_engine,
    "onnx": engines.onnx_engine,
    "keras": engines.keras_engine,
    "litert": engines.litert_engine,
}
_DTYPES = tuple(name for name in PRECISIONS if name != "int8")


def load_exported(folder, dtype=None):
    """Loads what `power-bert export RUN FOLDER --format openvino` wrote, or onnx, litert or keras.

    Neither TensorFlow nor Keras is imported, but for the format keras.

    Args:
        folder: path.
        dtype: "float32"; in the formats openvino and keras also "bfloat16" and "float16", to
            compute in what is not of 8 bits. Float32 where None. OpenVINO computes in float32
            where the processor has no instructions for a 16-bit type.

    Returns:
        `ExportedClassifier`.

    Raises:
        InputError: where the folder is no such export, or a package is missing.
    """
    return ExportedClassifier(folder, dtype)


def _settings(folder):
    """What settings.json says, a dict, of a folder that has all of its files."""
    settings = {}
    if (folder / SETTINGS).exists():
        settings = read_json_object(folder / SETTINGS)
        known = [FORMAT + name for name in FILES]
        if settings.get("format") not in known:
            raise InputError(
                f"{folder / SETTINGS} must say format={' or '.join(map(repr, known))}. "
                f"Received: {settings.get('format')!r}"
            )
    names = [SETTINGS, TOKENIZER]
    if settings:
        names.append(FILES[settings["format"].removeprefix(FORMAT)])
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise InputError(
            "`folder` must be one that `power-bert export` wrote in the format openvino, onnx, "
            f"keras or litert, with {', '.join(missing)}. Received: {folder}"
        )
    return settings


class ExportedClassifier:
    """A classifier that takes text, without TensorFlow. See `load_exported`.

    Attributes:
        format: str, "openvino", "onnx", "keras" or "litert".
        dtype: str, "float32", or "int8" where it was exported so.
        label_names: tuple of str, the classes, or the options of a question.
        sequence_length: int, N: texts are cut to so many word-pieces.
    """

    def __init__(self, folder, dtype=None):
        folder = pathlib.Path(folder)
        if dtype is not None and dtype not in _DTYPES:
            raise InputError(
                f"`dtype` must be one of {', '.join(_DTYPES)}. Received: dtype={dtype!r}. A folder "
                "of int8 is exported so"
            )
        settings = _settings(folder)
        self.format = settings["format"].removeprefix(FORMAT)
        self.label_names = tuple(settings["label_names"])
        self.sequence_length = settings["sequence_length"]
        self.is_pair = settings["is_pair"]
        # Folders of before there was int8 do not say.
        self.dtype = settings.get("dtype", "float32")
        self._head = settings["head"]
        self._truncation = settings["truncation"]
        try:
            import tokenizers

            self._run = _ENGINES[self.format](folder / FILES[self.format], dtype or self.dtype)
        except ImportError as error:
            raise InputError(
                f"the package {error.name} is missing: pip install power-bert-tf[{self.format}] "
                "tokenizers"
            ) from error
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
        self._cls, self._sep = map(self._tokenizer.token_to_id, ("[CLS]", "[SEP]"))

    def predict(self, texts, text_pairs=None, batch_size=128):
        """Answers for texts, one dict each, as `Run.predict` gives them.

        Args:
            texts: sequence of str.
            text_pairs: sequence of str, for a task of pairs. For multiple choice the options of a
                question stand side by side.
            batch_size: int, the most texts in a batch.

        Raises:
            InputError: where there is no second text and the task needs one, or the reverse.
        """
        outputs = self.outputs(texts, text_pairs, batch_size)
        return named_answers(outputs, self._head, self.label_names)

    def outputs(self, texts, text_pairs=None, batch_size=128):
        """What the model gives, float32 of shape (texts, outputs); see `predict`."""
        token_ids, segment_ids = self.encode(texts, text_pairs)
        outputs = [None] * len(token_ids)
        for batch in make_packed_batches(token_ids, segment_ids, batch_size):
            for row, output in zip(batch.rows, self._run(batch.inputs), strict=True):
                outputs[row] = output
        return np.array(outputs, "float32")

    def encode(self, texts, text_pairs=None):
        """Token ids and segment ids of texts, two lists of lists of int."""
        for name, given in (("texts", texts), ("text_pairs", text_pairs)):
            if isinstance(given, (str, bytes)):
                raise InputError(f"`{name}` must be a sequence of strings. Received: {given!r:.60}")
        if (text_pairs is not None) != self.is_pair:
            raise InputError(
                f"`text_pairs` must{'' if self.is_pair else ' not'} be given: the task is about "
                f"{'pairs of texts' if self.is_pair else 'single texts'}"
            )
        first = self._pieces(texts)
        if text_pairs is None:
            kept = self.sequence_length - 2
            token_ids = [[self._cls, *ids[:kept], self._sep] for ids in first]
            return token_ids, [[0] * len(ids) for ids in token_ids]
        second = self._pieces(text_pairs)
        if len(first) != len(second):
            raise InputError(
                "`text_pairs` must have one text for each in `texts`. "
                f"Received: {len(second)} for {len(first)}"
            )
        token_ids, segment_ids = [], []
        for one, other in zip(first, second, strict=True):
            kept, kept_other = pair_lengths(
                len(one), len(other), self.sequence_length - 3, self._truncation
            )
            token_ids.append([self._cls, *one[:kept], self._sep, *other[:kept_other], self._sep])
            segment_ids.append([0] * (kept + 2) + [1] * (kept_other + 1))
        return token_ids, segment_ids

    def _pieces(self, texts):
        texts = list(texts)
        wrong = [index for index, text in enumerate(texts) if not isinstance(text, str)]
        if wrong:
            raise InputError(
                f"a text must be a str. Received: {texts[wrong[0]]!r:.60} at index {wrong[0]}"
            )
        encoded = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encoded]


def pair_lengths(first, second, budget, truncation):
    """How many pieces of each text of a pair are kept; as `Preprocessor` cuts them.

    Args:
        first, second: ints, the texts' own numbers of pieces.
        budget: int, the most of both together.
        truncation: "longest_first" or "only_first".
    """
    if truncation == "only_first":
        second = min(second, budget)
        return min(first, budget - second), second
    shorter = min(first, second, budget // 2)
    longer = budget - shorter
    if first > second:
        return min(first, longer), min(second, shorter)
    return min(first, shorter), min(second, longer)
