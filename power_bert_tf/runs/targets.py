"""What a tuning is to reach: a drop that it may cost, or a speed that it must have.

A trial is a dict of `name`, `speed` (the ratio that counts), `foretells` (whether the strengthened
model's score says what it can reach) and `score`, a dict of `bert`, `strengthened` (of the model of
the method's step of that name) and, once the trial is trained to the end, `drop_points` and their
`interval`.
"""

import dataclasses

# A trial whose strengthened model has lost this many times the limit is given up: the steps that
# follow seldom win back more.
_HOPELESS = 3.0
# So near to the speed that was asked for, no trial can be much better.
_NEAR = 1.03


@dataclasses.dataclass(frozen=True)
class MaxDrop:
    """The fastest that loses at most so many points of the task's metric.

    Args:
        points: float.
        confident: bool. The upper end of the drop's interval is what counts, not the drop.
    """

    points: float
    confident: bool = False

    def promising(self, trial, before):
        """Why a trial is worth training to the end: a bool and a verdict."""
        lost = 100 * (trial["score"]["bert"] - trial["score"]["strengthened"])
        # Of a point at the least, so that a limit of 0 leaves room for chance.
        if trial["foretells"] and lost > _HOPELESS * max(self.points, 1.0):
            return False, f"lost {lost:.1f} before it was trained to the end"
        if self._no_faster(trial, before):
            return False, "no faster than one within the limit"
        return True, ""

    def meets(self, trial):
        """Whether a trial is what was asked for."""
        return "drop_points" in trial["score"] and self._lost(trial) <= self.points

    def _lost(self, trial):
        score = trial["score"]
        if self.confident and score["interval"] is not None:
            return score["interval"][1]
        return score["drop_points"]

    def verdict(self, trial):
        """What is to be said of a trial that is trained to the end."""
        verdict = "within the limit" if self.meets(trial) else "loses too much"
        return f"{verdict}: perhaps {self._lost(trial):.2f}" if self.confident else verdict

    def too_much(self, trial, before):
        """Whether a lower strength is to be tried next."""
        return not self.meets(trial) and not self._no_faster(trial, before)

    def ends(self, trial):
        """Whether no other strength need be tried after this trial."""
        return False

    def _no_faster(self, trial, before):
        """Whether one that is within the limit is as fast; then it says nothing against more."""
        return any(self.meets(other) and other["speed"] >= trial["speed"] for other in before)

    def to_complete(self, trials):
        """The trials that are still to be trained to the end when all strengths are tried."""
        return []

    def best(self, trials):
        """The trial to hand back, or None."""
        return max(filter(self.meets, trials), key=lambda trial: trial["speed"], default=None)

    def missed(self, trials):
        """What was asked for, and how near the trials came."""
        sure = " with confidence" if self.confident else ""
        asked = f"loses at most {self.points:g} points{sure}"
        trained = [trial for trial in trials if "drop_points" in trial["score"]]
        if not trained:
            return f"{asked}, and none was promising enough to train to the end"
        nearest = min(trained, key=self._lost)
        return f"{asked}; {nearest['name']} loses the least, {self._lost(nearest):.2f}"


@dataclasses.dataclass(frozen=True)
class Speedup:
    """The smallest drop among those that are so many times as fast as BERT."""

    times: float

    def promising(self, trial, before):
        """Why a trial is worth training to the end: a bool and a verdict."""
        return False, "fast enough" if self._fast(trial) else "too slow"

    def meets(self, trial):
        """Whether a trial is what was asked for."""
        return self._fast(trial) and "drop_points" in trial["score"]

    def verdict(self, trial):
        """What is to be said of a trial that is trained to the end."""
        return "fast enough"

    def too_much(self, trial, before):
        """Whether a lower strength is to be tried next."""
        return self._fast(trial)

    def ends(self, trial):
        """Whether no other strength need be tried after this trial."""
        return self.times <= trial["speed"] <= _NEAR * self.times

    def to_complete(self, trials):
        """The slowest of the fast ones, which has lost the least: speed needs no training."""
        return sorted(filter(self._fast, trials), key=lambda trial: trial["speed"])[:1]

    def best(self, trials):
        """The trial to hand back, or None."""
        met = filter(self.meets, trials)
        return min(met, key=lambda trial: trial["score"]["drop_points"], default=None)

    def missed(self, trials):
        """What was asked for, and how near the trials came."""
        fastest = max(trials, key=lambda trial: trial["speed"])
        asked = f"is {self.times:g} times as fast as BERT"
        return f"{asked}; {fastest['name']} is the fastest, {fastest['speed']:.2f} times"

    def _fast(self, trial):
        return trial["speed"] >= self.times
