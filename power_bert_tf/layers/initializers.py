"""How BERT draws its weights before training."""

import keras


def bert_initializer(stddev=0.02):
    """A truncated normal distribution (Devlin et al.; Google's `initializer_range`)."""
    return keras.initializers.TruncatedNormal(stddev=stddev)
