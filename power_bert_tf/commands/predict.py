"""`power-bert predict`: answers for new texts."""

import dataclasses
import json
import pathlib

import simple_parsing

from power_bert_tf.commands.run_options import check_pairs
from power_bert_tf.commands.run_options import compiled_classifier
from power_bert_tf.commands.run_options import is_pair
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.data import load_texts
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_text


@dataclasses.dataclass(frozen=True)
class Predict:
    """Answer texts with a run's PoWER-BERT, one JSON object a line.

    Texts are given on the command line (for a task of pairs: two at a time) or in a file.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    texts: list[str] = simple_parsing.field(default_factory=list, positional=True, nargs="*")
    """The texts."""
    input: pathlib.Path | None = None
    """TXT (a text a line), or TSV, CSV or JSONL with text and optional text_pair."""
    output: pathlib.Path | None = None
    """File for the answers; the terminal where left out."""
    step: str = "re-train"
    """re-train for PoWER-BERT, fine-tune for the BERT that it came from."""
    batch_size: int = 128
    """Texts a batch."""

    def execute(self):
        """Prints or writes the answers; returns them as a list of dicts."""
        if bool(self.texts) == (self.input is not None):
            raise InputError("give either `texts` or `input`")
        run, model = open_step(self.run, self.step)
        texts, text_pairs = self._load(run)
        outputs = compiled_classifier(run, model, self.batch_size).predict(texts, text_pairs)
        answers = [
            {"text": text, **({} if text_pairs is None else {"text_pair": text_pairs[row]})}
            | _answer(model, outputs[row])
            for row, text in enumerate(texts)
        ]
        lines = "".join(f"{json.dumps(answer, ensure_ascii=False)}\n" for answer in answers)
        if self.output is None:
            print(lines, end="")
        else:
            write_text(self.output, lines)
        return answers

    def _load(self, run):
        if self.input is not None:
            texts, text_pairs = load_texts(self.input)
            check_pairs(run, text_pairs, self.input)
            return texts, text_pairs
        if not is_pair(run):
            return self.texts, None
        if len(self.texts) % 2:
            raise InputError(
                "`texts` must come in twos, since the run's task is about pairs of texts. "
                f"Received: {len(self.texts)}"
            )
        return self.texts[::2], self.texts[1::2]


def _answer(model, output):
    if model.head == "regression":
        return {"score": float(output[0])}
    names = model.label_names or [str(index) for index in range(model.num_classes)]
    probabilities = dict(zip(names, (round(float(value), 6) for value in output), strict=True))
    return {"label": names[int(output.argmax())], "probabilities": probabilities}
