"""A run in Python: its report, and all that its model is good for."""

import functools

from power_bert_tf.analysis.explain import explain
from power_bert_tf.analysis.trace import trace
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import Task
from power_bert_tf.data import as_examples
from power_bert_tf.deploy.answers import named_answers
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.measure.by_class import class_figures
from power_bert_tf.measure.by_class import number_figures
from power_bert_tf.methods import get_method
from power_bert_tf.runs import answering
from power_bert_tf.runs import choose
from power_bert_tf.runs import export
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import read_json
from power_bert_tf.runs.int8 import MOST_DROP
from power_bert_tf.runs.int8 import int8_model
from power_bert_tf.runs.page import write_page
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.report_text import markdown
from power_bert_tf.runs.report_text import summary
from power_bert_tf.training.metrics import task_score

REPORT, TEXT, PAGE = "report.json", "report.md", "report.html"


def open_run(path):
    """Opens the folder of a run, from wherever; of a tuning, the run that it handed back.

    Args:
        path: path of the folder.

    Returns:
        `Run`.

    Raises:
        InputError: where it is none.
    """
    return Run(RunFolder.open(path))


class Run:
    """A run, finished or not.

    Args:
        folder: `RunFolder`.

    Attributes:
        path: path of the folder.
        method: `Method` that made it.
        options: the method's options that it was made with.
        task: `Task`.

    Example:

    ```python
    run = pb.open_run("runs/reviews")
    run.report["score"]
    run.predict(["Not a bad film at all."])
    ```
    """

    def __init__(self, folder):
        self.folder = folder
        self.path = folder.path
        identity = folder.settings()["identity"]
        self.method = get_method(identity["method"])
        self.options = self.method.Options(**identity["options"])
        self.task = _task(identity["task"])

    def __repr__(self):
        return f"Run({str(self.path)!r})"

    @property
    def preprocessor(self) -> Preprocessor:
        """The tokenizer and packer of the run."""
        return self.folder.preprocessor()

    def model(self, step=None):
        """The `BertClassifier` of a step; of the last one where None.

        Raises:
            InputError: where there is no such step, or it is not finished.
        """
        return self.folder.finished_step(step).load_model()

    @functools.cached_property
    def report(self):
        """What the run gained and lost, a dict; made when it is asked for first.

        It is in report.json; report.md and report.html say the same for people.
        """
        path = self.path / REPORT
        if not path.exists():
            print("\n[report] counting operations and measuring time", flush=True)
            report = build_report(self.folder)
            write_text(self.path / TEXT, markdown(report))
            write_page(self, report, self.path / PAGE)
            write_json(path, report)
        return read_json(path)

    def summary(self):
        """The report as a dozen lines of text."""
        return summary(self.report)

    def compiled(
        self, step=None, batch_size=128, configuration=None, dtype=None, max_int8_drop=MOST_DROP
    ):
        """A step's model as `CompiledClassifier`, in the mode that `choose` found.

        Args:
            step: str; the last step where None.
            batch_size: int.
            configuration: str, another configuration of the run's method than the model's own,
                for which it has not been trained.
            dtype: str, what to compute in, instead of what `choose` found: "float32", "bfloat16",
                "float16", or "int8", on OpenVINO. The int8 model is kept in the run folder.
            max_int8_drop: float, points of the metric that int8 may lose on the dev examples.

        Raises:
            InputError: where an argument cannot be used, or int8 loses more.
        """
        if configuration is not None and dtype == "int8":
            raise InputError(
                "`configuration` goes without int8, which is made of what was trained. "
                f"Received: configuration={configuration!r}, dtype='int8'"
            )
        model = self.model(step)
        if configuration is not None:
            model = self.method.with_configuration(model, configuration)
        options = choose.chosen(self.folder) if dtype is None else {"dtype": dtype}
        if options.get("dtype") == "int8":
            if configuration is not None:
                options = {}
            else:
                kept = int8_model(self.folder, step).check(max_int8_drop)
                options = {**options, "calibration": kept.path}
        return CompiledClassifier(model, self.preprocessor, batch_size=batch_size, **options)

    def evaluate(
        self,
        examples=None,
        step=None,
        batch_size=128,
        configuration=None,
        dtype=None,
        max_int8_drop=MOST_DROP,
    ):
        """The score of a step's model, at most 1.

        Args:
            examples: `Examples`, or what `as_examples` takes; the run's own dev examples where
                None.
            step, batch_size, configuration, dtype, max_int8_drop: see `compiled`.

        Raises:
            InputError: where the examples do not fit the task.
        """
        return self.figures(examples, step, batch_size, configuration, dtype, max_int8_drop)[
            "score"
        ]

    def figures(
        self,
        examples=None,
        step=None,
        batch_size=128,
        configuration=None,
        dtype=None,
        max_int8_drop=MOST_DROP,
    ):
        """The score of a step's model, and how it does on each class, or on numbers.

        Args: those of `evaluate`.

        Returns:
            dict: `score`, and what `class_figures` gives, or `number_figures` for regression; of
            multiple choice the score alone.

        Raises:
            InputError: where the examples do not fit the task.
        """
        if examples is None:
            examples = self.folder.dev()
        else:
            examples = as_examples(examples, self.task.labels)
            self.check_pairs(examples.text_pairs, "`examples`")
        compiled = self.compiled(step, batch_size, configuration, dtype, max_int8_drop)
        outputs = compiled.predict(examples.texts, examples.text_pairs)
        further = {}
        if self.task.head != "multiple_choice":
            measure = number_figures if self.task.is_regression else class_figures
            further = measure(examples.labels, outputs)
        return {"score": task_score(self.task.metric, examples.labels, outputs), **further}

    def predict(
        self,
        texts,
        text_pairs=None,
        step=None,
        batch_size=128,
        dtype=None,
        max_int8_drop=MOST_DROP,
    ):
        """Answers for texts, one dict each.

        Args:
            texts: sequence of str.
            text_pairs: sequence of str, for a task of pairs.
            step, batch_size, dtype, max_int8_drop: see `compiled`.

        Returns:
            list of dict: `label` and `probabilities` for classes, `score` for regression. For
            multiple choice each option is a pair, and one question's options stand side by side:
            a dict a question.

        Raises:
            InputError: where there is no second text and the task needs one, or the reverse.
        """
        self.check_pairs(text_pairs, "`texts`")
        compiled = self.compiled(step, batch_size, dtype=dtype, max_int8_drop=max_int8_drop)
        outputs = compiled.predict(texts, text_pairs)
        return self.answers(outputs)

    def predict_file(self, path, output, *, overwrite=False, **options):
        """Answers a file of any size into another; goes on where an earlier call was interrupted.

        See `runs.answering.answer_file`.

        Args:
            path: TXT, TSV, CSV or JSONL, perhaps packed (.gz).
            output: path ending in .csv, .tsv or .jsonl.
            overwrite: bool. Replace the output where it is there already.
            **options: those of `compiled`.

        Returns:
            int, how many rows are answered.

        Raises:
            InputError: where a file cannot be read or written, or a row is malformed.
        """
        return answering.answer_file(self, path, output, overwrite=overwrite, **options)

    def trace(self, texts, text_pairs=None):
        """The way of texts through the encoders, a list of `Trace`."""
        return trace(self.model(), self.preprocessor, texts, text_pairs)

    def explain(self, texts, text_pairs=None):
        """What each word contributes at each encoder, a list of `Explanation`.

        Raises:
            InputError: where the run's model has no predictors of contributions.
        """
        return explain(self.model(), self.preprocessor, texts, text_pairs)

    def answers(self, outputs):
        """Outputs of the run's model as `predict` names them, a list of dict."""
        return named_answers(outputs, self.task.head, self.task.labels)

    def export(
        self,
        folder,
        format="saved_model",
        step=None,
        dtype="float32",
        max_int8_drop=MOST_DROP,
    ):
        """Writes a model for use elsewhere; see `runs.export`. Returns a note on how to use it.

        Args:
            folder: where it is to appear; new or empty.
            format: str, one of `FORMATS`.
            step: str; the last step where None.
            dtype: "float32", or "int8" for the format openvino.
            max_int8_drop: float, points of the metric that int8 may lose on the dev examples.
        """
        return export.export(self, folder, format, step, dtype, max_int8_drop)

    def choose(self, batch_size=128, runs=30, most_drop=0.1, max_int8_drop=MOST_DROP):
        """Finds what is fastest here, and has `predict` and `evaluate` use it.

        See `runs.choose`.
        """
        return choose.choose(self.folder, batch_size, runs, most_drop, max_int8_drop)

    def check_pairs(self, text_pairs, source):
        """Raises InputError where there is no second text and the task needs one, or the reverse.

        Args:
            text_pairs: the second texts, or None.
            source: str, where they come from.
        """
        if (text_pairs is not None) != self.task.is_pair:
            raise InputError(
                f"{source} must{'' if self.task.is_pair else ' not'} have `text_pair`: the run's "
                f"task is about {'pairs of texts' if self.task.is_pair else 'single texts'}"
            )


def finish(folder):
    """The `Run` of a `RunFolder` whose steps are done, with its report made."""
    run = Run(folder)
    run.report  # noqa: B018  Made when it is asked for first.
    return run


def _task(given):
    lists = ("labels", "features", "tsv_columns")
    return Task(**{name: tuple(each) if name in lists else each for name, each in given.items()})
