"""`power-bert explain`: what each word contributes to an answer."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.errors import InputError
from power_bert_tf.files import check_new


@dataclasses.dataclass(frozen=True)
class Explain:
    """Say what each word of a text contributes at each encoder, for a run of AdapLeR.

    Contributions are in percent, 100 at each encoder. A word that leaves before an encoder is in
    brackets there, and has none after that.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    texts: list[str] = simple_parsing.field(default_factory=list, positional=True, nargs="*")
    """The text, or for a task of pairs the two."""
    picture: pathlib.Path | None = None
    """PNG file for the same as a picture."""
    overwrite: bool = False
    """Replace the picture where it is there already."""

    def execute(self):
        """Prints a table; returns the `Explanation`.

        Raises:
            InputError: where there is another number of texts, the run is of multiple choice, or
                it has no predictors.
        """
        from power_bert_tf.analysis.explain import draw_explanation
        from power_bert_tf.runs.run import open_run

        if self.picture is not None:
            check_new(self.picture, self.overwrite)
        run = open_run(self.run)
        if run.task.choices > 1:
            raise InputError(
                "`run` must be of single texts or pairs: Run.explain takes the options of a "
                f"question. Received: {self.run}, of multiple choice"
            )
        expected = 2 if run.task.is_pair else 1
        if len(self.texts) != expected:
            raise InputError(f"`texts` must be {expected} here. Received: {len(self.texts)}")
        texts, pairs = self.texts[:1], self.texts[1:] or None
        (explanation,) = run.explain(texts, pairs)
        answer = run.answers(explanation.outputs[None])[0]
        print(", ".join(f"{name}: {value}" for name, value in answer.items()))
        print(explanation.table())
        if self.picture is not None:
            draw_explanation(explanation, self.picture)
        return explanation
