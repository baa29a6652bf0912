"""Wall clock of several ways to do the same work, interleaved."""

import time

import numpy as np


def interleaved_seconds(functions, budget_seconds=30.0, least_runs=5, most_runs=30):
    """Times functions in turn, so that a noisy machine is as noisy for each.

    Each function runs once unmeasured, then all run in rounds until the budget is spent.

    Args:
        functions: dict of name to function without arguments.
        budget_seconds: float, when to stop starting rounds.
        least_runs, most_runs: int, bounds on the number of rounds.

    Returns:
        dict of name to array of seconds, one for each round.
    """
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    begin = time.perf_counter()
    for run in range(most_runs):
        if run >= least_runs and time.perf_counter() - begin > budget_seconds:
            break
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}
