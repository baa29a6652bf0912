"""`power-bert tune`: how much faster a BERT can be for a drop that you accept."""

import dataclasses

from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import RunOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.options import TuningOptions
from power_bert_tf.runs.options import as_json
from power_bert_tf.runs.options import part_of


@dataclasses.dataclass(frozen=True)
class Tune(TuningOptions, TrainingOptions, DataOptions, RunOptions):
    """Find the strength of a method: the fastest model within a drop, or the best at a speed.

    Give --max-drop or --speedup, and otherwise what `power-bert fit` takes. Says the cost
    beforehand. All trials are kept; another target in the same folder begins with those that are
    there.
    """

    # The method's own; the command line fills it in.
    options = None

    def execute(self):
        """Runs what is not done yet; prints all trials and the best one's summary.

        Raises:
            InputError: where an option, a file or the folder cannot be used, or no trial meets
                the target.
        """
        tuning = part_of(self, TuningOptions)
        tuning.check()

        from power_bert_tf.runs.fit import job_from_options
        from power_bert_tf.runs.tune import Tuning

        run = Tuning(job_from_options(self, self.options), tuning, as_json(self)).run()
        print(f"\n{run.summary()}\nReport: {run.path / 'report.md'}")
        print(f"The best run is {run.path}; `power-bert predict {self.output}` uses it.")
        return run.report
