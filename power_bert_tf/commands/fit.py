"""`power-bert fit`: a BERT made faster, step by step, in a run folder."""

import dataclasses

from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import RunOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.options import TuningOptions
from power_bert_tf.runs.options import as_json
from power_bert_tf.runs.options import part_of


@dataclasses.dataclass(frozen=True)
class Fit(TuningOptions, TrainingOptions, DataOptions, RunOptions):
    """Fine-tune a BERT for a task, and make it faster by a method.

    Give a task of the paper (--task) or files of your own (--train, --dev). Where an option is
    left out, the task's own value from the paper holds. A run that was interrupted goes on when
    the same command is given again. With --max-drop or --speedup it is `power-bert tune`.
    """

    # The method's own; the command line fills it in.
    options = None

    def execute(self):
        """Runs what is not done yet; prints a summary. Returns the report.

        Raises:
            InputError: where an option, a file or the run folder cannot be used.
        """
        from power_bert_tf.runs.fit import job_from_options
        from power_bert_tf.runs.fit import run_job
        from power_bert_tf.runs.tune import Tuning

        tuning = part_of(self, TuningOptions)
        if tuning.is_given:
            # Before the examples are read, which takes longer.
            tuning.check()
            run = Tuning(job_from_options(self, self.options), tuning, as_json(self)).run()
        else:
            run = run_job(job_from_options(self, self.options))
        print(f"\n{run.summary()}\nReport: {run.path / 'report.md'}")
        return run.report
