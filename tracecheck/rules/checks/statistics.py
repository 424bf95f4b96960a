"""What all instances of a rule on one lane say together: percentiles, nearest rank, and jitter.

Each is one instance of the scope `capture`. An instance of the rule lies between the ends of its uncertainty interval;
one whose response is missing is infinitely long, one that the capture cuts lasts at least as long as was seen, and of
one that could not be decided nothing is known. The percentile of the lower ends and that of the upper ends enclose the
true one. Both within the bound is a pass, both over it a fail. As each bound is an upper one, this comes to counting:
the percentile of the upper ends is within the bound where as many upper ends are as the rank says.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.window import Mask
from tracecheck.rules.bounds import FAIL, INCONCLUSIVE, PASS, UNJUDGED, Bounds, Verdicts
from tracecheck.rules.checks.base import ADRIFT, Checker, LaneInfo, Limits
from tracecheck.rules.checks.instances import Instances
from tracecheck.rules.counted import Counted
from tracecheck.rules.model import DurationRule, RecurrenceRule, ResponseRule
from tracecheck.rules.percentile import Percentile
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.statistic import Statistic

PARTS: Final = 1_000_000
"""Lengths in SCL periods are counted in millionths, so that equal ones are equal."""
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
        self._percentiles = Percentiles(rule.percentiles, lambda q: self.bounds(None, q)) if rule.percentiles else None

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._each.in_samples(self._each.lower, period), self._each.in_samples(self._each.upper, period)

    @property
    def same_limits(self) -> tuple[float, float] | None:
        return self._each.same

    def limits(self, found: Instances) -> Limits:
        return self._each.each(found.period)

    def noted(self, verdict: Verdicts) -> Verdicts:
        """Where only percentiles or the jitter are bounded, no single instance passes: it is measured."""
        return np.where(verdict == PASS, UNJUDGED, verdict).astype(np.uint8) if self._unjudged else verdict

    @abstractmethod
    def spans(self, found: Instances) -> Spans:
        """How long the instances lasted that percentiles are taken of."""

    def note(self, found: Instances) -> None:
        if self._percentiles:
            self._percentiles.add(self.spans(found.where(found.reason != ADRIFT)))

    def statistics(self, at: int) -> tuple[Statistic, ...]:
        return self._percentiles.statistics(at) if self._percentiles else ()


class Percentiles:
    """What spans come to, as they are added: for each percentile how many are surely within its bound, and over it."""

    def __init__(self, wanted: Sequence[Percentile], bounds: Callable[[Quantity], Bounds]) -> None:
        """`bounds` makes an upper bound exact."""
        self._wanted = [(each, bounds(each.bound)) for each in wanted]
        self._within = [0] * len(self._wanted)
        self._over = [0] * len(self._wanted)
        self._count = self._sure = self._missing = self._open = 0
        self._near = {unit: _Ends() for unit in {each.bound.unit for each in wanted}}
        self._far = {unit: _Ends() for unit in self._near}

    def add(self, spans: Spans) -> None:
        """Take more of them."""
        missing = spans.near == FOREVER
        self._count += len(spans.near)
        self._sure += int(spans.sure.sum())
        self._missing += int(missing.sum())
        self._open += int(((spans.far == FOREVER) & ~missing).sum())
        for i, (_, bound) in enumerate(self._wanted):
            self._within[i] += int((bound.judge(spans.far, spans.period) == PASS).sum())
            self._over[i] += int((missing | bound.beyond(spans.near, spans.period)).sum())
        for unit, near in self._near.items():
            near.add(spans.near if unit == "s" else _in_scl(spans.near, spans.period, 0))
            self._far[unit].add(spans.far if unit == "s" else _in_scl(spans.far, spans.period, FOREVER))

    def statistics(self, at: int) -> tuple[Statistic, ...]:
        """Each percentile, once there is something to take it of."""
        return tuple(self._statistic(i, at) for i in range(len(self._wanted)) if self._count)

    def _statistic(self, i: int, at: int) -> Statistic:
        wanted = self._wanted[i][0]
        rank = wanted.rank(self._count)
        verdict = INCONCLUSIVE
        if self._over[i] > self._count - rank:
            verdict = FAIL
        elif self._within[i] >= rank and self._sure >= wanted.needed:
            verdict = PASS
        unit = wanted.bound.unit
        ends = [self._near[unit].ranked(rank), self._far[unit].ranked(rank)]
        low, high = (end / PARTS if unit == "scl" and end is not None else end for end in ends)
        return Statistic(
            name=wanted.name,
            bound=wanted.bound,
            verdict=verdict,
            count=self._sure,
            needed=wanted.needed,
            low=low,
            high=high,
            unit="scl" if unit == "scl" else "samples",
            missing=self._missing,
            open=self._open,
            at=at,
        )


class _Ends:
    """The lower, or the upper, ends of spans; those without end beside the others."""

    def __init__(self) -> None:
        self._finite = Counted()

    def add(self, length: Samples) -> None:
        self._finite.add(length[length != FOREVER])

    def ranked(self, rank: int) -> int | None:
        """The one at a rank, from 1, in ascending order; None: without end."""
        return self._finite.ranked(rank) if rank <= len(self._finite) else None


def _in_scl(length: Samples, period: Samples, unknown: int) -> Samples:
    """Lengths in millionths of an SCL period; where that is not known, `unknown`."""
    endless = length == FOREVER
    parts = np.rint(np.where(endless, 0, length) / np.maximum(period, 1) * PARTS).astype(np.int64)
    return np.where(endless, FOREVER, np.where(period > 0, parts, unknown))
