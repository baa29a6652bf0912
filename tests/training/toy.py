"""A task that a tiny BERT learns in seconds: one word decides, the others are filler."""

import contextlib
import warnings

import numpy as np
import tensorflow as tf

from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.training.training_data import TrainingData

FILLERS = ("the", "a", "film", "plot", "was", "and", "it", "so", "we", "saw", "##s")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bad", "good", *FILLERS)
LABELS = ("negative", "positive")
OPTIONS = ("A", "B", "C", "D")
LENGTH = 12


def sentence(generator, word):
    """`word` somewhere among two to eight fillers."""
    words = list(generator.choice(FILLERS[:-1], generator.integers(2, 9)))
    words.insert(generator.integers(len(words) + 1), word)
    return " ".join(words)


def examples(count, seed=0, pairs=False, regression=False):
    """Texts with "good" or "bad". For pairs, and for regression, both texts have such a word."""
    generator = np.random.default_rng(seed)
    first, second = generator.integers(2, size=(2, count))
    texts = [sentence(generator, ("bad", "good")[label]) for label in first]
    text_pairs = [sentence(generator, ("bad", "good")[label]) for label in second]
    labels = first == second if pairs else first
    if regression:
        labels = first.astype("float32")
    return Examples(
        texts,
        text_pairs if pairs else None,
        labels if regression else labels.astype("int32"),
        () if regression else LABELS,
    )


def questions(count, seed=0, choices=3):
    """An article without meaning; of a question's options the right one alone is good."""
    generator = np.random.default_rng(seed)
    right = generator.integers(choices, size=count)
    articles = [sentence(generator, "film") for _ in range(count)]
    options = ["good" if option == each else "bad" for each in right for option in range(choices)]
    return Examples(
        np.repeat(articles, choices).tolist(), options, right, OPTIONS[:choices], choices
    )


def preprocessor(sequence_length=LENGTH, truncation="longest_first"):
    return Preprocessor(WordPieceTokenizer(VOCABULARY), sequence_length, truncation)


def config(**changes):
    sizes = {
        "vocabulary_size": len(VOCABULARY),
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 16,
        "max_sequence_length": 16,
    }
    return EncoderConfig(**{**sizes, **changes})


def classifier(sequence_length=LENGTH, seed=None, scale=0.7, **arguments):
    """A tiny BERT; given a seed, with weights so large that texts differ in their answers.

    A smaller scale suits a model that is to be trained.
    """
    head = arguments.get("head", "classification")
    names = {"classification": LABELS, "regression": (), "multiple_choice": OPTIONS[:3]}
    model = BertClassifier(
        arguments.pop("config", None) or config(),
        num_classes=2 if head == "classification" else 1,
        sequence_length=sequence_length,
        **{"label_names": names[head], **arguments},
    )
    if seed is not None:
        generator = np.random.default_rng(seed)
        for variable in model.trainable_variables:
            if variable.path.endswith(("retention", "/eta", "/theta")):
                continue
            noise = generator.normal(0.0, scale, variable.shape)
            if variable.path.endswith(("gamma", "beta", "bias")):
                noise *= 0.3
            variable.assign(noise + float(variable.path.endswith("gamma")))
    return model


def step_data(train=64, dev=32, batch_size=16, seed=0, **arguments):
    regression = arguments.get("regression", False)
    return TrainingData(
        examples(train, seed=1, **arguments),
        examples(dev, seed=2, **arguments),
        preprocessor(),
        "spearman" if regression else "accuracy",
        batch_size,
        seed,
    )


@contextlib.contextmanager
def eagerly():
    """Trains without graphs, which take longer to trace than a tiny model takes to train."""
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # TensorFlow's datasets remain graphs, and say so.
            warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
            yield
    finally:
        tf.config.run_functions_eagerly(False)


def weights(model):
    """Every weight by its path, as arrays."""
    return {variable.path: np.array(variable) for variable in model.weights}
