"""`power-bert export`: a SavedModel from a run."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.commands.run_options import is_pair
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.deploy.export import export_saved_model


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a run's PoWER-BERT as a SavedModel that takes raw text."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    folder: pathlib.Path = simple_parsing.field(positional=True)
    """Where the SavedModel is to appear; new or empty."""
    step: str = "re-train"
    """re-train for PoWER-BERT, fine-tune for the BERT that it came from."""

    def execute(self):
        """Writes the SavedModel; prints how to load it."""
        run, model = open_step(self.run, self.step)
        export_saved_model(model, run.preprocessor(), self.folder, is_pair(run))
        print(
            f"SavedModel: {self.folder}\n"
            "To use it: import tensorflow as tf, tensorflow_text; "
            f"tf.saved_model.load({str(self.folder)!r}).signatures['serving_default']"
            f"(text=tf.constant(['...']){', text_pair=...' if is_pair(run) else ''})"
        )
