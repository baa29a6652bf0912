"""`power-bert trade-off`: the drop against the speed, over strengths and bases."""

import dataclasses
import itertools
import pathlib

import simple_parsing

from power_bert_tf.analysis.trade_off import draw_trade_offs
from power_bert_tf.commands.run_options import fit_of
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_json
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.trade_off_table import panel
from power_bert_tf.runs.trade_off_table import table


@dataclasses.dataclass(frozen=True)
class TradeOff:
    """Search and re-train from one fine-tuned BERT at several strengths, in both bases.

    Each pair of a basis and a strength is a run in a folder of its own below the output, over
    the same fine-tuned model. What was interrupted goes on when the same command is given again,
    and a finished run is never repeated. Options that are left out are those of the first run.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a run whose fine-tuning is finished."""
    output: pathlib.Path
    """Folder for the runs, trade_off.json and trade_off.png."""
    strengths: list[float] = simple_parsing.field(default_factory=list)
    """The values of lambda."""
    bases: list[str] = simple_parsing.field(default_factory=lambda: ["absolute", "relative"])
    """absolute, relative or both."""
    train_examples: int | None = None
    """Search and re-train on a random subset of this size."""
    learning_rate: float | None = None
    """Peak learning rate of BERT's weights."""
    retention_learning_rate: float | None = None
    """Peak learning rate of the retention parameters."""
    search_epochs: int | None = None
    """Epochs of each search."""
    retraining_epochs: int | None = None
    """Epochs of each re-training."""
    group_by_length: bool = False
    """Batch texts of similar length: training takes less time where lengths vary."""

    def execute(self):
        """Runs what is not done yet; prints a table. Returns what trade_off.json holds."""
        run = RunFolder.open(self.run)
        run.finished_step("fine-tune")
        fits = self._fits(fit_of(run))
        for fit in fits:
            fit.check()
        task, train, dev = fits[0].load_data()
        self._announce(fits)
        points = []
        for number, fit in enumerate(fits, start=1):
            print(f"\n[{number}/{len(fits)}: {fit.basis}, lambda {fit.strength:g}]", flush=True)
            finished, measured_on = fit.train_steps(task, train, dev)
            points.append(_point(finished, measured_on))
        result = {
            "task": points[0]["task"],
            "metric": points[0]["metric"],
            "examples": points[0]["examples"],
            "points": points,
        }
        write_json(self.output / "trade_off.json", result)
        print(f"\n{table(result)}")
        try:
            draw_trade_offs(dict([panel([result])]), self.output / "trade_off.png")
        except InputError as error:
            print(f"No picture: {error}")
        return result

    def _fits(self, first):
        if not self.strengths or not self.bases:
            raise InputError("give at least one of `strengths` and one of `bases`")
        given = {
            name: getattr(self, name)
            for name in (
                "train_examples",
                "learning_rate",
                "retention_learning_rate",
                "search_epochs",
                "retraining_epochs",
            )
            if getattr(self, name) is not None
        }
        # Each pair once, in the order that is given.
        pairs = dict.fromkeys(itertools.product(self.bases, self.strengths))
        return [
            dataclasses.replace(
                first,
                output=self.output / f"{basis}-{strength:g}",
                fine_tuned=self.run,
                skip_fine_tuning=False,
                basis=basis,
                strength=strength,
                retention=None,
                group_by_length=self.group_by_length or first.group_by_length,
                **given,
            )
            for basis, strength in pairs
        ]

    def _announce(self, fits):
        done = sum((fit.output / "re-train" / "metrics.json").exists() for fit in fits)
        print(
            f"{len(fits)} runs of a search and a re-training each, below {self.output}; "
            f"{done} of them done before",
            flush=True,
        )


def _point(run, dev):
    """A row of the table: a run's report without times, with the score of its search."""
    report = build_report(run, dev, timed=False)
    return {**report, "score": {**report["score"], "soft": run.step("search").metrics()["score"]}}
