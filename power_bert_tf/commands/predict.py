"""`power-bert predict`: answers for new texts."""

import dataclasses
import json
import pathlib

import numpy as np
import simple_parsing

from power_bert_tf.commands.run_options import check_pairs
from power_bert_tf.commands.run_options import compiled_classifier
from power_bert_tf.commands.run_options import is_pair
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.data import load_questions
from power_bert_tf.data import load_texts
from power_bert_tf.data.race import option_pairs
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_text
from power_bert_tf.runs.glue import write_submission


@dataclasses.dataclass(frozen=True)
class Predict:
    """Answer texts with a run's PoWER-BERT, one JSON object a line.

    Texts are given on the command line (for a task of pairs two at a time; for race an article,
    its question and the options) or in a file. With --glue the texts are GLUE's hidden tests, and
    the answers files that its evaluation server takes.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    texts: list[str] = simple_parsing.field(default_factory=list, positional=True, nargs="*")
    """The texts."""
    input: pathlib.Path | None = None
    """TXT (a text a line), or TSV, CSV or JSONL with text and optional text_pair; for race JSONL
    with article, question and options."""
    output: pathlib.Path | None = None
    """File for the answers, the terminal where left out; with --glue the folder for its files."""
    glue: bool = False
    """Answer the hidden tests of the run's GLUE task (of MNLI: both, and AX)."""
    data_dir: pathlib.Path | None = None
    """With --glue: folder of GLUE's own TSV folders; where the run had its examples from where
    this and --tfds-dir are left out."""
    tfds_dir: pathlib.Path | None = None
    """With --glue: where tensorflow-datasets has prepared the task."""
    step: str = "re-train"
    """re-train for PoWER-BERT, fine-tune for the BERT that it came from."""
    batch_size: int = 128
    """Texts a batch."""

    def execute(self):
        """Prints or writes the answers; returns them as a list of dicts, or the paths of --glue."""
        self._check()
        run, model = open_step(self.run, self.step)
        if self.glue:
            return write_submission(
                run, model, self.output, self.batch_size, self.data_dir, self.tfds_dir
            )
        is_choice = model.head == "multiple_choice"
        asked, texts, text_pairs = self._questions(model) if is_choice else self._load(run)
        outputs = compiled_classifier(run, model, self.batch_size).predict(texts, text_pairs)
        if is_choice:
            outputs = outputs.reshape(len(asked), -1)
        answer = _choice if is_choice else _answer
        answers = [answer(model, *each) for each in zip(asked, outputs, strict=True)]
        lines = "".join(f"{json.dumps(answer, ensure_ascii=False)}\n" for answer in answers)
        if self.output is None:
            print(lines, end="")
        else:
            write_text(self.output, lines)
        return answers

    def _check(self):
        sources = [bool(self.texts), self.input is not None, self.glue]
        if sum(sources) != 1:
            raise InputError("give either `texts` or `input`, or `glue`")
        if self.glue and self.output is None:
            raise InputError("`output` must be given with `glue`: the folder for its files")
        if not self.glue and (self.data_dir is not None or self.tfds_dir is not None):
            raise InputError("`data_dir` and `tfds_dir` go with `glue`")

    def _load(self, run):
        """What was asked, as dicts, and the texts and text pairs."""
        if self.input is not None:
            texts, text_pairs = load_texts(self.input)
            check_pairs(run, text_pairs, self.input)
        elif is_pair(run):
            if len(self.texts) % 2:
                raise InputError(
                    "`texts` must come in twos, since the run's task is about pairs of texts. "
                    f"Received: {len(self.texts)}"
                )
            texts, text_pairs = self.texts[::2], self.texts[1::2]
        else:
            texts, text_pairs = self.texts, None
        if text_pairs is None:
            return [{"text": text} for text in texts], texts, None
        pairs = zip(texts, text_pairs, strict=True)
        return [{"text": one, "text_pair": other} for one, other in pairs], texts, text_pairs

    def _questions(self, model):
        """The same for multiple choice; texts and text pairs are those of the options."""
        if self.input is not None:
            asked, examples = load_questions(self.input, model.label_names)
            return asked, examples.texts, examples.text_pairs
        if len(self.texts) != 2 + len(model.label_names):
            raise InputError(
                f"`texts` must be an article, a question and {len(model.label_names)} options. "
                f"Received: {len(self.texts)}"
            )
        article, question, *options = self.texts
        asked = [{"article": article, "question": question, "options": options}]
        return asked, *zip(*option_pairs(article, question, options), strict=True)


def _answer(model, asked, output):
    if model.head == "regression":
        return {**asked, "score": float(output[0])}
    names = model.label_names or [str(index) for index in range(model.num_classes)]
    return {**asked, "label": names[int(output.argmax())], **_probabilities(names, output)}


def _choice(model, asked, scores):
    """Without the article, which is long and the same for all of its questions."""
    shares, best = np.exp(scores - scores.max()), int(scores.argmax())
    return {
        "question": asked["question"],
        "options": asked["options"],
        "label": model.label_names[best],
        "answer": asked["options"][best],
        **_probabilities(model.label_names, shares / shares.sum()),
    }


def _probabilities(names, values):
    rounded = (round(float(value), 6) for value in values)
    return {"probabilities": dict(zip(names, rounded, strict=True))}
