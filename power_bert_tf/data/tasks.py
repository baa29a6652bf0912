"""The tasks of the papers: their texts, labels, metric and how BERT is trained on them."""

import dataclasses

from power_bert_tf.data.examples import Examples
from power_bert_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Task:
    """A classification, regression or multiple-choice task, with its paper's values for BERT.

    Args:
        name: str.
        metric: str. "accuracy", "matthews", "f1" (of class 1) or "spearman".
        labels: tuple of str. The class names in the order of their ids; empty for regression, and
            the names of a question's options for multiple choice.
        sequence_length: int. The paper's N.
        batch_size: int. Examples a batch; questions for multiple choice.
        learning_rate: float. BERT's own.
        epochs: int. Passes over the training set in each step.
        features: tuple of str. The names of the text, or of the two texts, in the source.
        joined: bool. The two are one text, such as a title and what follows it.
        tfds_name: str. The dataset of tensorflow-datasets.
        tfds_dev: str. Its development split; empty where one has to be held out of the training
            set.
        tsv_folder: str. The folder among GLUE's; empty where GLUE has none.
        tsv_columns: tuple. The text columns, then the label's: by their names in the header, or
            by number in files without a header.
        tsv_dev: str. The file of the development set.
        tsv_flawed: bool. GLUE's own file has rows that lack columns, which are left out, and empty
            texts, which stay, as tensorflow-datasets does it.
        files: str. The format of the files that it is published in, where GLUE has none: one of
            those of `load_published`.
        choices: int. Texts, or pairs, an example: above 1 they are the options of a question, each
            scored by itself.
        truncation: str. What gives way where a pair is too long, as `Preprocessor` takes it.
        further_dev: str. The task of which a report measures the development set too, trained on
            the same examples.

    Reference:
        [PoWER-BERT, Goyal et al., 2020](https://arxiv.org/abs/2001.08950), Table 1 and supplement,
        Table 1; [AdapLeR, Modarressi et al., 2022](https://arxiv.org/abs/2203.08991), Table 3, for
        the tasks that are in it alone
    """

    name: str
    metric: str
    labels: tuple[str, ...]
    sequence_length: int
    batch_size: int
    learning_rate: float
    epochs: int = 3
    features: tuple[str, ...] = ("text",)
    joined: bool = False
    tfds_name: str = ""
    tfds_dev: str = ""
    tsv_folder: str = ""
    tsv_columns: tuple[str | int, ...] = ()
    tsv_dev: str = "dev.tsv"
    tsv_flawed: bool = False
    files: str = ""
    choices: int = 1
    truncation: str = "longest_first"
    further_dev: str = ""

    @property
    def is_regression(self) -> bool:
        return not self.labels

    @property
    def head(self) -> str:
        """The head of `BertClassifier`."""
        if self.choices > 1:
            return "multiple_choice"
        return "regression" if self.is_regression else "classification"

    @property
    def num_classes(self) -> int:
        """The number of outputs: one per class, one for regression and for an option's score."""
        return len(self.labels) if self.head == "classification" else 1

    @property
    def has_test(self) -> bool:
        """Whether its test labels are public; GLUE's are not."""
        return bool(self.tfds_name or self.files) and not self.tsv_folder

    @property
    def is_pair(self) -> bool:
        return len(self.features) == 2 and not self.joined


# Its two tasks are trained alike.
_MNLI = Task(
    name="mnli-m",
    metric="accuracy",
    labels=("entailment", "neutral", "contradiction"),
    sequence_length=128,
    batch_size=64,
    learning_rate=3e-5,
    features=("premise", "hypothesis"),
    tfds_name="glue/mnli",
    tfds_dev="validation_matched",
    tsv_folder="MNLI",
    tsv_columns=("sentence1", "sentence2", "gold_label"),
    tsv_dev="dev_matched.tsv",
    further_dev="mnli-mm",
)

# The whole of it, as in the paper: middle and high school.
_RACE = Task(
    name="race",
    metric="accuracy",
    labels=("A", "B", "C", "D"),
    sequence_length=512,
    batch_size=4,
    learning_rate=1e-5,
    features=("article", "question"),
    tfds_name="race",
    tfds_dev="dev",
    choices=4,
    truncation="only_first",
)

# AdapLeR's own. Those of ERASER are in its analysis, without hyper-parameters.
_ADAPLER = (
    Task(
        name="agnews",
        metric="accuracy",
        labels=("World", "Sports", "Business", "Sci/Tech"),
        sequence_length=128,
        batch_size=32,
        learning_rate=2e-5,
        epochs=5,
        features=("title", "description"),
        joined=True,
        tfds_name="ag_news_subset",
        files="topics",
    ),
    Task(
        name="dbpedia",
        metric="accuracy",
        labels=(
            *("Company", "EducationalInstitution", "Artist", "Athlete", "OfficeHolder"),
            *("MeanOfTransportation", "Building", "NaturalPlace", "Village", "Animal", "Plant"),
            *("Album", "Film", "WrittenWork"),
        ),
        sequence_length=128,
        batch_size=32,
        learning_rate=2e-5,
        features=("title", "content"),
        joined=True,
        files="topics",
    ),
    Task(
        name="hatexplain",
        metric="accuracy",
        labels=("hatespeech", "normal", "offensive"),
        sequence_length=72,
        batch_size=32,
        learning_rate=3e-5,
        epochs=5,
        files="hatexplain",
    ),
    Task(
        name="movies",
        metric="accuracy",
        labels=("NEG", "POS"),
        sequence_length=512,
        batch_size=16,
        learning_rate=2e-5,
        epochs=5,
        files="eraser",
    ),
    Task(
        name="multirc",
        metric="accuracy",
        labels=("False", "True"),
        sequence_length=512,
        batch_size=16,
        learning_rate=2e-5,
        features=("document", "query"),
        files="eraser",
        truncation="only_first",
    ),
)

