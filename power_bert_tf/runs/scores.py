"""What the models of a run score: on dev, by which choices are made, and on test, by which none."""

import functools

import numpy as np

from power_bert_tf.files import write_file
from power_bert_tf.measure.uncertainty import drop_uncertainty
from power_bert_tf.measure.uncertainty import standard_error
from power_bert_tf.methods.method import BERT_STEPS
from power_bert_tf.training.loop import predict
from power_bert_tf.training.metrics import task_score


def bert_steps(run):
    """The names of those of `BERT_STEPS` that a run has: no control where none is trained."""
    return tuple(name for name in BERT_STEPS if name in run.steps)


def bert_at_its_best(run):
    """The name of the one of `bert_steps` that has the higher dev score."""
    return max(bert_steps(run), key=lambda name: run.finished_step(name).metrics()["score"])


def outputs(run, step, name):
    """What the model of a step answers on one of the run's sets.

    It is kept in the step's folder, where a run that takes the step over finds it.

    Args:
        run: `RunFolder`.
        step: str, the name of a finished step.
        name: str, one of `run.sets`.

    Returns:
        Array as `task_score` takes it.
    """
    folder = run.finished_step(step)
    path = folder.path / f"answers-{name}.npy"
    if not path.exists():
        answers = predict(folder.load_model(), run.examples(name), run.preprocessor())
        write_file(path, functools.partial(_save, answers=answers))
    return np.load(path, allow_pickle=False)


def _save(path, answers):
    with open(path, "wb") as file:  # Given a path, NumPy would add an ending of its own.
        np.save(file, answers)


def drop(run, name):
    """The drop from BERT at its best to the last step on one of a run's sets, and how sure it is.

    Returns:
        dict, JSON-ready: `bert` and `reduced`, the two scores, `drop_points`, and what
        `drop_uncertainty` says.
    """
    metric, labels = _metric(run), run.examples(name).labels
    answers = [outputs(run, step, name) for step in (bert_at_its_best(run), run.steps[-1])]
    bert, reduced = (task_score(metric, labels, each) for each in answers)
    return {
        "bert": bert,
        "reduced": reduced,
        "drop_points": 100 * (bert - reduced),
        **drop_uncertainty(metric, labels, *answers),
    }


def scores(run, name):
    """How a finished run's models score on one of its sets, and how sure that is.

    Args:
        run: `RunFolder`.
        name: str, one of `run.sets`.

    Returns:
        dict, JSON-ready: `examples`; `models`, for each of `bert_steps` and the last step its
        `score` and `standard_error`; and `score`, what `drop` says.
    """
    metric, labels = _metric(run), run.examples(name).labels
    answers = {step: outputs(run, step, name) for step in (*bert_steps(run), run.steps[-1])}
    models = {
        step: {
            "score": task_score(metric, labels, each),
            "standard_error": standard_error(metric, labels, each),
        }
        for step, each in answers.items()
    }
    return {"examples": len(labels), "models": models, "score": drop(run, name)}


def _metric(run):
    return run.settings()["identity"]["task"]["metric"]
