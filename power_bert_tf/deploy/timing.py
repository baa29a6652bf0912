"""Wall clock of several ways to do the same work, interleaved."""

import sys
import time

import numpy as np

_SLOW_SECONDS = 10.0


def interleaved_seconds(functions, budget_seconds=30.0, least_runs=5, most_runs=30):
    """Times functions in turn, so that a noisy machine is as noisy for each.

    Each function runs once unmeasured, then all run in rounds until the budget is spent. Rounds of
    more than ten seconds are told of on the standard error, so that nobody waits for nothing.

    Args:
        functions: dict of name to function without arguments.
        budget_seconds: float, when to stop starting rounds.
        least_runs, most_runs: int, bounds on the number of rounds.

    Returns:
        dict of name to array of seconds, one for each round.
    """
    begin = time.perf_counter()
    for function in functions.values():
        function()
    _tell("timing: to compile and run once", time.perf_counter() - begin)
    seconds = {name: [] for name in functions}
    begin = time.perf_counter()
    for run in range(most_runs):
        if run >= least_runs and time.perf_counter() - begin > budget_seconds:
            break
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
        _tell(
            f"timing: round {run + 1} of {least_runs} or more",
            sum(values[-1] for values in seconds.values()),
        )
    return {name: np.array(values) for name, values in seconds.items()}


def _tell(what, seconds):
    if seconds > _SLOW_SECONDS:
        print(f"  {what} took {seconds:.0f} s", file=sys.stderr, flush=True)
