"""What hypothesis draws for the layers: few shapes, so that no backend compiles for long."""

import hypothesis
import keras
import numpy as np
from hypothesis import strategies as st

# Fixed seeds make a run repeatable; a first call compiles, so there is no deadline; explaining a
# failure traces every line of the backend, which takes longer than all the rest.
few_examples = hypothesis.settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},
)


@st.composite
def masks(draw, holes=True):
    """Padding masks of shape (batch, rows): CLS, words, padding, and padding between words.

    `holes` are what a text's own budget leaves behind where a longer text stands beside it.
    """
    batch, rows = draw(st.sampled_from([(1, 1), (3, 7)]))
    lengths = draw(st.lists(st.integers(1, rows), min_size=batch, max_size=batch))
    mask = (np.arange(rows)[None, :] < np.array(lengths)[:, None]).astype("int32")
    if holes and draw(st.booleans()):
        mask *= draw(generators()).integers(0, 2, mask.shape, dtype="int32")
        mask[:, 0] = 1
    return mask


def generators():
    """NumPy generators of random numbers."""
    return st.integers(0, 2**16).map(np.random.default_rng)


@st.composite
def scores(draw, shape):
    """float32 scores, from so few values that they tie, or all different."""
    generator = draw(generators())
    if draw(st.booleans()):
        return generator.choice([0.0, 0.5, 2.0], shape).astype("float32")
    return generator.random(shape, dtype="float32")


def check_without_weights(layer, **inputs):
    """What `run_layer_test` checks, for layers of several inputs that need no `build`.

    It calls `build` with the name of each shape, which only a layer's own `build` understands.
    """
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    symbols = {
        name: keras.KerasTensor((None, *tensor.shape[1:]), dtype=tensor.dtype)
        for name, tensor in inputs.items()
    }
    expected = keras.tree.flatten(copy(**symbols))
    outputs = keras.tree.flatten(layer(**inputs))
    assert len(outputs) == len(expected)
    for output, symbol in zip(outputs, expected, strict=True):
        assert (None, *output.shape[1:]) == symbol.shape
        assert keras.backend.standardize_dtype(output.dtype) == symbol.dtype
    assert not layer.weights


def attention(generator, mask, heads):
    """Attention probabilities (batch, heads, rows, rows) in which no word looks at padding."""
    batch, rows = mask.shape
    powers = np.exp(generator.normal(size=(batch, heads, rows, rows))) * mask[:, None, None, :]
    return (powers / powers.sum(axis=-1, keepdims=True)).astype("float32")


def randomize(layer, generator, scale=1.0):
    """Gives every weight of a built layer random values that are all of consequence."""
    for variable in layer.weights:
        values = generator.normal(scale=scale, size=variable.shape)
        variable.assign(1.0 + 0.3 * values if variable.path.endswith("gamma") else values)
