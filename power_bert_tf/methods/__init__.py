"""The methods, each in a folder of its own, and the registry: a line for each."""

import importlib

from power_bert_tf.errors import InputError

# By the name that `--method` takes: the package, which has `method.METHOD`, `options.OPTIONS` and,
# in `EXPORTS`, what users find at the top. Nothing of it is imported before it is needed.
METHODS = {
    "power-bert": f"{__name__}.power_bert",
    "adapler": f"{__name__}.adapler",
}
DEFAULT = "power-bert"


def get_method(name):
    """The `Method` of a name.

    Raises:
        InputError: where there is none.
    """
    return importlib.import_module(f"{_package(name)}.method").METHOD


def get_options(name):
    """The dataclass of a method's own options; imports nothing heavy.

    Raises:
        InputError: where there is no such method.
    """
    return importlib.import_module(f"{_package(name)}.options").OPTIONS


def _package(name):
    if name not in METHODS:
        raise InputError(f"`method` must be one of {', '.join(METHODS)}. Received: {name!r}")
    return METHODS[name]


def registered():
    """The modules with the classes that a saved model may name, a list of str."""
    return [
        f"{package}.{file}"
        for package in METHODS.values()
        for file in importlib.import_module(package).REGISTERED
    ]


def exports():
    """Where the classes for users of each method are: a dict of name to module."""
    found = {}
    for package in METHODS.values():
        names = importlib.import_module(package).EXPORTS
        found |= {name: f"{package}.{file}" for name, file in names.items()}
    return found
