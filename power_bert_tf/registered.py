"""Every class that a saved model may name, registered with Keras by importing its module."""

import importlib

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


def register(keras):
    """Imports the modules whose classes a saved model may name.

    Args:
        keras: the module, as it has just been imported.
    """
    for module in (*_MODULES, *methods.registered()):
        importlib.import_module(module)
