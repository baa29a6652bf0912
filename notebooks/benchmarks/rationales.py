"""How far what AdapLeR keeps is what people marked as the reasons, beside three other measures.

    python notebooks/benchmarks/rationales.py runs/movies --data-dir MOVIES --output rationales.json

Of a run of AdapLeR on ERASER's Movie Reviews: its predictors, and attention, attention rollout and
saliency of its fine-tuned BERT. Average precision and false positive rate by encoder, means over
the documents (figure 5 of the paper).
"""

import dataclasses
import pathlib

import simple_parsing
from tabulate import tabulate

from power_bert_tf.analysis.rationales import agreement
from power_bert_tf.analysis.rationales import draw_agreement
from power_bert_tf.analysis.rationales import read_rationales
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.runs.run import open_run


@dataclasses.dataclass(frozen=True)
class Rationales:
    """Compare measures of what a word matters with human rationales."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run of AdapLeR."""
    data_dir: pathlib.Path
    """Folder of ERASER's files of the run's task."""
    split: str = "test"
    """train, dev or test."""
    documents: int | None = None
    """The first so many documents; all where left out."""
    output: pathlib.Path | None = None
    """JSON file for the figures; a picture of the same name stands beside it."""

    def execute(self):
        """Prints a table; returns what `agreement` gives."""
        if self.documents is not None and self.documents < 1:
            raise InputError(f"`documents` must be at least 1. Received: {self.documents}")
        run, rationales = open_run(self.run), read_rationales(self.data_dir, self.split)
        rationales = rationales[: self.documents]
        found = agreement(run.model(FINE_TUNE), run.model(), run.preprocessor, rationales)
        rows = [
            [name, measure.replace("_", " "), *(f"{100 * each:.1f}" for each in values)]
            for name, measures in found.items()
            for measure, values in measures.items()
        ]
        encoders = range(1, len(rows[0]) - 1)
        print(tabulate(rows, ["%, at encoder", "", *encoders], disable_numparse=True))
        if self.output is not None:
            write_json(self.output, {"documents": len(rationales), **found})
            draw_agreement(found, self.output.with_suffix(".png"))
        return found


if __name__ == "__main__":
    simple_parsing.parse(
        Rationales, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
