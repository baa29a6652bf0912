import json

import numpy as np
import pytest

from power_bert_tf.methods.power_bert.mass_history import MassHistory


class Reduction:
    """Gives the mass after each batch that was seen: 10, 9, 8 ..."""

    def __init__(self):
        self.batches = 0

    def masses(self, model):
        return [10.0 - self.batches, 20.0 - self.batches]


class Model:
    def __init__(self):
        self.reduction = Reduction()


def run(course, first_epoch, last_epoch, steps=4, batches_in_last=4):
    """Calls the callback as `fit` does."""
    model = Model()
    model.reduction.batches = first_epoch * steps
    course.set_model(model)
    for epoch in range(first_epoch, last_epoch):
        course.on_epoch_begin(epoch)
        for batch in range(batches_in_last if epoch == last_epoch - 1 else steps):
            model.reduction.batches += 1
            course.on_train_batch_end(batch)
        if epoch < last_epoch - 1 or batches_in_last == steps:
            course.on_epoch_end(epoch)


def test_records_from_the_start_to_the_last_step(tmp_path):
    course = MassHistory(tmp_path / "course.json", steps_per_epoch=4)
    run(course, 0, 2)
    assert course.record["steps"] == list(range(9))
    assert course.record["masses"] == [[10.0 - step, 20.0 - step] for step in range(9)]
    assert json.loads((tmp_path / "course.json").read_text()) == course.record


@pytest.mark.parametrize(("steps", "points", "expected"), [(10, 5, 5), (10, 3, 4), (3, 20, 3)])
def test_looks_about_as_often_as_asked(tmp_path, steps, points, expected):
    course = MassHistory(tmp_path / "course.json", steps, points)
    run(course, 0, 1, steps, steps)
    # One more at the very start; the end of an epoch is always there.
    assert len(course.record["steps"]) == expected + 1
    assert course.record["steps"][-1] == steps


def test_goes_on_where_the_last_whole_epoch_ended(tmp_path):
    path = tmp_path / "course.json"
    whole = MassHistory(tmp_path / "whole.json", 4)
    run(whole, 0, 3)
    interrupted = MassHistory(path, 4)
    run(interrupted, 0, 2, batches_in_last=2)
    resumed = MassHistory(path, 4)
    run(resumed, 1, 3)
    assert resumed.record == whole.record
    np.testing.assert_array_equal(resumed.record["steps"], range(13))


def test_an_epoch_that_was_recorded_but_not_backed_up_is_seen_once(tmp_path):
    """The course is written before the backup: a kill in between repeats the epoch."""
    path = tmp_path / "course.json"
    run(MassHistory(path, 4), 0, 2)
    again = MassHistory(path, 4)
    run(again, 1, 2)
    assert again.record["steps"] == list(range(9))
