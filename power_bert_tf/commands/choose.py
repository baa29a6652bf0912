"""`power-bert choose`: what is fastest here for a run."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.files import write_json


@dataclasses.dataclass(frozen=True)
class Choose:
    """Find the fastest runtime, dtype and form of batches for a run's model on this machine.

    Writes them into the run folder, where `predict` and `evaluate` use them.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    batch_size: int = 128
    """Texts a batch, at most."""
    runs: int = 30
    """Measured rounds at most."""
    most_drop: float = 0.1
    """Points of the metric that 16 bits may cost on the dev examples."""
    max_int8_drop: float = 0.5
    """Points of the metric that int8 may cost on the dev examples."""
    output: pathlib.Path | None = None
    """JSON file for all figures."""

    def execute(self):
        """Prints a table; returns the figures as a dict."""
        from power_bert_tf.runs.choose import CHOICE
        from power_bert_tf.runs.choose import table
        from power_bert_tf.runs.run import open_run

        run = open_run(self.run)
        result = run.choose(self.batch_size, self.runs, self.most_drop, self.max_int8_drop)
        if self.output is not None:
            write_json(self.output, result)
        print(table(result))
        print(f"Written to {run.path / CHOICE}")
        return result
