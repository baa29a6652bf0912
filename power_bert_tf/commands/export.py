"""`power-bert export`: a SavedModel or a Hugging Face checkpoint from a run."""

import dataclasses
import pathlib

import simple_parsing

from power_bert_tf.commands.run_options import is_pair
from power_bert_tf.commands.run_options import open_step
from power_bert_tf.deploy.huggingface import export_huggingface
from power_bert_tf.deploy.saved_model import export_saved_model
from power_bert_tf.errors import InputError

FORMATS = ("savedmodel", "huggingface")


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a run's PoWER-BERT as a SavedModel that takes raw text, or for transformers."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    folder: pathlib.Path = simple_parsing.field(positional=True)
    """Where the SavedModel or the checkpoint is to appear; new or empty."""
    format: str = "savedmodel"
    """savedmodel, or huggingface for a checkpoint that transformers loads."""
    step: str = "re-train"
    """re-train for PoWER-BERT, fine-tune for the BERT that it came from."""

    def execute(self):
        """Writes the folder; prints how to load it."""
        if self.format not in FORMATS:
            raise InputError(
                f"`format` must be one of {', '.join(FORMATS)}. Received: format={self.format!r}"
            )
        run, model = open_step(self.run, self.step)
        if self.format == "huggingface":
            note = export_huggingface(model, run.preprocessor(), self.folder)
            print(
                f"Checkpoint: {self.folder}\n"
                "To use it: transformers.AutoModelForSequenceClassification.from_pretrained("
                f"{str(self.folder)!r})\nNote: {note}"
            )
            return
        export_saved_model(model, run.preprocessor(), self.folder, is_pair(run))
        print(
            f"SavedModel: {self.folder}\n"
            "To use it: import tensorflow as tf, tensorflow_text; "
            f"tf.saved_model.load({str(self.folder)!r}).signatures['serving_default']"
            f"(text=tf.constant(['...']){', text_pair=...' if is_pair(run) else ''})"
        )
