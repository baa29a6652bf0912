"""A functional model that may be given more inputs than it reads."""

import keras


class TextModel(keras.Model):
    """A functional Keras model over a dict of inputs, which leaves out those that it has not got.

    A preprocessor makes token ids, segments and a mask for every text; a backbone without segments
    takes two of the three. Where Keras would warn of the third, this picks its own.
    """

    def call(self, inputs, training=None, mask=None):
        if isinstance(inputs, dict):
            inputs = {name: inputs[name] for name in self.input}
        return super().call(inputs, training=training)
