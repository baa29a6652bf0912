"""The run of `power-bert demo`: generated reviews, the checkpoint that comes along, no network."""

import numpy as np

from power_bert_tf.data import Task
from power_bert_tf.data.demo import demo_checkpoint
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_method
from power_bert_tf.runs.job import Job
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.run import finish
from power_bert_tf.runs.sources import given_data

_TEST_EXAMPLES = 1000
_TASK = Task(
    name="generated reviews",
    metric="accuracy",
    labels=("negative", "positive"),
    sequence_length=64,
    batch_size=32,
    learning_rate=2e-4,
    epochs=2,
)


def demo_run(output, train_examples=2000, dev_examples=500, method=DEFAULT):
    """Trains a small BERT and a faster one on generated reviews, in a few minutes.

    Args:
        output: path of the run folder.
        train_examples: int, generated training reviews.
        dev_examples: int, generated reviews to choose epochs by; a thousand others are the test
            examples.
        method: str, the method's name.

    Returns:
        `Run`, finished, with its report.
    """
    training = TrainingOptions(fine_tuning_epochs=2, group_by_length=True)
    # Of one stream, in which no text comes twice.
    measured = demo_examples("dev", dev_examples + _TEST_EXAMPLES)
    rows = np.arange(len(measured))
    data = given_data(
        _TASK,
        demo_examples("train", train_examples),
        measured.select(rows[:dev_examples]),
        training,
        measured.select(rows[dev_examples:]),
    )
    options = get_method(method).demo
    return finish(Job(demo_checkpoint(), output, method, options, training, data).run())
