"""Wall clock of several ways to do the same work, interleaved."""

import collections.abc
import sys
import time

import numpy as np

_SLOW_SECONDS = 10.0
_DONE = object()


def interleaved_seconds(functions, budget_seconds=30.0, least_runs=5, most_runs=30):
    """Times functions in turn, so that a noisy machine is as noisy for each.

    Each function runs once unmeasured, then all run in rounds until the budget is spent. Work that
    is an iterator is done one step at a time, in turn with the others: a neighbour that takes the
    machine for seconds then slows a step of each, rather than all of one. Rounds of more than ten
    seconds are told of on the standard error, so that nobody waits for nothing.

    Args:
        functions: dict of name to function without arguments, which does its work or returns an
            iterator whose steps do it.
        budget_seconds: float, when to stop starting rounds.
        least_runs, most_runs: int, bounds on the number of rounds.

    Returns:
        dict of name to array of seconds, one for each round.
    """
    begin = time.perf_counter()
    _round(functions)
    _tell("timing: to compile and run once", time.perf_counter() - begin)
    seconds = {name: [] for name in functions}
    begin = time.perf_counter()
    for run in range(most_runs):
        if run >= least_runs and time.perf_counter() - begin > budget_seconds:
            break
        taken = _round(functions)
        for name, values in seconds.items():
            values.append(taken[name])
        _tell(f"timing: round {run + 1} of {least_runs} or more", sum(taken.values()))
    return {name: np.array(values) for name, values in seconds.items()}


def _round(functions):
    """Does the work of each function once; a dict of name to seconds."""
    seconds, steps = dict.fromkeys(functions, 0.0), {}
    for name, function in functions.items():
        start = time.perf_counter()
        work = function()
        seconds[name] += time.perf_counter() - start
        if isinstance(work, collections.abc.Iterator):
            steps[name] = work
    while steps:
        for name, work in list(steps.items()):
            start = time.perf_counter()
            if next(work, _DONE) is _DONE:
                del steps[name]
            seconds[name] += time.perf_counter() - start
    return seconds


def _tell(what, seconds):
    if seconds > _SLOW_SECONDS:
        print(f"  {what} took {seconds:.0f} s", file=sys.stderr, flush=True)
