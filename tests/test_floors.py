"""Imports run downward only: a walk over the imports of the package."""

import ast
import pathlib
import re
import sys

import pytest

PACKAGE = "power_bert_tf"
ROOT = pathlib.Path(__file__).parents[1]

# From the top. Rooms of one floor do not import each other either. The package's own `__init__`
# gathers what users need, and so stands at the top with the command line.
FLOORS = (
    ("__init__", "__main__", "cli", "registered"),
    ("commands",),
    ("runs",),
    ("measure", "analysis"),
    ("deploy",),
    ("methods",),
    ("training",),
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
    # A method can be asked for its reduction without TensorFlow.
    "methods": {"keras", "numpy"},
    # A command imports what it calls when it is executed: `--help` answers at once.
    "commands": {"simple_parsing"},
}
# What a module may import beside that, but only once a function needs it.
LAZILY = {
    "modeling/checkpoints/google.py": {"tensorflow"},
    "modeling/checkpoints/hub.py": {"huggingface_hub"},
    "modeling/checkpoints/keras_hub.py": {"keras_hub"},
    "methods/adapler/saliency.py": {"tensorflow"},
    "methods/adapler/training_step.py": {"tensorflow"},
    "methods/power_bert/plots.py": {"matplotlib"},
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


def module_of(name, root):
    """The file that a dotted name is imported from; None where it is not the package's."""
    parts = name.split(".")
    while parts and parts[0] == PACKAGE:
        for path in (
            root.joinpath(*parts).with_suffix(".py"),
            root.joinpath(*parts, "__init__.py"),
        ):
            if path.is_file():
                return path
        parts.pop()
    return None


def circles(root):
    """Files that import each other, straight or by way of others: lists of paths."""
    imported = {
        path: {module_of(name, root) for _, name, _ in imports_of(path, root)} - {None, path}
        for path in (root / PACKAGE).rglob("*.py")
    }

    def reached(start):
        found, left = set(), [start]
        while left:
            for path in imported[left.pop()] - found:
                found.add(path)
                left.append(path)
        return found

    reaching = {path: reached(path) for path in imported}
    in_circles = sorted(path for path in imported if path in reaching[path])
    return [str(path.relative_to(root / PACKAGE)) for path in in_circles]


def test_imports_run_downward_only():
    assert violations(ROOT) == []


def test_no_files_import_each_other():
    assert circles(ROOT) == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a": "import power_bert_tf.b", "b": "import math"}, []),
        ({"a": "import power_bert_tf.b", "b": "from power_bert_tf.a import x"}, ["a.py", "b.py"]),
        (
            {
                "a": "from power_bert_tf import b",
                "b": "def f():\n    from power_bert_tf import c",
                "c": "from power_bert_tf.a import x",
            },
            ["a.py", "b.py", "c.py"],
        ),
    ],
)
def test_circles_that_were_planted_are_found(tmp_path, sources, found):
    for name, source in sources.items():
        path = tmp_path / PACKAGE / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    assert circles(tmp_path) == found


def test_outside_the_methods_none_is_named():
    """What comes after a method asks it: only its folder and the registry know its parts."""
    for path in (ROOT / PACKAGE).rglob("*.py"):
        parts = path.relative_to(ROOT / PACKAGE).parts
        if parts[0] != "methods":
            content = path.read_text(encoding="utf-8")
            named = re.findall(r"\bre-train|Extraction", content)
            assert not named, f"{path} names {named[0]}"


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
        ("training/loop.py", "from power_bert_tf.deploy import saved_model", True),
        ("training/loop.py", "from power_bert_tf.methods import method", True),
        ("methods/method.py", "from power_bert_tf.training import loop", False),
        ("methods/method.py", "import tensorflow as tf", True),
        ("methods/method.py", "from power_bert_tf.runs import job", True),
        ("training/loop.py", "import power_bert_tf.cli", True),
        ("training/loop.py", "from power_bert_tf.data import tasks", False),
        ("deploy/saved_model.py", "from power_bert_tf.analysis.trace import trace", True),
        ("training/loop.py", "from power_bert_tf.files import write_json", False),
        ("deploy/saved_model.py", "from power_bert_tf.commands.fit import Fit", True),
        ("commands/fit.py", "from power_bert_tf.cli import main", True),
        ("commands/fit.py", "from power_bert_tf.modeling import flops", False),
        ("commands/fit.py", "import keras", True),
        ("runs/job.py", "from power_bert_tf.commands import fit", True),
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
