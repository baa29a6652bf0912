"""`power-bert evaluate`: the score of a run's model."""

import dataclasses
import pathlib

import simple_parsing


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure a run's model on labelled examples."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    examples: pathlib.Path | None = None
    """TSV, CSV or JSONL with text, optional text_pair, and label; for race JSONL with article,
    question, options and answer. The run's own dev and test examples where left out."""
    step: str | None = None
    """A step of the run, such as fine-tune for the BERT that it came from; the last where left
    out."""
    configuration: str | None = simple_parsing.field(default=None, alias=["--retention"])
    """Measure with this configuration instead of the step's own, without training: with `--step
    fine-tune`, what a retention configuration costs before the model learns to live with it."""
    batch_size: int = 128
    """Texts a batch."""
    dtype: str | None = None
    """float32, bfloat16, float16, or int8 on OpenVINO, whose model is made once and kept in the
    run; what `power-bert choose` found where left out."""
    max_int8_drop: float = 0.5
    """Points of the metric that int8 may lose on the dev examples."""

    def execute(self):
        """Prints the score on each set, and how each class does.

        Returns:
            The first score, a float of at most 1.
        """
        from power_bert_tf.runs.class_text import calibration_line
        from power_bert_tf.runs.class_text import class_table
        from power_bert_tf.runs.class_text import number_line
        from power_bert_tf.runs.own_examples import load_labelled
        from power_bert_tf.runs.run import open_run

        run = open_run(self.run)
        if self.examples is None:
            sets = {name: run.folder.examples(name) for name in run.folder.sets}
        else:
            sets = {"": load_labelled(run, self.examples)}
        how = self.step or run.folder.steps[-1]
        if self.configuration is not None:
            how += f", {self.configuration}, not trained so"
        if self.dtype is not None:
            how += f", {self.dtype}"
        scores = []
        for name, examples in sets.items():
            figures = run.figures(
                examples,
                self.step,
                self.batch_size,
                self.configuration,
                self.dtype,
                self.max_int8_drop,
            )
            scores.append(figures["score"])
            where = " ".join(filter(None, (f"{len(examples):,}", name, "examples")))
            print(f"{run.task.metric} {100 * scores[-1]:.2f} on {where} ({how})")
            if "confusion" in figures:
                print(f"\n{class_table(run.task.labels, {how: figures}, 'simple')}")
                print(f"\n{calibration_line({how: figures})}\n")
            elif "rmse" in figures:
                print(number_line({how: figures}))
        return scores[0]
