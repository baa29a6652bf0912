"""A run that is killed in the middle of each step ends as one that was not."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from training import toy

from commands.conftest import run_to_the_end
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main

STEPS = ("fine-tune", "search", "re-train")


class Killed(BaseException):
    pass


def assert_as_uninterrupted(path, run):
    """The same retention, scores, histories and weights."""
    ours, theirs = snapshot(path), snapshot(run.path)
    assert {name for name in ours if "/." not in f"/{name}"} == set(theirs)
    for name in ("dev.jsonl", *(f"{step}/history.json" for step in STEPS)):
        assert ours[name][1] == theirs[name][1], name
    interrupted = type(run)(path, run.arguments, "")
    for step in STEPS:
        one, other = (each.json(f"{step}/metrics.json") for each in (interrupted, run))
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    one, other = interrupted.json("search/masses.json"), run.json("search/masses.json")
    assert one == other
    one, other = interrupted.json("report.json"), run.json("report.json")
    assert one["score"] == other["score"] and one["configuration"] == other["configuration"]


def model_times(path):
    return {each: each.stat().st_mtime_ns for each in path.glob("*/model.keras")}


# The file or folder that the run is about to make appear when it is killed, and what is there
# already: the one for the second epoch, or after the last.
MANY_POINTS = (
    ("fine-tune/progress/epoch-0002", "fine-tune/progress/epoch-0001"),
    ("search/progress/masses.json", "search/progress/epoch-0001"),
    ("search/metrics.json", "search/masses.json"),
    ("re-train/progress/epoch-0002", "re-train/progress/epoch-0001"),
    ("report.json", "report.html"),
)
FEW_POINTS = (MANY_POINTS[1], MANY_POINTS[3], MANY_POINTS[4])


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(FEW_POINTS, marks=pytest.mark.slow),
        pytest.param(MANY_POINTS, marks=pytest.mark.large),
    ],
    ids=["few points", "many points"],
)
def test_interrupted(materials, tmp_path, monkeypatch, points):
    options = {"train_examples": 32, "dev_examples": 8}
    options |= {f"{step}_epochs": 2 for step in ("fine_tuning", "search", "retraining")}
    with toy.eagerly(), without_timing():
        reference = tmp_path / "uninterrupted"
        uninterrupted = run_to_the_end(reference, materials.fit(reference, **options))
        path, real, finished = tmp_path / "run", os.replace, {}
        arguments = materials.fit(path, **options)
        for point, there in points:

            def dies(aside, target, point=point, there=there):
                if pathlib.Path(target) == path / point and (path / there).exists():
                    raise Killed
                real(aside, target)

            monkeypatch.setattr(os, "replace", dies)
            with pytest.raises(Killed):
                main(arguments)
            # What was finished before was left alone.
            assert finished.items() <= model_times(path).items()
            finished = {
                each: time
                for each, time in model_times(path).items()
                if (each.parent / "metrics.json").exists()
            }
        monkeypatch.setattr(os, "replace", real)
        assert len(finished) == 3
        assert main(arguments) == 0
    assert model_times(path) == finished
    assert_as_uninterrupted(path, uninterrupted)


def wait_for(condition, process, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.large
def test_sigkill_in_the_middle_of_each_step(finished_run, materials, tmp_path):
    path = tmp_path / "run"
    command = [sys.executable, "-m", "power_bert_tf", *materials.fit(path)]
    finished = {}
    for number, step in enumerate(STEPS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            progress = path / step / "progress"
            wait_for(lambda progress=progress: list(progress.glob("epoch-*")), process)
            # Somewhere in the next epoch, or in writing it.
            time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
        assert not (path / step / "metrics.json").exists(), "killed too late to show anything"
        assert model_times(path) | finished == model_times(path)
        finished = model_times(path)
        assert len(finished) == number
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert finished.items() <= model_times(path).items()
    assert_as_uninterrupted(path, finished_run)
