"""Answers from an exported OpenVINO folder: by numpy, openvino and tokenizers alone."""

import pathlib

import numpy as np

from power_bert_tf.deploy.answers import named_answers
from power_bert_tf.deploy.batching import make_packed_batches
from power_bert_tf.deploy.openvino_options import PRECISIONS
from power_bert_tf.deploy.openvino_options import compile_options
from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object

MODEL, TOKENIZER, SETTINGS, CARD = "model.xml", "tokenizer.json", "settings.json", "README.md"
FORMAT = "power_bert_tf openvino"


def load_exported(folder, dtype="float32"):
    """Loads what `power-bert export RUN FOLDER --format openvino` wrote.

    Neither TensorFlow nor Keras is imported.

    Args:
        folder: path.
        dtype: "float32", "bfloat16" or "float16", to compute in. Processors without instructions
            for a 16-bit type compute in float32.

    Returns:
        `ExportedClassifier`.

    Raises:
        InputError: where the folder is no such export, or a package is missing.
    """
    return ExportedClassifier(folder, dtype)


class ExportedClassifier:
    """A classifier that takes text, without TensorFlow. See `load_exported`.

    Attributes:
        label_names: tuple of str, the classes, or the options of a question.
        sequence_length: int, N: texts are cut to so many word-pieces.
    """

    def __init__(self, folder, dtype="float32"):
        folder = pathlib.Path(folder)
        if dtype not in PRECISIONS:
            raise InputError(
                f"`dtype` must be one of {', '.join(PRECISIONS)}. Received: dtype={dtype!r}"
            )
        missing = [name for name in (MODEL, TOKENIZER, SETTINGS) if not (folder / name).exists()]
        if missing:
            raise InputError(
                f"`folder` must be one that `power-bert export --format openvino` wrote, with "
                f"{', '.join(missing)}. Received: {folder}"
            )
        settings = read_json_object(folder / SETTINGS)
        if settings.get("format") != FORMAT:
            raise InputError(
                f"{folder / SETTINGS} must say format={FORMAT!r}. "
                f"Received: {settings.get('format')!r}"
            )
        self.label_names = tuple(settings["label_names"])
        self.sequence_length = settings["sequence_length"]
        self.is_pair = settings["is_pair"]
        self._head = settings["head"]
        self._truncation = settings["truncation"]
        try:
            import openvino
            import tokenizers
        except ImportError as error:
            raise InputError(
                f"the package {error.name} is missing: pip install power-bert-tf[openvino]"
            ) from error
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
        self._cls, self._sep = map(self._tokenizer.token_to_id, ("[CLS]", "[SEP]"))
        compiled = openvino.Core().compile_model(str(folder / MODEL), "CPU", compile_options(dtype))
        self._request = compiled.create_infer_request()
        self._names = [port.get_any_name() for port in compiled.inputs]

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
            self._request.infer([batch.inputs[name] for name in self._names])
            for row, output in zip(
                batch.rows, self._request.get_output_tensor(0).data.copy(), strict=True
            ):
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
