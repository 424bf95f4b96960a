"""Bounds as exact sample limits, and the three verdicts that follow from one sample period of uncertainty.

Two edges seen d samples apart happened between d - 1 and d + 1 sample periods apart, clipped at 0. A bound is turned
into exact numbers once; then every instance is three integer comparisons: the whole interval inside is `pass`, wholly
outside is `fail`, anything else `inconclusive`. The analyzer's clock may be off by `timebase_ppm`, which widens a bound
given in seconds; a bound in SCL periods is as uncertain as the period, which is known to one sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck import _bounds
from tracecheck.rules.quantity import Quantity

PASS, FAIL, INCONCLUSIVE, CUT, UNJUDGED = range(5)
"""UNJUDGED: measured for the rule's percentiles or jitter, with no bound of its own to be judged by."""
MISSING = np.int64(-1)
"""Stands for "no such event" where a distance is expected."""
_FOREVER: Final = int(np.iinfo(np.int64).max)
_NEVER: Final = int(np.iinfo(np.int64).min)
_ALWAYS: Final = _FOREVER // 4
Samples = NDArray[np.int64]
Verdicts = NDArray[np.uint8]


class _Limit(NamedTuple):
    """One bound for n instances: distances up to `sure_below` lie surely under it, from `sure_above` on over it."""

    sure_below: Samples
    sure_above: Samples
    known: NDArray[np.bool_]


class _Fixed(NamedTuple):
    """The same in one number for all, where the SCL period has no part in it."""

    sure_below: int
    sure_above: int
    known: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """`lower` <= value <= `upper`, either may be open."""

    lower: Quantity | None
    upper: Quantity | None
    rate_hz: int | None
    timebase_ppm: int
    _same: tuple[int, int, int, int] | None = field(init=False, repr=False, compare=False, default=None)
    """What `_bounds.judge` asks for, where it is the same for all instances and known."""

    def __post_init__(self) -> None:
        under, least, most, over = _NEVER, _NEVER, _FOREVER, _FOREVER
        lower = self.lower if self.lower is not None and self.lower.amount > 0 else None
        given = [bound for bound in (lower, self.upper) if bound is not None]
        if not all(bound.unit == "s" for bound in given) or (given and not self.rate_hz):
            return
        if lower is not None:
            under, least, _ = _fixed(lower, self.rate_hz, self.timebase_ppm)
        if self.upper is not None:
            most, over, _ = _fixed(self.upper, self.rate_hz, self.timebase_ppm)
        if given:
            object.__setattr__(self, "_same", (under, least, most, over))

    @property
    def any(self) -> bool:
        return self.lower is not None or self.upper is not None

    def judge(self, distance: Samples, period: Samples) -> Verdicts:
        """PASS, FAIL or INCONCLUSIVE for each distance (samples, >= 0); `period`: SCL period of each, 0 unknown."""
        if self._same is not None:
            verdict = np.empty(len(distance), np.uint8)
            _bounds.judge(distance, *self._same, (PASS, FAIL, INCONCLUSIVE), verdict)
            return verdict
        if not self.any:
            return np.zeros(len(distance), np.uint8)
        fail: Any = np.zeros(len(distance), np.bool_)
        sure: Any = ~fail
        if self.upper is not None:
            limit = self._limit(self.upper, period)
            sure &= (distance <= limit.sure_below) & limit.known
            fail |= (distance >= limit.sure_above) & limit.known
        if self.lower is not None and self.lower.amount > 0:
            limit = self._limit(self.lower, period)
            sure &= (distance >= limit.sure_above) & limit.known
            fail |= (distance <= limit.sure_below) & limit.known
        return np.where(fail, np.uint8(FAIL), np.where(sure, np.uint8(PASS), np.uint8(INCONCLUSIVE)))

    def beyond(self, at_least: Samples, period: Samples) -> NDArray[np.bool_]:
        """Whether something that lasts at least so many samples is surely over the upper bound."""
        if self.upper is None:
            return np.zeros(len(at_least), np.bool_)
        limit = self._limit(self.upper, period)
        return (at_least >= limit.sure_above) & limit.known

    def _limit(self, bound: Quantity, period: Samples) -> _Limit | _Fixed:
        if bound.unit == "s":
            return _fixed(bound, self.rate_hz, self.timebase_ppm)
        # period is a median known to one sample either way
        num, den = bound.amount.numerator, bound.amount.denominator
        below_n = (period - 1) * num // den - 1
        above_n = -(-((period + 1) * num) // den) + 1
        return _Limit(below_n, above_n, period > 0)

    def each(self, period: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both bounds in samples for instances with these SCL periods, for reading; nan where one is not known."""
        return self._known(self.lower, period), self._known(self.upper, period)

    @property
    def same(self) -> tuple[float, float] | None:
        """Both bounds in samples, for reading, where all instances have the same; nan where there is none."""
        given = [bound for bound in (self.lower, self.upper) if bound is not None]
        if any(bound.unit == "scl" for bound in given):
            return None
        low, high = (self.in_samples(bound, 0) for bound in (self.lower, self.upper))
        return math.nan if low is None else low, math.nan if high is None else high

    def _known(self, bound: Quantity | None, period: Samples) -> NDArray[np.float64]:
        if bound is not None and bound.unit == "scl":
            return np.where(period > 0, float(bound.amount) * period, np.nan)
        exact = None if bound is None else bound.samples(self.rate_hz)
        return np.broadcast_to(np.float64(np.nan if exact is None else float(exact)), len(period))

    def in_samples(self, bound: Quantity | None, period: int) -> float | None:
        """A bound in samples, for reading only."""
        if bound is None:
            return None
        exact = bound.samples(self.rate_hz, period or None)
        return None if exact is None else float(exact)


@lru_cache(maxsize=1024)
def _fixed(bound: Quantity, rate_hz: int | None, timebase_ppm: int) -> _Fixed:
    """A bound in seconds, which is the same for every instance."""
    if not rate_hz:
        return _Fixed(0, 0, False)
    exact = bound.amount * rate_hz
    low, high = (exact * (1 + Fraction(sign * timebase_ppm, 10**6)) for sign in (-1, 1))
    return _Fixed(_clip(low.numerator // low.denominator - 1), _clip(-(-high.numerator // high.denominator) + 1), True)


def either(a: Verdicts, b: Verdicts) -> Verdicts:
    """Both must hold: a fail decides, then an inconclusive."""
    worst: Verdicts = np.where(
        (a == FAIL) | (b == FAIL), FAIL, np.where((a == INCONCLUSIVE) | (b == INCONCLUSIVE), INCONCLUSIVE, PASS)
    ).astype(np.uint8)
    return worst


def agree(*orders: Verdicts) -> Verdicts:
    """The verdict that all possible orders of coincident events share; inconclusive where they differ."""
    first = orders[0]
    same = np.ones(len(first), np.bool_)
    for other in orders[1:]:
        same &= other == first
    return np.where(same, first, INCONCLUSIVE).astype(np.uint8)


def _clip(value: int) -> int:
    return max(-_ALWAYS, min(_ALWAYS, value))
