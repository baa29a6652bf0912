"""A functional model that may be given more inputs than it reads."""

import keras

from power_bert_tf.errors import InputError


class TextModel(keras.Model):
    """A functional Keras model over a dict of inputs, which leaves out those that it has not got.

    A preprocessor makes token ids, segments and a mask for every text; a backbone without segments
    takes two of the three. Where Keras would warn of the third, this picks its own.
    """

    def call(self, inputs, training=None, mask=None):
        if isinstance(inputs, dict):
            inputs = {name: inputs[name] for name in self.input}
        return super().call(inputs, training=training)

    def save(self, filepath, *arguments, **named):
        """As `keras.Model.save`, to a `.keras` file.

        Raises:
            InputError: for HDF5, which Keras writes and then cannot load.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise InputError(f"`filepath` must end in .keras. Received: {filepath}")
        return super().save(filepath, *arguments, **named)
