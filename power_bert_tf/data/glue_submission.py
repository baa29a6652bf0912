"""What the evaluation server of GLUE takes: a file for each hidden test set.

Reference:
    [GLUE, Wang et al., 2019](https://arxiv.org/abs/1804.07461), https://gluebenchmark.com/faq
"""

import dataclasses
import os
import pathlib

import numpy as np

from power_bert_tf.data.glue_files import read_tsv_columns
from power_bert_tf.data.tfds_reader import read_columns
from power_bert_tf.data.tfds_reader import reading
from power_bert_tf.errors import InputError

HEADER = "index\tprediction"
_BITS = ("0", "1")
_TWO_WAYS = ("entailment", "not_entailment")
_THREE_WAYS = ("entailment", "neutral", "contradiction")
_SCORES = (0.0, 5.0)


@dataclasses.dataclass(frozen=True)
class HiddenTest:
    """A test set of GLUE without labels.

    Args:
        name: str. The server's name of it: the file is this and ".tsv".
        tasks: tuple of str. The tasks whose models answer it.
        words: tuple of str. What stands for the classes, in the order of the tasks' labels; empty
            where the answer is a number from 0 to 5.
        rows: int. How many answers the server expects.
        tsv: str. Its file below the folder of GLUE's TSV folders.
        tsv_columns: tuple of str. The columns of its index and its texts in that file.
        tfds_name: str. The dataset of tensorflow-datasets.
        tfds_split: str.
        features: tuple of str. The names of its texts there.
    """

    name: str
    tasks: tuple[str, ...]
    words: tuple[str, ...]
    rows: int
    tsv: str
    tsv_columns: tuple[str, ...]
    tfds_name: str
    features: tuple[str, ...]
    tfds_split: str = "test"

    def lines(self, indices, outputs) -> str:
        """The text of the file.

        Args:
            indices: ints, (rows,).
            outputs: float array (rows, classes), or (rows, 1) for numbers.
        """
        if self.words:
            answers = [self.words[label] for label in np.argmax(outputs, axis=1)]
        else:
            answers = [f"{score:.3f}" for score in np.clip(outputs[:, 0], *_SCORES)]
        pairs = zip(indices, answers, strict=True)
        return "".join(f"{line}\n" for line in (HEADER, *(f"{i}\t{each}" for i, each in pairs)))


_PAIR = ("sentence1", "sentence2")
_MNLI = ("mnli-m", "mnli-mm")
_PREMISE = ("premise", "hypothesis")
_INDEXED = ("index", *_PAIR)

HIDDEN_TESTS = (
    HiddenTest(
        "CoLA", ("cola",), _BITS, 1063,
        "CoLA/test.tsv", ("index", "sentence"), "glue/cola", ("sentence",),
    ),
    HiddenTest(
        "SST-2", ("sst2",), _BITS, 1821,
        "SST-2/test.tsv", ("index", "sentence"), "glue/sst2", ("sentence",),
    ),
    HiddenTest(
        "MRPC", ("mrpc",), _BITS, 1725,
        "MRPC/test.tsv", ("index", "#1 String", "#2 String"), "glue/mrpc", _PAIR,
    ),
    HiddenTest("STS-B", ("stsb",), (), 1379, "STS-B/test.tsv", _INDEXED, "glue/stsb", _PAIR),
    HiddenTest(
        "QQP", ("qqp",), _BITS, 390_965,
        "QQP/test.tsv", ("id", "question1", "question2"), "glue/qqp", ("question1", "question2"),
    ),
    HiddenTest(
        "MNLI-m", _MNLI, _THREE_WAYS, 9796,
        "MNLI/test_matched.tsv", _INDEXED, "glue/mnli", _PREMISE, "test_matched",
    ),
    HiddenTest(
        "MNLI-mm", _MNLI, _THREE_WAYS, 9847,
        "MNLI/test_mismatched.tsv", _INDEXED, "glue/mnli", _PREMISE, "test_mismatched",
    ),
    HiddenTest(
        "QNLI", ("qnli",), _TWO_WAYS, 5463,
        "QNLI/test.tsv", ("index", "question", "sentence"), "glue/qnli", ("question", "sentence"),
    ),
    HiddenTest("RTE", ("rte",), _TWO_WAYS, 3000, "RTE/test.tsv", _INDEXED, "glue/rte", _PAIR),
    HiddenTest("WNLI", ("wnli",), _BITS, 146, "WNLI/test.tsv", _INDEXED, "glue/wnli", _PAIR),
    HiddenTest(
        "AX", _MNLI, _THREE_WAYS, 1104,
        "diagnostic/diagnostic.tsv", _INDEXED, "glue/ax", _PREMISE,
    ),
)  # fmt: skip


def hidden_tests(task: str) -> tuple[HiddenTest, ...]:
    """The test sets that a model of a task answers; none for a task that is not GLUE's."""
    return tuple(test for test in HIDDEN_TESTS if task in test.tasks)


def is_there(test: HiddenTest, data_dir=None, tfds_dir=None) -> bool:
    """Whether `load_hidden_test` would find the test set; what may be downloaded is there."""
    if data_dir is not None:
        return pathlib.Path(data_dir, test.tsv).is_file()
    return tfds_dir is None or pathlib.Path(tfds_dir, test.tfds_name).is_dir()


def load_hidden_test(
    test: HiddenTest,
    data_dir: str | os.PathLike | None = None,
    tfds_dir: str | os.PathLike | None = None,
) -> tuple[list[int], list[str], list[str] | None]:
    """Reads a hidden test set, from GLUE's TSV folders or from tensorflow-datasets.

    Args:
        test: HiddenTest.
        data_dir: path. The folder of GLUE's TSV folders.
        tfds_dir: path, where `data_dir` is not given, as for `load_from_tfds`.

    Returns:
        The indices that the file of answers has to have, the texts, and the second texts or
        `None`.

    Raises:
        InputError: the test set is not there, a row is malformed, or an index is no number or
            comes twice.
    """
    if data_dir is None:
        with reading(test.tfds_name, tfds_dir):
            columns = read_columns(test.tfds_name, test.tfds_split, tfds_dir)
            indices = columns["idx"].tolist()
            texts = [[text.decode() for text in columns[name]] for name in test.features]
    else:
        path = pathlib.Path(data_dir, test.tsv)
        if not path.is_file():
            raise InputError(
                f"--data-dir (`data_dir`) must hold {test.tsv}. Received: {os.fspath(data_dir)}"
            )
        indices, *texts = read_tsv_columns(path, test.tsv_columns)
        wrong = [index for index in indices if not index.isdecimal()]
        if wrong:
            raise InputError(f"{path}: expected a number in 'index'. Received: {wrong[0]!r}")
        indices = [int(index) for index in indices]
    if len(set(indices)) < len(indices):
        raise InputError(f"the test set {test.name} must have each index once")
    return indices, texts[0], texts[1] if len(texts) == 2 else None