_TASKS = (
    Task(
        name="cola",
        metric="matthews",
        labels=("unacceptable", "acceptable"),
        sequence_length=64,
        batch_size=32,
        learning_rate=2e-5,
        features=("sentence",),
        tfds_name="glue/cola",
        tfds_dev="validation",
        tsv_folder="CoLA",
        tsv_columns=(3, 1),
    ),
    Task(
        name="rte",
        metric="accuracy",
        labels=("entailment", "not_entailment"),
        sequence_length=256,
        batch_size=16,
        learning_rate=3e-5,
        features=("sentence1", "sentence2"),
        tfds_name="glue/rte",
        tfds_dev="validation",
        tsv_folder="RTE",
        tsv_columns=("sentence1", "sentence2", "label"),
    ),
    Task(
        name="qqp",
        metric="f1",
        labels=("not_duplicate", "duplicate"),
        sequence_length=128,
        batch_size=64,
        learning_rate=3e-5,
        features=("question1", "question2"),
        tfds_name="glue/qqp",
        tfds_dev="validation",
        tsv_folder="QQP",
        tsv_columns=("question1", "question2", "is_duplicate"),
        tsv_flawed=True,
    ),
    Task(
        name="mrpc",
        metric="f1",
        labels=("not_equivalent", "equivalent"),
        sequence_length=128,
        batch_size=64,
        learning_rate=6e-5,
        features=("sentence1", "sentence2"),
        tfds_name="glue/mrpc",
        tfds_dev="validation",
        tsv_folder="MRPC",
        tsv_columns=("#1 String", "#2 String", "Quality"),
    ),
    Task(
        name="sst2",
        metric="accuracy",
        labels=("negative", "positive"),
        sequence_length=64,
        batch_size=64,
        learning_rate=3e-5,
        features=("sentence",),
        tfds_name="glue/sst2",
        tfds_dev="validation",
        tsv_folder="SST-2",
        tsv_columns=("sentence", "label"),
    ),
    _MNLI,
    dataclasses.replace(
        _MNLI,
        name="mnli-mm",
        tfds_dev="validation_mismatched",
        tsv_dev="dev_mismatched.tsv",
        further_dev="mnli-m",
    ),
    Task(
        name="qnli",
        metric="accuracy",
        labels=("entailment", "not_entailment"),
        sequence_length=128,
        batch_size=16,
        learning_rate=3e-5,
        features=("question", "sentence"),
        tfds_name="glue/qnli",
        tfds_dev="validation",
        tsv_folder="QNLI",
        tsv_columns=("question", "sentence", "label"),
    ),
    Task(
        name="stsb",
        metric="spearman",
        labels=(),
        sequence_length=64,
        batch_size=64,
        learning_rate=3e-5,
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
        tfds_name="imdb_reviews/plain_text",
    ),
    _RACE,
    dataclasses.replace(_RACE, name="race-middle", tfds_name="race/middle"),
    dataclasses.replace(_RACE, name="race-high", tfds_name="race/high"),
    *_ADAPLER,
    # The paper leaves it out, as BERT's does. The values are RTE's, its nearest kin; N is by the
    # paper's rule.
    Task(
        name="wnli",
        metric="accuracy",
        labels=("not_entailment", "entailment"),
        sequence_length=128,
        batch_size=16,
        learning_rate=3e-5,
        features=("sentence1", "sentence2"),
        tfds_name="glue/wnli",
        tfds_dev="validation",
        tsv_folder="WNLI",
        tsv_columns=("sentence1", "sentence2", "label"),
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _TASKS}


def get_task(name: str) -> Task:
    """The task of that name, in this package's spelling or the paper's ("SST-2").

    "mnli" is "mnli-m".

    Raises:
        InputError: there is none.
    """
    spelt = {_plain(task.name): task for task in _TASKS}
    spelt["mnli"] = TASKS["mnli-m"]
    if _plain(name) not in spelt:
        raise InputError(f"`task` must be one of {', '.join(sorted(TASKS))}. Received: {name!r}")
    return spelt[_plain(name)]


def _plain(name):
    return name.lower().replace("-", "").replace(" ", "")


def user_task(name: str, train: Examples, sequence_length: int) -> Task:
    """A task for data of one's own; `dataclasses.replace` changes what does not suit.

    The numbers are the middle of the ranges that the paper searched, and N is up to the texts
    (see `propose_sequence_length`). The metric is accuracy, or Spearman's correlation for
    regression.
    """
    return Task(
        name=name,
        metric="accuracy" if train.label_names else "spearman",
        labels=train.label_names,
        sequence_length=sequence_length,
        batch_size=32,
        learning_rate=3e-5,
        features=("text",) if train.text_pairs is None else ("text", "text_pair"),
    )


def check_split(split: str, splits: tuple[str, ...]):
    """Raises InputError unless `split` is one of those that there are."""
    if split not in splits:
        raise InputError(f"`split` must be one of {', '.join(splits)}. Received: {split!r}")
