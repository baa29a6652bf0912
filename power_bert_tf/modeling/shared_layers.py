"""Layers by name, so that several graphs can stand over the same variables."""


class SharedLayers:
    """Makes each layer once and hands out the same one when its name is asked for again.

    A graph that is built with the layers of another one shares every variable with it; layers
    without variables are made anew, since they may depend on the length of the input.

    Args:
        layers: iterable of layers to start from.
        dtype: dtype policy of every layer made here.
    """

    def __init__(self, layers=(), dtype=None):
        self._dtype = dtype
        self._layers = {layer.name: layer for layer in layers if layer.weights}

    def __call__(self, layer_class, name, **arguments):
        """The layer called `name`; made as `layer_class(**arguments)` where there is none."""
        if name not in self._layers:
            arguments.setdefault("dtype", self._dtype)
            self._layers[name] = layer_class(name=name, **arguments)
        return self._layers[name]
