"""Every class that a saved model may name, registered with Keras by importing its module.

Keras imports no foreign module when it loads a model: its classes must be registered by then. So
they are as soon as Keras is there, whoever imports it.
"""

import importlib
import sys

import wrapt

from power_bert_tf import methods

# Of the methods see `methods.registered`.
_MODULES = (
    "power_bert_tf.layers",
    "power_bert_tf.layers.layer_norm",
    "power_bert_tf.modeling",
    "power_bert_tf.training.objectives",
    "power_bert_tf.training.optimizers",
    "power_bert_tf.training.schedules",
)
# Whatever of these is imported, all of it is.
_ROOMS = ("power_bert_tf.layers.", "power_bert_tf.modeling.")


def register_with_keras():
    """Has all classes registered once Keras, or one of their modules, has been imported."""
    for name in ("keras", *_modules()):
        wrapt.register_post_import_hook(_register, name)


def _register(imported):
    """Imports all modules; but not while one of them is half-way, which has imported Keras itself.

    Args:
        imported: the module that has just been imported. When one that was half-way is done,
            this is called again.
    """
    modules = _modules()
    half_way = [
        name
        for name, module in list(sys.modules.items())
        if (name in modules or name.startswith(_ROOMS))
        and name != imported.__name__
        and getattr(getattr(module, "__spec__", None), "_initializing", False)
    ]
    if "keras" in sys.modules and not half_way:
        for name in modules:
            importlib.import_module(name)


def _modules():
    return (*_MODULES, *methods.registered())
