"""What `power-bert` can do: a frozen dataclass of arguments each, with `execute()`."""

import importlib
import importlib.util

_MODULES = {
    "demo": "Demo",
    "fit": "Fit",
    "evaluate": "Evaluate",
    "predict": "Predict",
    "export": "Export",
    "benchmark": "Benchmark",
    "trade-off": "TradeOff",
    "search-cost": "SearchCost",
}
# The others read text, which is TensorFlow's part.
_WITHOUT_TENSORFLOW = ("benchmark",)


def load_commands():
    """The commands that can run here, a dict of name to class.

    Where TensorFlow is not installed, those that do without it.
    """
    has_tensorflow = importlib.util.find_spec("tensorflow") is not None
    names = _MODULES if has_tensorflow else _WITHOUT_TENSORFLOW
    return {
        name: getattr(
            importlib.import_module(f"{__name__}.{name.replace('-', '_')}"), _MODULES[name]
        )
        for name in names
    }
