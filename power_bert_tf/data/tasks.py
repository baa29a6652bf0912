"""The tasks of the paper: their texts, labels, metric and hyper-parameters."""

import dataclasses

from power_bert_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Task:
    """A text classification or regression task, with the paper's hyper-parameters.

    Args:
        name: str.
        metric: str. "accuracy", "matthews", "f1" (of class 1) or "spearman".
        labels: tuple of str. The class names in the order of their ids; empty for regression.
        sequence_length: int. The paper's N.
        batch_size: int.
        learning_rate: float. BERT's own.
        retention_learning_rate: float. That of the soft-extract layers in the search.
        strength: float. The paper's lambda, the weight of the mass penalty.
        epochs: int. Passes over the training set in each of the three steps.
        features: tuple of str. The names of the text, or of the two texts, in the source.
        tfds_name: str. The dataset of tensorflow-datasets.
        tfds_dev: str. Its development split; empty where one has to be held out of the training
            set.
        tsv_folder: str. The folder among GLUE's; empty where GLUE has none.
        tsv_columns: tuple. The text columns, then the label's: by their names in the header, or
            by number in files without a header.
        tsv_dev: str. The file of the development set.

    Reference:
        [PoWER-BERT, Goyal et al., 2020](https://arxiv.org/abs/2001.08950), Table 1 and supplement,
        Table 1
    """

    name: str
    metric: str
    labels: tuple[str, ...]
    sequence_length: int
    batch_size: int
    learning_rate: float
    retention_learning_rate: float
    strength: float
    epochs: int = 3
    features: tuple[str, ...] = ("text",)
    tfds_name: str = ""
    tfds_dev: str = ""
    tsv_folder: str = ""
    tsv_columns: tuple[str | int, ...] = ()
    tsv_dev: str = "dev.tsv"

    @property
    def is_regression(self) -> bool:
        return not self.labels

    @property
    def num_classes(self) -> int:
        """The number of outputs: one per class, and one for regression."""
        return len(self.labels) or 1

    @property
    def is_pair(self) -> bool:
        return len(self.features) == 2


_TASKS = (
    Task(
        name="cola",
        metric="matthews",
        labels=("unacceptable", "acceptable"),
        sequence_length=64,
        batch_size=32,
        learning_rate=2e-5,
        retention_learning_rate=1.5e-3,
        strength=7e-3,
        features=("sentence",),
        tfds_name="glue/cola",
        tfds_dev="validation",
        tsv_folder="CoLA",
        tsv_columns=(3, 1),
    ),
    Task(
        name="mrpc",
        metric="f1",
        labels=("not_equivalent", "equivalent"),
        sequence_length=128,
        batch_size=64,
        learning_rate=6e-5,
        retention_learning_rate=3e-3,
        strength=3e-3,
        features=("sentence1", "sentence2"),
        tfds_name="glue/mrpc",
        tfds_dev="validation",
        tsv_folder="MRPC",
        tsv_columns=("#1 String", "#2 String", "Quality"),
    ),
    Task(
        name="rte",
        metric="accuracy",
        labels=("entailment", "not_entailment"),
        sequence_length=256,
        batch_size=16,
        learning_rate=3e-5,
        retention_learning_rate=3e-3,
        strength=1e-3,
        features=("sentence1", "sentence2"),
        tfds_name="glue/rte",
        tfds_dev="validation",
        tsv_folder="RTE",
        tsv_columns=("sentence1", "sentence2", "label"),
    ),
    Task(
        name="sst2",
        metric="accuracy",
        labels=("negative", "positive"),
        sequence_length=64,
        batch_size=64,
        learning_rate=3e-5,
        retention_learning_rate=5e-4,
        strength=2e-4,
        features=("sentence",),
        tfds_name="glue/sst2",
        tfds_dev="validation",
        tsv_folder="SST-2",
        tsv_columns=("sentence", "label"),
    ),
    Task(
        name="stsb",
        metric="spearman",
        labels=(),
        sequence_length=64,
        batch_size=64,
        learning_rate=3e-5,
        retention_learning_rate=3e-3,
        strength=1e-3,
        features=("sentence1", "sentence2"),
        tfds_name="glue/stsb",
        tfds_dev="validation",
        tsv_folder="STS-B",
        tsv_columns=("sentence1", "sentence2", "score"),
    ),
    Task(
        name="imdb",
        metric="accuracy",
        labels=("neg", "pos"),
        sequence_length=512,
        batch_size=8,
        learning_rate=3e-5,
        retention_learning_rate=2e-4,
        strength=7e-4,
        tfds_name="imdb_reviews/plain_text",
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _TASKS}


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: there is none.
    """
    if name not in TASKS:
        raise InputError(f"`task` should be one of {', '.join(sorted(TASKS))}. Received: {name!r}")
    return TASKS[name]
