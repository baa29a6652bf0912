"""How long the steps of a run may take."""

import dataclasses
import re
import types

import pytest
from commands.conftest import write_checkpoint
from training import toy

from power_bert_tf.data import get_task
from power_bert_tf.methods.power_bert.options import PowerBertOptions
from power_bert_tf.runs.job import Job
from power_bert_tf.runs.options import TrainingOptions
from power_bert_tf.runs.sources import given_data


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("bert") / "checkpoint")


@pytest.mark.parametrize(
    ("task_epochs", "training", "fine_tune", "others"),
    [
        # The paper's few epochs leave BERT short of its best.
        (3, {}, 4, 3),
        (6, {}, 6, 6),
        (3, {"epochs": 1}, 1, 1),
        (3, {"epochs": 1, "fine_tuning_epochs": 2}, 2, 1),
        (3, {"fine_tuning_epochs": 3}, 3, 3),
    ],
)
def test_fine_tuning_has_four_epochs_where_nothing_is_said(
    checkpoint, tmp_path, task_epochs, training, fine_tune, others
):
    task = dataclasses.replace(get_task("sst2"), sequence_length=12, epochs=task_epochs)
    training = TrainingOptions(**training)
    data = given_data(task, toy.examples(20), toy.examples(10, seed=1), training)
    options = PowerBertOptions()
    job = Job(str(checkpoint), tmp_path / "out", "power-bert", options, training, data)
    epochs = {step.name: step.epochs for step in job.steps()}
    control = 2 * others
    assert epochs == {
        "fine-tune": fine_tune,
        "control": control,
        "search": others,
        "re-train": others,
    }


@pytest.mark.parametrize(
    ("step", "score", "said"),
    [
        ("fine-tune", 0.5, "after fine-tune; one answer for all texts has 0.5000. .*learning-rate"),
        ("re-train", 0.4, "accuracy on dev is 0.4000 after re-train; .*: less of --strength, or"),
        ("re-train", 0.6, ""),
    ],
)
def test_a_model_at_chance_is_said(checkpoint, tmp_path, capsys, step, score, said):
    task = dataclasses.replace(get_task("sst2"), sequence_length=12)
    data = given_data(task, toy.examples(20), toy.examples(10, seed=1), TrainingOptions())
    assert data.dev.labels.mean() == 0.5
    given = PowerBertOptions(), TrainingOptions(), data
    job = Job(str(checkpoint), tmp_path / "out", "power-bert", *given)
    job._say_if_at_chance(types.SimpleNamespace(name=step), score)
    printed = capsys.readouterr().out
    assert re.search(said, printed) if said else not printed
