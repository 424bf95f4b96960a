"""What is kept of one rule's instances on one lane: counts, the values measured, the closest, and the findings.

Memory does not grow with the instances. Counts, percentiles and the closest instance are exact; of the failed, and of
those that could not be decided, the first `limit` are kept and the others counted. `keep` keeps every instance as well.
How the instances come in batches changes none of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck import _tally
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, UNJUDGED
from tracecheck.rules.checks.base import Checker
from tracecheck.rules.checks.instances import NONE, Instances
from tracecheck.rules.counted import Counted
from tracecheck.rules.neighbours import Neighbours
from tracecheck.rules.statistic import Statistic

MAX_FINDINGS: Final = 1000
"""Findings of each verdict that are kept of a rule on a lane, unless another number is asked for."""


class Closest(NamedTuple):
    """The instance nearest to a bound: `room` to it in samples (or counts), negative when over."""

    room: float
    at: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one rule on one lane.

    `found`    the failed and inconclusive instances that were kept, in order; with `keep` every instance
    `counts`   how many there were of each verdict, by its code; those that were not kept too
    `values`   what was measured, over all instances but those that are cut
    """

    bus: str | None
    checker: Checker[Any]
    found: Instances
    counts: tuple[int, ...]
    values: Counted
    closest: Closest | None
    statistics: tuple[Statistic, ...] = ()
    neighbours: Neighbours | None = None
    """Of the failed, where something is measured."""

    def count(self, verdict: int) -> int:
        """How many have this verdict; each statistic is one instance."""
        return self.counts[verdict] + sum(s.verdict == verdict for s in self.statistics)

    def kept(self, verdict: int) -> int:
        """How many of `found` have this verdict."""
        return int((self.found.verdict == verdict).sum())


class Tally:
    """Takes the instances of one checker as they are decided."""

    def __init__(self, checker: Checker[Any], *, limit: int | None = MAX_FINDINGS, keep: bool = False) -> None:
        """`limit`: findings kept of each verdict, None for all of them."""
        self._checker, self._limit, self._keep = checker, limit, keep
        self._counts = np.zeros(UNJUDGED + 1, np.int64)
        self._values = Counted()
        self._closest: Closest | None = None
        self._found: dict[int, list[Instances]] = {FAIL: [], INCONCLUSIVE: []}
        self._all: list[Instances] = []
        self._neighbours = Neighbours(limit)
        self._same_limits = checker.same_limits

    def add(self, found: Instances) -> None:
        """Take what one window decided."""
        if not len(found):
            return
        counts = np.zeros(UNJUDGED + 1, np.int64)
        measured = _tally.verdicts(found.verdict, found.value, CUT, counts)
        self._counts += counts
        self._checker.note(found)
        if self._keep:
            self._all.append(found)
        else:
            for verdict in (FAIL, INCONCLUSIVE):
                if counts[verdict]:
                    self._remember(verdict, found.where(np.flatnonzero(found.verdict == verdict)))
        if self._checker.measures:
            self._neighbours.add(found, failed=bool(counts[FAIL]), measured=measured == len(found))
        if measured and self._checker.measures:
            if measured < len(found):
                found = found.where((found.value >= 0) & (found.verdict != CUT))
            self._measure(found)

    @property
    def named(self) -> list[NDArray[np.int64]]:
        """Transfers of what is kept."""
        parts = self._all if self._keep else [part for parts in self._found.values() for part in parts]
        closest = [] if self._closest is None else [np.array([self._closest.transfer], np.int64)]
        return [part.transfer for part in parts] + closest

    def judged(self, bus: str | None, at: int) -> Judged:
        """What became of the rule so far; `at`: the sample from which on it was judged."""
        parts = self._all if self._keep else [part for parts in self._found.values() for part in parts]
        return Judged(
            bus,
            self._checker,
            Instances.joined(parts).in_order() if parts else NONE,
            tuple(self._counts.tolist()),
            self._values,
            self._closest,
            self._checker.statistics(at),
            self._neighbours,
        )

    def _remember(self, verdict: int, found: Instances) -> None:
        """Keeps the first of them by sample: instances may be decided out of order."""
        parts = self._found[verdict]
        parts.append(found)
        if self._limit is None:
            return
        first = parts[0]
        if len(first) == self._limit and int(found.at.min()) > int(first.at.max()):
            del parts[1:]  # as is usual: those kept are full, and all of these come later
        elif sum(map(len, parts)) > self._limit:
            parts[:] = [Instances.joined(parts).in_order().where(slice(0, self._limit))]

    def _measure(self, found: Instances) -> None:
        low, high = self._values.add(found.value)
        if self._same_limits is not None and not _closer(low, high, self._same_limits, self._closest, found):
            return
        lower, upper = self._checker.limits(found)
        room = np.fmin(upper - found.value, found.value - lower)
        least = np.fmin.reduce(room)
        if np.isnan(least) or (self._closest is not None and least > self._closest.room):
            return
        same = np.flatnonzero(room == least)
        first = same[np.lexsort((found.transfer[same], found.at[same]))[0]]
        candidate = Closest(float(least), int(found.at[first]), int(found.transfer[first]))
        self._closest = candidate if self._closest is None else min(self._closest, candidate)


def _closer(low: int, high: int, limits: tuple[float, float], closest: Closest | None, found: Instances) -> bool:
    """Whether one may be closer than `closest`, or as close and earlier, where all have the same bounds: low and high
    tell, the least and the most that was measured.
    """
    lower, upper = limits
    rooms = [room for room in (upper - high, low - lower) if not math.isnan(room)]
    if not rooms or closest is None:
        return bool(rooms)
    room = min(rooms)
    return room < closest.room or (room == closest.room and bool(found.at.min() <= closest.at))
