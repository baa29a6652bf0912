"""The run of `power-bert demo`: generated reviews, the checkpoint that comes along, no network."""

from power_bert_tf.data import Task
from power_bert_tf.data.demo import demo_checkpoint
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_method
from power_bert_tf.runs.fit import finish
from power_bert_tf.runs.job import Job
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.sources import given_data

_TASK = Task(
    name="generated reviews",
    metric="accuracy",
    labels=("negative", "positive"),
    sequence_length=64,
    batch_size=32,
    learning_rate=2e-4,
    epochs=2,
)


def demo_run(output, train_examples=3000, dev_examples=500, method=DEFAULT):
    """Trains a small BERT and a faster one on generated reviews, in a few minutes.

    Args:
        output: path of the run folder.
        train_examples: int, generated training reviews.
        dev_examples: int, generated reviews to measure on.
        method: str, the method's name.

    Returns:
        `Run`, finished, with its report.
    """
    training = TrainingOptions(group_by_length=True)
    data = given_data(
        _TASK,
        demo_examples("train", train_examples),
        demo_examples("dev", dev_examples),
        training,
    )
    options = get_method(method).demo
    return finish(Job(demo_checkpoint(), output, method, options, training, data).run())
