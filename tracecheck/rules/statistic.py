"""One number that all instances of a rule make together, and what it is bounded by: a percentile, or the jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracecheck.rules.bounds import INCONCLUSIVE
from tracecheck.rules.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Statistic:
    """One percentile, or the jitter, of a rule on one lane.

    `verdict`     PASS, FAIL or INCONCLUSIVE
    `count`       instances it was taken of; `needed`: how many it takes to pass
    `low`, `high` samples (`unit` "scl": SCL periods) between which it lies by nearest rank, each uncertain by `slack`
                  samples; None for longer than any time
    `missing`     instances without a response; `open`: those that were cut, or could not be decided
    `at`          sample from which on the capture was judged
    """

    name: str
    bound: Quantity
    verdict: int
    count: int
    needed: int
    low: float | None
    high: float | None
    unit: str = "samples"
    missing: int = 0
    open: int = 0
    slack: int = 1
    at: int = 0

    @property
    def value(self) -> float | None:
        """Samples, where it is known but for the uncertainty of an edge."""
        return self.high if self.low == self.high and self.unit == "samples" else None

    def said(self, time: Callable[[int], str]) -> str:
        """What was found, for a person; `time` formats a distance in samples."""
        noun = "period" if self.name == "jitter" else "instance"
        text = f"{self.name} of {self.count} {noun}{'' if self.count == 1 else 's'} {self._lies(time)}"
        if self.verdict == INCONCLUSIVE and self.count < self.needed:
            text += f"; it needs {self.needed} to pass"
        return text

    def _lies(self, time: Callable[[int], str]) -> str:
        def shown(value: float) -> str:
            return f"{value:.1f} scl" if self.unit == "scl" else time(int(value))

        if self.low is None:
            return f"is longer than any time: {self.missing} without a response"
        if self.low == self.high:
            return f"is {shown(self.low)}"
        if self.high is not None:
            return f"lies between {shown(self.low)} and {shown(self.high)}"
        reasons = [f"{self.missing} without a response"] * (self.missing > 0)
        reasons += [f"{self.open} cut or undecided"] * (self.open > 0)
        return f"is at least {shown(self.low)}: {' and '.join(reasons) or 'the SCL period is not known'}"
