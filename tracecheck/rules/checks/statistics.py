"""What all instances of a rule on one lane say together: percentiles, nearest rank, and jitter.

Each is one instance of the scope `capture`. An instance of the rule lies between the ends of its uncertainty interval;
one whose response is missing is infinitely long, one that the capture cuts lasts at least as long as was seen, and of
one that could not be decided nothing is known. The percentile of the lower ends and that of the upper ends enclose the
true one. Both within the bound is a pass, both over it a fail. As each bound is an upper one, this comes to counting:
the percentile of the upper ends is within the bound where as many upper ends are as the rank says.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.window import Mask
from tracecheck.rules.bounds import FAIL, INCONCLUSIVE, PASS, UNJUDGED, Verdicts
from tracecheck.rules.checks.base import Checker, Instances, LaneInfo
from tracecheck.rules.model import DurationRule, RecurrenceRule, ResponseRule
from tracecheck.rules.percentile import Percentile
from tracecheck.rules.statistic import Statistic

T = TypeVar("T", bound=ResponseRule | DurationRule | RecurrenceRule)


class Spans(NamedTuple):
    """How long n instances lasted: from `near` to `far` samples, FOREVER for without end.

    `period`: SCL period of each, 0 unknown; `sure`: there surely is such an instance.
    """

    near: Samples
    far: Samples
    period: Samples
    sure: Mask

    @staticmethod
    def of(near: Samples, far: Samples, period: Samples, doubtful: Mask) -> Spans:
        """Of the doubtful ones nothing is known, not even whether there is one: from nothing to forever."""
        return Spans(np.where(doubtful, 0, near), np.where(doubtful, FOREVER, far), period, ~doubtful)


class TimedChecker(Checker[T]):
    """A checker whose instances are times, of which percentiles can be taken."""

    def __init__(self, rule: T, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._each = self.bounds(rule.min, rule.within if isinstance(rule, ResponseRule) else rule.max)
        jitter = isinstance(rule, RecurrenceRule) and rule.jitter is not None
        self._unjudged = not self._each.any and (jitter or bool(rule.percentiles))

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._each.in_samples(self._each.lower, period), self._each.in_samples(self._each.upper, period)

    def noted(self, verdict: Verdicts) -> Verdicts:
        """Where only percentiles or the jitter are bounded, no single instance passes: it is measured."""
        return np.where(verdict == PASS, UNJUDGED, verdict).astype(np.uint8) if self._unjudged else verdict

    @abstractmethod
    def spans(self, found: Instances) -> Spans:
        """How long the instances lasted that percentiles are taken of."""

    def statistics(self, found: Instances, at: int) -> tuple[Statistic, ...]:
        if not self.rule.percentiles:
            return ()
        spans = self.spans(found)
        return tuple(self._percentile(each, spans, at) for each in self.rule.percentiles if len(spans.near))

    def _percentile(self, wanted: Percentile, spans: Spans, at: int) -> Statistic:
        n, sure = len(spans.near), int(spans.sure.sum())
        rank = wanted.rank(n)
        bound = self.bounds(None, wanted.bound)
        missing = spans.near == FOREVER
        within = int((bound.judge(spans.far, spans.period) == PASS).sum())
        over = int((missing | bound.beyond(spans.near, spans.period)).sum())
        verdict = INCONCLUSIVE
        if over > n - rank:
            verdict = FAIL
        elif within >= rank and sure >= wanted.needed:
            verdict = PASS
        scl = wanted.bound.unit == "scl"
        return Statistic(
            name=wanted.name,
            bound=wanted.bound,
            verdict=verdict,
            count=sure,
            needed=wanted.needed,
            low=_ranked(_in_scl(spans.near, spans.period, 0.0) if scl else spans.near, rank),
            high=_ranked(_in_scl(spans.far, spans.period, np.inf) if scl else spans.far, rank),
            unit="scl" if scl else "samples",
            missing=int(missing.sum()),
            open=int(((spans.far == FOREVER) & ~missing).sum()),
            at=at,
        )


def _ranked(length: NDArray[Any], rank: int) -> float | None:
    """The one at a rank, from 1, in ascending order; None: without end."""
    found = np.sort(length)[rank - 1].item()
    return None if found in (FOREVER, np.inf) else found


def _in_scl(length: Samples, period: Samples, unknown: float) -> NDArray[np.float64]:
    """Lengths in SCL periods; where the period is not known, `unknown`."""
    periods = np.where(period > 0, length / np.maximum(period, 1), unknown)
    return np.where(length == FOREVER, np.inf, periods)
