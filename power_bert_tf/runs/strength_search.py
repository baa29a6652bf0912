"""Which strength to try next, when more of it is faster and loses more."""

import math


class StrengthSearch:
    """Narrows down the strength at which something begins to be too much.

    From the first strength it goes up or down in wide steps until one is enough and one too
    much, and then halves the ratio between the two until that is narrow. Nothing is random, so
    the same findings lead the same way again.

    Args:
        start: float. The first strength, above 0.
        step: float. The factor from one strength to the next while all are alike.
        narrow: float. The largest ratio of the two that ends it.
        least: float. No strength is tried at or below it.

    Example:

    >>> search = StrengthSearch(1e-3)
    >>> while (strength := search.next()) is not None:
    ...     search.record(strength, too_much=strength > 3e-3)
    >>> search.strengths
    [0.001, 0.004, 0.002, 0.0028284271247461905]
    """

    def __init__(self, start, step=4.0, narrow=1.42, least=0.0):
        self.start = start
        self.step = step
        self.narrow = narrow
        self.least = least
        self._findings = {}

    @property
    def strengths(self):
        """Those that were tried, in their order."""
        return list(self._findings)

    def record(self, strength, too_much):
        """Says what was found at a strength."""
        self._findings[strength] = too_much

    def next(self):
        """The strength to try, or None where there is nothing left to narrow down."""
        if not self._findings:
            return self.start
        enough = [strength for strength, too_much in self._findings.items() if not too_much]
        if not enough:
            lower = min(self._findings) / self.step
            return lower if lower > self.least else None
        lower = max(enough)
        # A noisy finding below the largest that was enough is none to go by.
        above = [
            strength
            for strength, too_much in self._findings.items()
            if too_much and strength > lower
        ]
        if not above:
            return lower * self.step
        upper = min(above)
        return None if upper / lower <= self.narrow else math.sqrt(lower * upper)
