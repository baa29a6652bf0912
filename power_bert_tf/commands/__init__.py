"""What `power-bert` can do: a frozen dataclass of arguments each, with `execute()`."""

from power_bert_tf.commands.demo import Demo
from power_bert_tf.commands.evaluate import Evaluate
from power_bert_tf.commands.export import Export
from power_bert_tf.commands.fit import Fit
from power_bert_tf.commands.predict import Predict
from power_bert_tf.commands.search_cost import SearchCost

COMMANDS = {
    "demo": Demo,
    "fit": Fit,
    "evaluate": Evaluate,
    "predict": Predict,
    "export": Export,
    "search-cost": SearchCost,
}

__all__ = ["COMMANDS", "Demo", "Evaluate", "Export", "Fit", "Predict", "SearchCost"]
