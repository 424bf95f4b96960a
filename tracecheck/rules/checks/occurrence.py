"""occurrence: in every scope, EVENT comes at least `min` and at most `max` times.

One instance per scope. The count is an interval: what surely lies in the scope, up to that plus what coincides with
its boundary, open above where the capture cuts the scope.

    [[rule]]
    id = "one-interrupt"
    kind = "occurrence"
    event = "irq.begin"
    min = 1
    max = 1
    where = { direction = "write", length = "1..15" }

With a driver `model` each transfer has the bounds of its own shape; one of a shape the driver does not make is
inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.window import Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import TOO_MANY, Checker, LaneInfo, Limits
from tracecheck.rules.checks.instances import NONE, Instances, instances, single
from tracecheck.rules.checks.scopes import Scopes, counted, judged_scopes, settled
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.model import OccurrenceRule

COUNTED, AT_BOUNDARY, CUT_SHORT, NO_SHAPE = range(4)
_NO_LIMIT = 0xFFFFFFFF


class OccurrenceChecker(Checker[OccurrenceRule]):
    """With the scope `capture`, carries the count, and answers at the end.

    As counts need no SCL period, `period` of an instance holds the bounds that a driver model gave it:
    least << 32 | most.
    """

    measures: ClassVar[str] = "count"

    def __init__(self, rule: OccurrenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._count = 0
        self._lost = 0

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        low, high = self._limits(period)
        return None if self.rule.only == "max" else low, high

    def limits(self, found: Instances) -> Limits:
        if self.rule.driver is not None:
            least, most = found.period >> 32, found.period & _NO_LIMIT
            low = np.full(len(found), np.nan) if self.rule.only == "max" else least.astype(np.float64)
            return low, np.where(most == _NO_LIMIT, np.nan, most)
        top = np.nan if self.rule.max is None else self.rule.max
        low, high = (np.broadcast_to(np.float64(bound), len(found)) for bound in (self.rule.min, top))
        return low, high

    @property
    def same_limits(self) -> tuple[float, float] | None:
        if self.rule.driver is not None:
            return None
        return float(self.rule.min), math.nan if self.rule.max is None else float(self.rule.max)

    def feed(self, window: Window) -> Instances:
        return self._capture(window) if self.rule.scope == "capture" else self._scopes(window)

    def _capture(self, window: Window) -> Instances:
        at, transfer = window.of(self.code(self.rule.event))
        judged, _, lost = self.chosen_events(window, at, transfer)
        self._count += int((judged & ~lost).sum())
        self._lost += int(lost.sum())
        if not window.final or window.synced < 0:
            return NONE
        least, most, possible = self.rule.min, self.rule.max, self._count + self._lost
        over = most is not None and self._count > most
        if window.cut_short and self.sees_markers and not over:
            return single(window.synced, CUT, value=self._count, reason=CUT_SHORT)
        if over or possible < least:
            return single(window.synced, FAIL, value=self._count, extra=possible)
        if self._count < least or (most is not None and possible > most):
            return single(window.synced, INCONCLUSIVE, value=self._count, reason=TOO_MANY)
        return single(window.synced, PASS, value=self._count, extra=possible)

    def _scopes(self, window: Window) -> Instances:
        scopes = judged_scopes(self, window)
        if not len(scopes):
            return NONE
        sure, unsure = counted(scopes, window, self.rule.scope, self.code(self.rule.event))
        least, most, known = self._bounds(window, scopes)
        possible = sure + unsure
        period = None if self.rule.driver is None else least << 32 | most
        if scopes.whole and known.all() and ((sure >= least) & (possible <= most)).all():
            # As most are: all pass.
            reason = np.where(unsure > 0, np.uint8(AT_BOUNDARY), np.uint8(COUNTED))
            passed = np.zeros(len(scopes), np.uint8)
            return instances(
                scopes.start, scopes.transfer, passed, value=sure, reason=reason, period=period, extra=possible
            )
        verdict = np.where((sure >= least) & (possible <= most), PASS, INCONCLUSIVE)
        # Open above where the capture cuts the scope: too few may still become enough.
        verdict = np.where((sure > most) | ((possible < least) & ~scopes.cut), FAIL, verdict)
        verdict[~known] = INCONCLUSIVE
        settled_verdict = settled(verdict.astype(np.uint8), scopes)
        cut = settled_verdict == CUT
        reason = np.where(cut, CUT_SHORT, np.where(unsure > 0, AT_BOUNDARY, COUNTED)).astype(np.uint8)
        reason[~known & ~cut] = NO_SHAPE
        reason[scopes.lost] = TOO_MANY
        return instances(
            scopes.start,
            scopes.transfer,
            settled_verdict,
            value=sure,
            reason=reason,
            period=period,
            extra=possible,
        )

    def _bounds(self, window: Window, scopes: Scopes) -> tuple[Samples, Samples, Mask]:
        """The least and the most of each scope, and whether there are any."""
        n, driver = len(scopes), self.rule.driver
        if driver is None:
            top = FOREVER if self.rule.max is None else min(self.rule.max, FOREVER)
            low, high = (np.full(n, bound, np.int64) for bound in (min(self.rule.min, FOREVER), top))
            return low, high, np.ones(n, np.bool_)
        counts = window.once(("interrupts", driver.name), lambda: driver.interrupts(Shapes.of(window)))
        known = counts.known[scopes.row]
        least, most = np.zeros(n, np.int64), np.full(n, _NO_LIMIT, np.int64)
        if self.rule.only != "max":
            least = np.where(known, counts.least[scopes.row], 0)
        if self.rule.only != "min":
            most = np.where(known, counts.most[scopes.row] + self.rule.spare, _NO_LIMIT)
        return least, most, known

    def _limits(self, packed: int) -> tuple[int, int | None]:
        """The bounds of an instance; those of the rule, or what its driver model gave."""
        if self.rule.driver is None:
            return self.rule.min, self.rule.max
        most = packed & _NO_LIMIT
        return packed >> 32, None if most == _NO_LIMIT else most

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        n, event, expected = int(found.value[i]), self.rule.event, self._expected(int(found.period[i]))
        match int(found.reason[i]):
            case 0:
                return f"{n} x {event}, expected {expected}"
            case 1:
                most = int(found.extra[i])
                return f"{n} to {most} x {event} (coincident with the boundary), expected {expected}"
            case 3:
                unknown = f"no call of {self.rule.model} makes a transfer of this shape"
                return f"{n} x {event}; {unknown}, so nothing is expected"
            case _:
                return f"the capture cuts the {self.rule.scope}; {n} x {event} seen, expected {expected}"

    def _expected(self, packed: int) -> str:
        low, high = self._limits(packed)
        if high is None:
            return f"{low} or more"
        return str(low) if low == high else f"{low} to {high}"
