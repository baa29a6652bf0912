"""Imports run downward only: a walk over the imports of the package."""

import ast
import pathlib
import sys

import pytest

PACKAGE = "power_bert_tf"
ROOT = pathlib.Path(__file__).parents[1]

# From the top. Rooms of one floor do not import each other either. The package's own `__init__`
# gathers what users need, and so stands at the top with the command line.
FLOORS = (
    ("__init__", "__main__", "cli"),
    ("commands",),
    ("measure", "analysis"),
    ("training", "deploy"),
    ("modeling", "data"),
    ("files",),
    ("layers",),
    ("errors",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What may be imported from outside, beside the standard library, where that is limited.
OUTSIDE = {
    "errors": set(),
    "files": set(),
    "layers": {"keras", "numpy"},
    "modeling": {"h5py", "keras", "numpy", "safetensors"},
}
# What a module may import beside that, but only once a function needs it.
LAZILY = {
    "modeling/checkpoints/google.py": {"tensorflow"},
    "modeling/checkpoints/hub.py": {"huggingface_hub"},
    "modeling/checkpoints/keras_hub.py": {"keras_hub"},
}


def imports_of(path, root):
    """Line and dotted name of each import of a module, and whether it stands in a function."""
    package = list(path.relative_to(root).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, node.col_offset > 0
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}", node.col_offset > 0


def room_of(parts):
    """The room in which a path or dotted name within the package stands."""
    name = parts[0].removesuffix(".py") if parts else "__init__"
    # `from power_bert_tf import BertClassifier` asks the package itself.
    return name if name in FLOOR_OF else "__init__"


def violations(root):
    """Each import under `root` that climbs, goes to a neighbour or comes from outside."""
    found = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).parts
        room = room_of(parts)
        if parts[0].removesuffix(".py") not in FLOOR_OF:
            found.append(f"{path.relative_to(root)}: stands on no floor")
        for line, name, lazily in imports_of(path, root):
            top, *rest = name.split(".")
            place = f"{path.relative_to(root)}:{line}: {room} imports {name}"
            if top == PACKAGE:
                target = room_of(rest)
                at_the_top = FLOOR_OF[room] == FLOOR_OF[target] == 0
                if target != room and FLOOR_OF[target] <= FLOOR_OF[room] and not at_the_top:
                    found.append(place)
            elif room in OUTSIDE and top not in OUTSIDE[room] | sys.stdlib_module_names:
                if not lazily or top not in LAZILY.get("/".join(parts), ()):
                    found.append(place)
    return found


def test_imports_run_downward_only():
    assert violations(ROOT) == []


@pytest.mark.parametrize("room", ["layers", "modeling", "data", "training"])
def test_rooms_are_walked(room):
    assert list((ROOT / PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("layers/extract.py", "from power_bert_tf.modeling import config", True),
        ("layers/extract.py", "import power_bert_tf", True),
        ("layers/extract.py", "from power_bert_tf import BertClassifier", True),
        ("layers/extract.py", "from ..modeling.config import EncoderConfig", True),
        ("layers/extract.py", "from .. import data", True),
        ("layers/extract.py", "from power_bert_tf import files", True),
        ("layers/extract.py", "import tensorflow as tf", True),
        ("layers/extract.py", "import safetensors.numpy", True),
        ("layers/extract.py", "def call(self):\n    from jax import numpy", True),
        ("layers/extract.py", "import keras, math, numpy.linalg", False),
        ("layers/extract.py", "from keras import ops", False),
        ("layers/extract.py", "from power_bert_tf.layers.ranking import prioritise", False),
        ("layers/extract.py", "from . import ranking", False),
        ("layers/extract.py", "from power_bert_tf.errors import InputError", False),
        ("layers/extract.py", "from power_bert_tf import errors", False),
        ("modeling/config.py", "from power_bert_tf.data.tasks import Task", True),
        ("modeling/config.py", "from power_bert_tf.training import steps", True),
        ("modeling/checkpoints/google.py", "from ...deploy import saved_model", True),
        ("modeling/config.py", "import tensorflow_text", True),
        ("modeling/config.py", "import safetensors", False),
        ("modeling/checkpoints/google.py", "from ..config import EncoderConfig", False),
        ("modeling/config.py", "from power_bert_tf.layers import Extract", False),
        ("modeling/checkpoints/google.py", "import tensorflow as tf", True),
        ("modeling/checkpoints/google.py", "def read():\n    import tensorflow as tf", False),
        ("modeling/checkpoints/google.py", "def read():\n    import keras_hub", True),
        ("modeling/config.py", "def read():\n    import tensorflow as tf", True),
        ("data/tasks.py", "from power_bert_tf.modeling import EncoderConfig", True),
        ("data/preprocessor.py", "import tensorflow_text", False),
        ("training/steps.py", "from power_bert_tf.deploy import saved_model", True),
        ("training/steps.py", "import power_bert_tf.cli", True),
        ("training/steps.py", "from power_bert_tf.data import tasks", False),
        ("deploy/saved_model.py", "from power_bert_tf.analysis.trace import trace", True),
        ("training/steps.py", "from power_bert_tf.files import write_json", False),
        ("deploy/saved_model.py", "from power_bert_tf.commands.fit import Fit", True),
        ("commands/fit.py", "from power_bert_tf.cli import main", True),
        ("commands/fit.py", "from power_bert_tf.measure import flops", False),
        ("cli.py", "import power_bert_tf.commands.fit", False),
        ("__main__.py", "from power_bert_tf.cli import main", False),
        ("__init__.py", "from power_bert_tf.training.optimizers import search_optimizer", False),
        ("errors.py", "import power_bert_tf.layers", True),
        ("errors.py", "import keras", True),
        ("attic/old.py", "import math", True),
    ],
)
def test_the_walk_finds_what_was_planted(tmp_path, module, source, found):
    path = tmp_path / PACKAGE / module
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert bool(violations(tmp_path)) == found
