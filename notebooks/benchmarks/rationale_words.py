"""What BERT learns from nothing but the words that matter most, and how fast it is then.

    python notebooks/benchmarks/rationale_words.py runs/movies --data-dir MOVIES --output runs/words

Of a run on ERASER's Movie Reviews: cuts each document to as many words as people marked in it, by
their marks, by the saliency of the run's fine-tuned BERT and by its attention, and fine-tunes BERT
anew on each (table 2 of AdapLeR's paper). What was interrupted goes on when it is called again.
"""

import dataclasses
import pathlib

import numpy as np
import simple_parsing
from tabulate import tabulate

from power_bert_tf.analysis.chosen_words import WHOLE
from power_bert_tf.analysis.chosen_words import chosen_words
from power_bert_tf.analysis.rationales import read_rationales
from power_bert_tf.files import write_json
from power_bert_tf.measure.uncertainty import standard_error
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling.flops import mean_flops
from power_bert_tf.runs.fit import job_in_memory
from power_bert_tf.runs.folder import TEST
from power_bert_tf.runs.run import open_run
from power_bert_tf.runs.scores import outputs
from power_bert_tf.training.loop import predict
from power_bert_tf.training.metrics import task_score

RESULT = "rationale_words.json"
# What is taken over from the run.
TRAINING = ("batch_size", "learning_rate", "fine_tuning_epochs", "patience", "dtype", "seed")


@dataclasses.dataclass(frozen=True)
class RationaleWords:
    """Fine-tune BERT on the words that matter most, by four ways to choose them."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a run of the task, whose fine-tuning is finished."""
    data_dir: pathlib.Path
    """Folder of ERASER's files of the run's task."""
    output: pathlib.Path
    """Folder for a run of each way, and rationale_words.json."""

    def execute(self):
        """Prints a table; returns the rows, a dict of each way to its figures."""
        run = open_run(self.run)
        bert = run.model(FINE_TUNE)
        sets = [
            chosen_words(bert, run.preprocessor, read_rationales(self.data_dir, split))
            for split in ("train", "dev", TEST)
        ]
        rows = {name: self._row(run, bert, name, sets) for name in sets[0]}
        whole = rows[WHOLE]["operations"]
        for row in rows.values():
            row["speedup"] = whole / row["operations"]
        examples = dict(zip(("train", "dev", "test"), map(_count, sets), strict=True))
        write_json(self.output / RESULT, {"examples": examples, "words": rows})
        print(
            tabulate(
                [
                    [
                        name,
                        f"{100 * row['score']:.1f}",
                        f"{100 * row['standard_error']:.1f}",
                        f"{row['word_pieces']:.0f}",
                        f"{row['speedup']:.1f}x",
                    ]
                    for name, row in rows.items()
                ],
                [
                    f"trained and tested on ({examples['test']} documents)",
                    run.task.metric,
                    "error",
                    "word-pieces",
                    "fewer operations",
                ],
                disable_numparse=True,
            )
        )
        return rows

    def _row(self, run, bert, name, sets):
        train, dev, test = (each[name] for each in sets)
        if name == WHOLE:
            answers = predict(bert, test, run.preprocessor)
        else:
            folder = self.output / name.replace(" ", "_").replace("[", "").replace("]", "")
            settings = run.folder.settings()
            options = {key: settings["training"][key] for key in TRAINING}
            # Rationales are of very different lengths.
            options |= {"group_by_length": True, "no_control": True}
            job = job_in_memory(
                train, dev, test, settings["checkpoint"], folder, DEFAULT, run.task, options
            )
            answers = outputs(job.run(last=FINE_TUNE), FINE_TUNE, TEST)
        sizes = run.preprocessor.ragged(test.texts)[0].row_lengths().numpy()
        return {
            "score": task_score(run.task.metric, test.labels, answers),
            "standard_error": standard_error(run.task.metric, test.labels, answers),
            "word_pieces": float(np.mean(sizes)),
            "operations": mean_flops(bert.config, NoReduction(), sizes),
        }


def _count(by_way):
    return len(by_way[WHOLE])


if __name__ == "__main__":
    simple_parsing.parse(
        RationaleWords, add_option_string_dash_variants=simple_parsing.DashVariant.DASH
    ).execute()
