"""BERT and a faster model side by side: what `power-bert benchmark` measures."""

import keras
import numpy as np

from power_bert_tf.deploy.runtimes import default_runtime
from power_bert_tf.errors import InputError
from power_bert_tf.measure import benchmark_table
from power_bert_tf.measure.comparison import operations
from power_bert_tf.measure.comparison import times
from power_bert_tf.measure.machine import measured_on
from power_bert_tf.measure.peak import matrix_product_peak
from power_bert_tf.modeling import BertClassifier
from power_bert_tf.modeling import EncoderConfig


def bert_of_size(size, sequence_length):
    """A BERT of a named size with random weights, the same each time."""
    keras.utils.set_random_seed(0)
    return BertClassifier(EncoderConfig.of_size(size), 2, sequence_length)


def check_configuration(configuration):
    """Raises InputError where there is nothing that makes a model faster."""
    if configuration is None:
        raise InputError("`configuration` must be given for this model. Received: None")


def spread_lengths(lengths, count, sequence_length):
    """As many lengths as are wanted, at even ranks, so that few have the distribution of many.

    Args:
        lengths: int array, the lengths of real texts; None for `sequence_length` each.
        count: int.
        sequence_length: int, the most.

    Returns:
        int array (count,), in an order that is random and the same each time.
    """
    if lengths is None:
        return np.full(count, sequence_length)
    ranks = np.linspace(0, len(lengths) - 1, count).astype(int)
    drawn = np.minimum(np.sort(lengths)[ranks], sequence_length)
    return np.random.default_rng(0).permutation(drawn)


def read_lengths(path):
    """Lengths of texts from a file with a whole number in each line.

    Raises:
        InputError: where it cannot be read, or holds anything else.
    """
    try:
        lengths = np.array([int(line) for line in path.read_text().split()])
    except (OSError, ValueError) as error:
        raise InputError(
            f"`lengths` must be a file with a whole number in each line. Received: {error}"
        ) from error
    if not len(lengths) or lengths.min() < 1:
        raise InputError(f"`lengths` must be a file with lengths of at least 1. Received: {path}")
    return lengths


def random_texts(bert, sizes, seed=0):
    """Texts of random word-pieces, a list of int arrays.

    Args:
        bert: `BertClassifier`.
        sizes: ints, the texts' lengths.
        seed: int.
    """
    random = np.random.default_rng(seed)
    return [random.integers(0, bert.config.vocabulary_size, size) for size in sizes]


def benchmark(bert, reduced, sizes, names, rounds=100, runtime=None, dtype="float32", **options):
    """Times and counts both models on random texts.

    Args:
        bert, reduced: `BertClassifier`, of the same sequence length.
        sizes: int array (texts,), their lengths.
        names: dict of `model`, `title` (the method's) and `configuration`, for the table.
        rounds: int, measured rounds of all ways.
        runtime: str, one of `RUNTIMES`; the backend of Keras where None.
        dtype: str.
        **options: further ones of `CompiledClassifier`.

    Returns:
        dict, JSON-ready; `rows` has the figures of the table.
    """
    runtime = default_runtime(dtype) if runtime is None else runtime
    token_ids = random_texts(bert, sizes)
    result = {
        **names,
        "sequence_length": bert.sequence_length,
        "mean_length": float(sizes.mean()),
        "xla": options.get("jit_compile", False) or keras.config.backend() == "jax",
        "operations": operations(bert.config, bert.sequence_length, reduced.reduction, sizes),
        "time": times(
            bert,
            reduced,
            token_ids,
            [np.zeros_like(ids) for ids in token_ids],
            textbook=True,
            runtime=runtime,
            dtype=dtype,
            rounds={
                "budget_seconds": float("inf"),
                "least_runs": rounds,
                "most_runs": rounds,
            },
            **options,
        ),
        "matrix_product_peak": None if dtype == "int8" else matrix_product_peak(dtype, runtime),
        "backend": keras.config.backend(),
        **measured_on(runtime),
    }
    result["rows"] = list(benchmark_table.rows(result))
    return result


def bars(result):
    """What `draw_speeds` draws of a benchmark: the bars and the title."""
    time = result["time"]
    title = (
        f"{result['model']}, N = {result['sequence_length']}, mean length "
        f"{result['mean_length']:.0f}, {time['runtime']} {time['dtype']}, batch "
        f"{time['batch_size']}"
    )
    rows = [(row["label"], row["texts_a_second"], row["faster"]) for row in result["rows"]]
    return rows, title
