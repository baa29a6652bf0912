"""`power-bert evaluate`: the score of a run's model."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.commands.run_options import check_pairs
from power_bert_tf.commands.run_options import compiled_classifier
from power_bert_tf.commands.run_options import load_beside
from power_bert_tf.commands.run_options import load_dev_examples
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_questions
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.training.metrics import task_score


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure a run's PoWER-BERT on labelled examples."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    examples: pathlib.Path | None = None
    """TSV, CSV or JSONL with text, optional text_pair, and label; for race JSONL with article,
    question, options and answer. The run's own dev examples where left out."""
    step: str = "re-train"
    """re-train for PoWER-BERT, fine-tune for the BERT that it came from."""
    retention: str | None = None
    """Measure with this retention configuration instead of the step's own, without re-training:
    with `--step fine-tune`, what a configuration costs before it is re-trained."""
    batch_size: int = 128
    """Texts a batch."""

    def execute(self):
        """Prints the score; returns it as a float, at most 1.

        For MNLI prints that on the other dev set too.
        """
        run, model = open_step(self.run, self.step)
        how = self.step
        if self.retention is not None:
            retention = RetentionConfiguration.parse(self.retention)
            model = model.with_reduction(Extraction(retention))
            how += f", retention {retention}, not re-trained"
        beside = {}
        if self.examples is None:
            examples, beside = load_dev_examples(run), load_beside(run)
        elif model.head == "multiple_choice":
            _, examples = load_questions(self.examples, model.label_names, answered=True)
        else:
            examples = load_from_file(
                self.examples, model.label_names or None, model.head == "regression"
            )
            check_pairs(run, examples.text_pairs, self.examples)
        compiled = compiled_classifier(run, model, self.batch_size)
        metric = run.settings()["identity"]["task"]["metric"]
        scores = []
        for name, each in {"": examples, **beside}.items():
            outputs = compiled.predict(each.texts, each.text_pairs)
            scores.append(task_score(metric, each.labels, outputs))
            where = f"{len(each)} examples{f' of {name}' if name else ''}"
            print(f"{metric} {100 * scores[-1]:.2f} on {where} ({how})")
        return scores[0]
