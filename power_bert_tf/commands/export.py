"""`power-bert export`: a run's model in a format for use elsewhere."""

import dataclasses
import pathlib

import simple_parsing


@dataclasses.dataclass(frozen=True)
class Export:
    """Write a run's model as a SavedModel that takes raw text, or for another library."""

    run: pathlib.Path = simple_parsing.field(positional=True)
    """Folder of a finished run."""
    folder: pathlib.Path = simple_parsing.field(positional=True)
    """Where the export is to appear; new or empty."""
    format: str = "saved_model"
    """saved_model; huggingface, a checkpoint that transformers loads; or openvino, a folder that
    answers texts without TensorFlow."""
    step: str | None = None
    """A step of the run, such as fine-tune for the BERT that it came from; the last where left
    out."""

    def execute(self):
        """Writes the folder; prints how to use it."""
        from power_bert_tf.runs.run import open_run

        print(open_run(self.run).export(self.folder, self.format, self.step))
