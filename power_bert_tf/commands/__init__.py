"""What `power-bert` can do: one file a command, a frozen dataclass of arguments with `execute()`.

A command parses, calls and prints; what it calls is there in Python too. Nothing heavy is imported
before it is executed, so that `--help` answers at once.
"""

import dataclasses
import importlib

from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_options

_CLASSES = {
    "demo": "Demo",
    "fit": "Fit",
    "tune": "Tune",
    "trade-off": "TradeOff",
    "evaluate": "Evaluate",
    "predict": "Predict",
    "explain": "Explain",
    "export": "Export",
    "choose": "Choose",
    "benchmark": "Benchmark",
}


def load_commands(method=DEFAULT):
    """The commands, a dict of name to class.

    Args:
        method: str, the method whose options the commands that train take as well.
    """
    commands = {}
    for name, class_name in _CLASSES.items():
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        command = getattr(module, class_name)
        commands[name] = _with_options(command, method) if hasattr(command, "options") else command
    return commands


def _with_options(command, method):
    """A command with the options of a method among its own."""
    options = get_options(method)
    field = ("options", options, dataclasses.field(default_factory=options))
    made = dataclasses.make_dataclass(command.__name__, [field], bases=(command,), frozen=True)
    made.__doc__ = command.__doc__
    return made
