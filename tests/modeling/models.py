"""Small models and texts that the tests of this folder share."""

import functools

import hypothesis
import keras
import numpy as np
from hypothesis import strategies as st
from keras import ops
from layers import strategies

from power_bert_tf.methods.adapler.reductions import Removal
from power_bert_tf.methods.adapler.reductions import SoftRemoval
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import NoReduction

LENGTH, LONGER = 8, 12
few_examples = hypothesis.settings(strategies.few_examples, max_examples=6)


def small_config(**changes):
    sizes = {
        "vocabulary_size": 16,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 6,
        "max_sequence_length": 16,
    }
    return EncoderConfig(**{**sizes, **changes})


DEEP = small_config(num_layers=3)

# For models of three encoders, since what the last one drops is not looked at any more. Of 12
# places the second keeps 5, so texts of 6 words and more lose some in either basis. The seed draws
# such positions that a count of positions which depends on the padding keeps other words.
_CONFIGURATIONS = {"absolute": "5,3,2", "relative": "9,5,4 of 12"}
REDUCTIONS = {
    "none": NoReduction(),
    "soft absolute": SoftExtraction(0.1),
    "soft relative": SoftExtraction(0.1, basis="relative"),
    **{
        f"{selection} {basis}": Extraction(retention, selection=selection, seed=3)
        for basis, retention in _CONFIGURATIONS.items()
        for selection in ("attention", "head", "random")
        # One of each basis will do where the score is not computed.
        if (selection, basis) not in (("head", "relative"), ("random", "absolute"))
    },
    "soft adapler": SoftRemoval(),
    "adapler": Removal(),
}


def small_classifier(seed=3, config=None, sequence_length=LENGTH, **arguments):
    """A classifier whose weights are so large, and biases so small, that texts differ."""
    config = small_config() if config is None else config
    model = BertClassifier(config, sequence_length=sequence_length, **arguments)
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        values = generator.normal(scale=0.7, size=variable.shape)
        if variable.path.endswith("retention"):
            values = generator.random(variable.shape)
        elif variable.path.endswith("steepness"):
            values = 30.0
        elif variable.path.endswith(("/eta", "/theta")):
            values = 0.8
        elif variable.path.endswith("gamma"):
            values = 1 + 0.3 * values
        elif variable.path.endswith(("beta", "bias")):
            values = 0.2 * values
        variable.assign(values)
    return model


@functools.cache
def reduced_classifier(name, sequence_length):
    """The same weights with the reduction called `name`, for inputs of `sequence_length`.

    Retention parameters are random, those of soft-extract; the longest graph is built first.
    """
    if sequence_length != LONGER:
        return reduced_classifier(name, LONGER).at_length(sequence_length)
    return small_classifier(
        config=DEEP, sequence_length=LONGER, num_classes=3, reduction=REDUCTIONS[name]
    )


@functools.cache
def _compiled(model):
    """`model` as a function, compiled as a whole under JAX: by operation it takes much longer."""
    if keras.config.backend() != "jax":
        return model
    import jax

    stateless_call = jax.jit(model.stateless_call)

    def call(inputs):
        trainable, others = (
            [variable.value for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        )
        return stateless_call(trainable, others, inputs)[0]

    return call


@functools.cache
def _logits_model(model):
    return model.logits_model


def logits(model, inputs):
    return ops.convert_to_numpy(_compiled(_logits_model(model))(inputs))


def outputs(model, inputs):
    return ops.convert_to_numpy(_compiled(model)(inputs))


def random_text(generator, words):
    """Token ids, CLS first, and segment ids of a text of `words` words."""
    token_ids = generator.integers(2, 16, words)
    token_ids[0] = 1
    return token_ids, np.sort(generator.integers(0, 2, words))


def texts(max_words=LENGTH, count=3):
    """Draws `count` texts of 1 to `max_words` words, often long enough to lose some."""

    def of(lengths_and_generator):
        lengths, generator = lengths_and_generator
        return [random_text(generator, words) for words in lengths]

    words = st.integers(1, max_words) | st.integers(max_words - 2, max_words)
    lengths = st.lists(words, min_size=count, max_size=count)
    return st.tuples(lengths, strategies.generators()).map(of)


def pad(batch, sequence_length):
    """The inputs of a model: texts padded to `sequence_length`."""
    inputs = {
        name: np.zeros((len(batch), sequence_length), "int32")
        for name in ("token_ids", "segment_ids", "padding_mask")
    }
    for row, (token_ids, segment_ids) in enumerate(batch):
        inputs["token_ids"][row, : len(token_ids)] = token_ids
        inputs["segment_ids"][row, : len(token_ids)] = segment_ids
        inputs["padding_mask"][row, : len(token_ids)] = 1
    return inputs
