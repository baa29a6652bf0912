"""With a clock of our own, so that nothing depends on the machine."""

import itertools

import numpy as np
import pytest

from power_bert_tf.measure import timing


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a function moves it."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(timing.time, "perf_counter", lambda: Clock.now)
    return Clock


def working(clock, calls, name, seconds):
    seconds = itertools.cycle(seconds)

    def work():
        calls.append(name)
        clock.now += next(seconds)

    return work


def test_interleaves_after_one_unmeasured_run_each(clock):
    calls = []
    # The first call of each, where functions are compiled, takes 100 seconds.
    functions = {
        "a": working(clock, calls, "a", [100.0, 1.0, 2.0, 3.0]),
        "b": working(clock, calls, "b", [100.0, 5.0, 6.0, 7.0]),
    }
    seconds = timing.interleaved_seconds(functions, 1e9, least_runs=1, most_runs=3)
    assert calls == ["a", "b"] * 4
    np.testing.assert_allclose(seconds["a"], [1, 2, 3])
    np.testing.assert_allclose(seconds["b"], [5, 6, 7])


def test_work_in_steps_takes_turns(clock):
    calls = []

    def stepwise(name, seconds):
        def work():
            for each in seconds:
                calls.append(name)
                clock.now += each
                yield

        return work

    functions = {"a": stepwise("a", [1.0, 2.0, 4.0]), "b": stepwise("b", [10.0])}
    functions["c"] = working(clock, calls, "c", [100.0])
    seconds = timing.interleaved_seconds(functions, 0.0, least_runs=1, most_runs=1)
    assert calls == ["c", "a", "b", "a", "a"] * 2
    assert {name: list(values) for name, values in seconds.items()} == {
        "a": [7.0],
        "b": [10.0],
        "c": [100.0],
    }


@pytest.mark.parametrize(("budget", "rounds"), [(0.0, 2), (5.5, 3), (1e9, 4)])
def test_rounds_are_as_many_as_the_budget_allows(clock, budget, rounds):
    """A round takes two seconds; one is begun as long as the budget is not spent."""
    calls = []
    functions = {name: working(clock, calls, name, [1.0]) for name in "ab"}
    seconds = timing.interleaved_seconds(functions, budget, least_runs=2, most_runs=4)
    assert len(seconds["a"]) == len(seconds["b"]) == rounds
    assert len(calls) == 2 * (rounds + 1)


def test_slow_rounds_are_told_of(clock, capsys):
    functions = {"a": working(clock, [], "a", [1.0, 9.0, 4.0]), "b": working(clock, [], "b", [5.0])}
    timing.interleaved_seconds(functions, 0.0, least_runs=2, most_runs=4)
    assert capsys.readouterr().err == "  timing: round 1 of 2 or more took 14 s\n"
