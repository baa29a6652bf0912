"""The int8 model of a run: quantized once, kept in the run folder, and its loss said."""

import dataclasses
import pathlib
import sys

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.runs.folder import DEV
from power_bert_tf.runs.folder import read_json
from power_bert_tf.runs.scores import outputs
from power_bert_tf.training.metrics import task_score

# Points of the metric that int8 may lose on the dev examples.
MOST_DROP = 0.5
_MODEL, _SCORE = "model.xml", "score.json"


@dataclasses.dataclass(frozen=True)
class Int8Model:
    """A step's model in 8-bit integers.

    Args:
        path: path of the .xml file, which `CompiledClassifier` takes as `calibration`.
        metric: str.
        before, after: floats, the dev score as it was trained, and in int8; at most 1.
        examples: int, the dev examples.
    """

    path: pathlib.Path
    metric: str
    before: float
    after: float
    examples: int

    @property
    def drop_points(self):
        """What it loses, in points of the metric."""
        return 100 * (self.before - self.after)

    def check(self, most_drop=MOST_DROP):
        """Raises InputError where it loses more points than it may."""
        if not self.drop_points <= most_drop:
            raise InputError(
                f"int8 must not lose more than {most_drop} points: {self}. "
                "`max_int8_drop` lets it lose more"
            )
        return self

    def __str__(self):
        return (
            f"{self.metric} {100 * self.before:.2f} -> {100 * self.after:.2f} on "
            f"{self.examples:,} dev examples"
        )


def int8_model(folder, step=None):
    """The int8 model of a step, made and measured where it is not there yet.

    It is calibrated on the training texts that the run folder keeps for that.

    Args:
        folder: `RunFolder`.
        step: str; the last step where None.

    Returns:
        `Int8Model`.

    Raises:
        InputError: where the step is not finished, the folder keeps no such texts, or OpenVINO or
            NNCF is not installed.
    """
    step = folder.steps[-1] if step is None else step
    model_folder = folder.finished_step(step).path / "int8"
    if not model_folder.exists():
        write_folder(model_folder, lambda aside: _make(folder, step, aside))
    return Int8Model(model_folder / _MODEL, **read_json(model_folder / _SCORE))


def _make(folder, step, aside):
    model, preprocessor = folder.finished_step(step).load_model(), folder.preprocessor()
    texts = folder.calibration()
    print(f"int8: quantizing {step} with {len(texts)} training examples", file=sys.stderr)
    calibration = preprocessor.encode(texts.texts, texts.text_pairs)
    CompiledClassifier(model, dtype="int8", calibration=calibration).save_quantized(aside / _MODEL)
    compiled = CompiledClassifier(
        model, preprocessor, dtype="int8", calibration=str(aside / _MODEL)
    )
    dev, metric = folder.dev(), folder.settings()["identity"]["task"]["metric"]
    before = task_score(metric, dev.labels, outputs(folder, step, DEV))
    after = task_score(metric, dev.labels, compiled.predict(dev.texts, dev.text_pairs))
    score = {"metric": metric, "before": before, "after": after, "examples": len(dev)}
    write_json(aside / _SCORE, score)
    print(f"int8: {Int8Model(aside, **score)}", file=sys.stderr, flush=True)
