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
    """saved_model; huggingface, a checkpoint that transformers loads; openvino, onnx or litert, a
    folder that answers texts without TensorFlow; or keras, one that answers with it."""
    step: str | None = None
    """A step of the run, such as fine-tune for the BERT that it came from; the last where left
    out."""

    dtype: str = "float32"
    """float32, or int8 with the format openvino."""
    max_int8_drop: float = 0.5
    """Points of the metric that int8 may lose on the dev examples."""

    def execute(self):
        """Writes the folder; prints how to use it."""
        from power_bert_tf.runs.run import open_run

        print(
            open_run(self.run).export(
                self.folder, self.format, self.step, self.dtype, self.max_int8_drop
            )
        )
