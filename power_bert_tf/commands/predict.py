"""`power-bert predict`: answers for new texts."""

import dataclasses
import itertools
import pathlib

import simple_parsing

from power_bert_tf.errors import InputError
from power_bert_tf.files import check_new
from power_bert_tf.files import write_text


@dataclasses.dataclass(frozen=True)
class Predict:
    """Answer texts with a run's model, one JSON object a line.

    Texts are given on the command line (for a task of pairs two at a time; for race an article,
    its question and the options) or in a file of any size. What was interrupted goes on when the
    same command is given again. With --glue the texts are GLUE's hidden tests, and the answers
    files that its evaluation server takes.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    texts: list[str] = simple_parsing.field(default_factory=list, positional=True, nargs="*")
    """The texts."""
    input: pathlib.Path | None = None
    """TXT (a text a line), or TSV, CSV or JSONL with text and optional text_pair, whose other
    columns are kept; for race JSONL with article, question and options; each of them perhaps
    packed (.gz); or - for a text a line from the standard input."""
    output: pathlib.Path | None = None
    """File for the answers: .csv or .tsv, or else JSON lines; the terminal where left out; with
    --glue the folder for its files."""
    overwrite: bool = False
    """Replace the output where it is there already."""
    glue: bool = False
    """Answer the hidden tests of the run's GLUE task (of MNLI: both, and AX)."""
    data_dir: pathlib.Path | None = None
    """With --glue: folder of GLUE's own TSV folders; where the run had its examples from where
    this and --tfds-dir are left out."""
    tfds_dir: pathlib.Path | None = None
    """With --glue: where tensorflow-datasets has prepared the task."""
    step: str | None = None
    """A step of the run, such as fine-tune for the BERT that it came from; the last where left
    out."""
    batch_size: int = 128
    """Texts a batch."""
    dtype: str | None = None
    """float32, bfloat16, float16, or int8 on OpenVINO, whose model is made once and kept in the
    run; what `power-bert choose` found where left out."""
    max_int8_drop: float = 0.5
    """Points of the metric that int8 may lose on the dev examples."""

    def execute(self):
        """Prints or writes the answers.

        Returns:
            The answers to `texts`, a list of dict; how many there are of `input`; or the paths of
            `glue`.
        """
        self._check()

        from power_bert_tf.runs.answering import answers
        from power_bert_tf.runs.answering import json_lines
        from power_bert_tf.runs.glue import write_submission
        from power_bert_tf.runs.own_examples import asked_in_file
        from power_bert_tf.runs.own_examples import asked_on_command_line
        from power_bert_tf.runs.run import open_run

        run = open_run(self.run)
        options = {
            "step": self.step,
            "batch_size": self.batch_size,
            "dtype": self.dtype,
            "max_int8_drop": self.max_int8_drop,
        }
        if self.glue:
            return write_submission(run, self.output, self.data_dir, self.tfds_dir, **options)
        if self.input is None:
            parts = answers(run, asked_on_command_line(run, self.texts), **options)
            found = list(itertools.chain.from_iterable(parts))
            if self.output is None:
                print(json_lines(found), end="")
            else:
                write_text(self.output, json_lines(found))
            return found
        if self.output is not None:
            return run.predict_file(self.input, self.output, overwrite=self.overwrite, **options)
        count = 0
        for some in answers(run, asked_in_file(run, self.input), **options):
            print(json_lines(some), end="", flush=True)
            count += len(some)
        return count

    def _check(self):
        sources = [bool(self.texts), self.input is not None, self.glue]
        if sum(sources) != 1:
            raise InputError("give either `texts` or `input`, or `glue`")
        if self.glue and self.output is None:
            raise InputError("`output` must be given with `glue`: the folder for its files")
        if self.input is not None and self.output is not None and _same(self.input, self.output):
            raise InputError(f"`output` must be another file than `input`. Received: {self.output}")
        if self.output is not None:
            check_new(self.output, self.overwrite)
        if not self.glue and (self.data_dir is not None or self.tfds_dir is not None):
            raise InputError("`data_dir` and `tfds_dir` go with `glue`")


def _same(one, other):
    return one.resolve() == other.resolve()
