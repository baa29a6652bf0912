"""`power-bert trade-off`: the drop against the speed, over strengths and variants of a method."""

import dataclasses
import pathlib

import simple_parsing


@dataclasses.dataclass(frozen=True)
class TradeOff:
    """Make one fine-tuned BERT faster at several strengths, and draw the drop over the speed.

    Each pair of a variant and a strength is a run in a folder of its own below the output. What
    was interrupted goes on when the same command is given again, and a finished run is never
    repeated. Options that are left out are those of the first run.
    """

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a run whose fine-tuning is finished."""
    output: pathlib.Path
    """Folder for the runs, trade_off.json and trade_off.png."""
    strengths: list[float] = simple_parsing.field(default_factory=list)
    """How strongly the method prefers speed, such as PoWER-BERT's lambda."""
    variants: list[str] = simple_parsing.field(default_factory=list, alias=["--bases"])
    """The method's variants, such as absolute and relative; all where left out."""
    train_examples: int | None = None
    """Train on a random subset of this size."""
    learning_rate: float | None = None
    """Peak learning rate of BERT's weights."""
    group_by_length: bool = False
    """Groups texts of similar length, so batches contain less padding."""
    # The method's own; the command line fills it in.
    options = None

    def execute(self):
        """Runs what is not done yet; prints a table. Returns what trade_off.json holds.

        Raises:
            InputError: where an option, a file or a folder cannot be used.
        """
        from power_bert_tf.runs.trade_off import trade_off

        names = ("train_examples", "learning_rate", "group_by_length")
        given = {name: getattr(self, name) for name in names if getattr(self, name)}
        usual = type(self.options)()
        given |= {
            name: value
            for name, value in dataclasses.asdict(self.options).items()
            if value != getattr(usual, name)
        }
        return trade_off(
            self.run, self.strengths, output=self.output, variants=self.variants or None, **given
        )
