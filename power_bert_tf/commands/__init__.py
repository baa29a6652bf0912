"""What `power-bert` can do: a frozen dataclass of arguments each, with `execute()`."""

from power_bert_tf.commands.demo import Demo
from power_bert_tf.commands.evaluate import Evaluate
from power_bert_tf.commands.export import Export
from power_bert_tf.commands.fit import Fit
from power_bert_tf.commands.predict import Predict

COMMANDS = {
    "demo": Demo,
    "fit": Fit,
    "evaluate": Evaluate,
    "predict": Predict,
    "export": Export,
}

__all__ = ["COMMANDS", "Demo", "Evaluate", "Export", "Fit", "Predict"]
