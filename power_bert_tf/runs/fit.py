"""A run from examples in memory or from options: the same for Python and the command line."""

import dataclasses
import pathlib

from power_bert_tf.data import Task
from power_bert_tf.data import as_examples
from power_bert_tf.data.held_out import without
from power_bert_tf.errors import InputError
from power_bert_tf.methods import DEFAULT
from power_bert_tf.methods import get_method
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.runs.job import Job
from power_bert_tf.runs.options import DataOptions
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.options import part_of
from power_bert_tf.runs.run import finish
from power_bert_tf.runs.seeds import fit_seeds
from power_bert_tf.runs.sources import given_data
from power_bert_tf.runs.sources import load_data
from power_bert_tf.runs.sources import own_data


def fit(train, dev=None, *, checkpoint, output, test=None, method=DEFAULT, task=None, **options):
    """Makes a fine-tuned BERT faster, step by step, in a run folder.

    A run that was interrupted goes on when it is called again with the same arguments.

    Args:
        train: `Examples`; or a mapping or a pandas DataFrame with `text`, `label` and, for a task
            of pairs, `text_pair`; or a tuple of such columns.
        dev: likewise, what choices are made by; a tenth of `train` is held out where None.
        checkpoint: what `open_checkpoint` takes, such as a folder in Hugging Face's layout.
        output: path of the run folder: new, empty, or that of the run to go on with.
        test: likewise, what gives the report's figures and chooses nothing.
        method: str, one of `METHODS`.
        task: `Task`, or None for one of your own.
        **options: fields of `TrainingOptions` and of the method's own options.

    Returns:
        `Run`, finished, with its `report`.

    Raises:
        InputError: where an argument cannot be used; says which, and leaves nothing behind.

    Example:

    ```python
    run = pb.fit(
        {"text": texts, "label": labels}, checkpoint="BERT_FOLDER", output="runs/mine", epochs=2
    )
    run.predict(["A fine film."])
    ```
    """
    job = job_in_memory(train, dev, test, checkpoint, output, method, task, options)
    return run_job(job)


def run_job(job):
    """Does a `Job`, with each of its seeds where there are several; returns the `Run`."""
    seeds = job.training.seeds
    return finish(job.run()) if seeds == 1 else fit_seeds(job, seeds)


def job_in_memory(train, dev, test, checkpoint, output, method, task, options):
    """The `Job` of examples in memory; see `fit`.

    Args:
        options: dict of fields of `TrainingOptions` and of the method's own options.
    """
    training, own = _split(options, get_method(method))
    training.check()
    if task is not None and (not isinstance(task, Task) or dev is None):
        raise InputError(
            "`task` must be a `Task`, and goes with `dev`. "
            f"Received: task={task!r:.80}, dev={'None' if dev is None else 'given'}"
        )
    opened = open_checkpoint(checkpoint)
    train = as_examples(train, None if task is None else task.labels, "train")
    dev, test = (
        None if given is None else as_examples(given, train.label_names, name)
        for name, given in (("dev", dev), ("test", test))
    )
    if task is None:
        data = own_data(train, dev, "examples", training, opened, test)
    else:
        data = given_data(task, train, dev, training, test)
    _say(data.notes)
    return Job(str(checkpoint), pathlib.Path(output), method, own, training, data)


def job_from_options(options, method_options):
    """The `Job` that the command line describes.

    Args:
        options: object with the fields of `RunOptions`, `DataOptions` and `TrainingOptions`.
        method_options: the method's own options.
    """
    training = part_of(options, TrainingOptions)
    training.check()
    method_options.check()
    data = load_data(part_of(options, DataOptions), training, open_checkpoint(options.checkpoint))
    _say(data.notes)
    return Job(options.checkpoint, options.output, options.method, method_options, training, data)


def _say(notes):
    for note in notes:
        print(note, flush=True)


def job_of_run(run, train=None, changes=None):
    """The `Job` that would make a run again, on the same data.

    Args:
        run: `Run`.
        train: `Examples` or what `as_examples` takes, for a run that was made from examples in
            memory, which a run folder does not keep.
        changes: dict of fields of `TrainingOptions` and of the method's own options to change.

    Raises:
        InputError: where an option is unknown, or the training examples cannot be had.
    """
    settings, task, method = run.folder.settings(), run.task, run.method
    _split(changes or {}, method)  # Fails where one is unknown.
    # N as it was, where it was proposed: nothing has to be read again to propose it.
    before = {**settings["training"], "sequence_length": task.sequence_length}
    training, _ = _split({**before, **_of(TrainingOptions, changes)}, method)
    options = dataclasses.replace(run.options, **_of(method.Options, changes))
    if settings["source"] is None:
        if train is None:
            raise InputError(
                f"`train` must be given: {run.path} was made from examples in memory, which a run "
                "does not keep. Received: train=None"
            )
        examples = as_examples(train, task.labels, "train")
        # What was held out is held out again.
        test = None if settings["held_out"] else run.folder.test()
        data = given_data(task, examples, run.folder.dev(), training, test)
    else:
        opened = open_checkpoint(settings["checkpoint"])
        data = load_data(DataOptions.from_source(settings["source"]), training, opened)
    folder, train = run.folder, data.train
    if settings["held_out"]:
        # Another number of training examples would leave others over.
        train = without(train, folder.test())
    data = dataclasses.replace(
        data, train=train, dev=folder.dev(), test=folder.test(), further=folder.further()
    )
    return Job(settings["checkpoint"], run.path, method.name, options, training, data)


def _of(options, given):
    """What of a dict are fields of a dataclass of options."""
    names = {field.name for field in dataclasses.fields(options)}
    return {name: value for name, value in (given or {}).items() if name in names}


def _split(options, method):
    """`TrainingOptions` and the method's own, from one dict."""
    training = {field.name for field in dataclasses.fields(TrainingOptions)}
    own = {field.name for field in dataclasses.fields(method.Options)}
    unknown = sorted(options.keys() - training - own)
    if unknown:
        raise InputError(
            f"unknown options for the method {method.name}. Received: {', '.join(unknown)}"
        )
    given = _of(TrainingOptions, options), _of(method.Options, options)
    return TrainingOptions(**given[0]), method.Options(**given[1])
