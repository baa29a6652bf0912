"""What the commands that use a finished run have in common."""

import dataclasses
import pathlib

from power_bert_tf.commands.fit import Fit
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.errors import InputError
from power_bert_tf.runs.folder import STEPS
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.folder import read_json

# What `CompiledClassifier` is to be given, in a run folder.
CHOICE = "inference.json"


def open_step(path, step):
    """The run at `path` and the model of one of its finished steps."""
    if step not in STEPS:
        raise InputError(f"`step` must be one of {', '.join(STEPS)}. Received: step={step!r}")
    run = RunFolder.open(path)
    return run, run.finished_step(step).load_model()


def compiled_classifier(run, model, batch_size):
    """A run's model, compiled as `power-bert benchmark --choose` found to be fastest, if it did."""
    choice = run.path / CHOICE
    options = read_json(choice) if choice.exists() else {}
    return CompiledClassifier(model, run.preprocessor(), batch_size=batch_size, **options)


def is_pair(run):
    """Whether the run's task is about pairs of texts."""
    return len(run.settings()["identity"]["task"]["features"]) == 2


def check_pairs(run, text_pairs, source):
    """Raises InputError where there is no second text and the task needs one, or the reverse."""
    if (text_pairs is not None) != is_pair(run):
        raise InputError(
            f"{source} must{'' if is_pair(run) else ' not'} have `text_pair`: the run's task is "
            f"about {'pairs of texts' if is_pair(run) else 'single texts'}"
        )


def fit_of(run):
    """The `Fit` that made a run.

    Raises:
        InputError: where it used an option that `fit` has not got in this version.
    """
    settings = run.settings()
    # N as it was, where it was proposed: nothing has to be read again to propose it.
    length = settings["identity"]["task"]["sequence_length"]
    command = {**settings["command"], "sequence_length": length}
    known = {field.name for field in dataclasses.fields(Fit)}
    unknown = {name: command.pop(name) for name in command.keys() - known}
    used = sorted(f"{name}={value}" for name, value in unknown.items() if value)
    if used:
        raise InputError(
            f"{run.path} was made by another version of power-bert, whose `fit` has options that "
            f"are not known here. Received: {', '.join(used)}"
        )
    paths = ("output", "train", "dev", "tfds_dir", "data_dir", "fine_tuned")
    return Fit(
        **{
            name: pathlib.Path(value) if name in paths and value is not None else value
            for name, value in command.items()
        }
    )


def load_beside(run):
    """What the run's report measured beside its own dev examples, see `Fit.load_beside`."""
    return fit_of(run).load_beside()


def load_dev_examples(run):
    """The examples that the run was measured on, from where its command took them."""
    fit = fit_of(run)
    if fit.task is None and fit.train is None:
        # The demo's, which come from no file.
        dev = demo_examples("dev", run.settings()["examples"]["dev"])
    else:
        _, _, dev = fit.load_data()
        dev = dev if fit.dev_examples is None else dev.take(fit.dev_examples, fit.seed)
    if dev.fingerprint() != run.settings()["identity"]["dev"]:
        raise InputError(f"the dev examples of {run.path} have changed since the run")
    return dev
