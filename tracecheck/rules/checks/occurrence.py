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
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracecheck.decoding.lane import ANOMALY_CODE, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import NONE, Checker, Instances, LaneInfo, counted, instances, scopes_of, settle_cut
from tracecheck.rules.model import OccurrenceRule

COUNTED, AT_BOUNDARY, CUT_SHORT = range(3)


class OccurrenceChecker(Checker[OccurrenceRule]):
    """With the scope `capture`, carries the count, and answers at the end."""

    measures = "count"

    def __init__(self, rule: OccurrenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._count = 0

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self.rule.min, self.rule.max

    def feed(self, window: Window) -> Instances:
        at, transfer = window.of(self.code(self.rule.event))
        if self.rule.scope == "capture":
            judged, _ = self.chosen_events(window, at, transfer)
            self._count += int(judged.sum())
            if not window.final or window.synced < 0:
                return NONE
            ok = (self.rule.min or 0) <= self._count and (self.rule.max is None or self._count <= self.rule.max)
            verdict = np.array([PASS if ok else FAIL], np.uint8)
            return instances(np.array([window.synced]), np.array([-1]), verdict, value=np.array([self._count]))
        scopes = scopes_of(self, window, self.rule.scope)
        if not len(scopes):
            return NONE
        sure, unsure = counted(scopes, at, transfer, on_bus=self.code(self.rule.event) < ANOMALY_CODE)
        least, most = self.rule.min or 0, np.iinfo(np.int64).max if self.rule.max is None else self.rule.max
        possible = sure + unsure
        verdict = np.where((sure >= least) & (possible <= most), PASS, INCONCLUSIVE)
        verdict = np.where((possible < least) | (sure > most), FAIL, verdict)
        # Open above where the capture cuts the scope: too few may still become enough.
        verdict = np.where(scopes.cut & (sure <= most), CUT, verdict).astype(np.uint8)
        verdict = settle_cut(verdict, scopes.cut, scopes.overflow)
        reason = np.where(verdict == CUT, CUT_SHORT, np.where(unsure > 0, AT_BOUNDARY, COUNTED)).astype(np.uint8)
        return instances(scopes.start, scopes.transfer, verdict, value=sure, reason=reason, extra=possible)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        n, event = int(found.value[i]), self.rule.event
        match int(found.reason[i]):
            case 0:
                return f"{n} x {event}, expected {self._expected()}"
            case 1:
                return f"{n} to {int(found.extra[i])} x {event} (coincident with the boundary), expected {self._expected()}"
            case _:
                return f"the capture cuts the {self.rule.scope}; {n} x {event} seen"

    def _expected(self) -> str:
        low, high = self.rule.min or 0, self.rule.max
        if high is None:
            return f"{low} or more"
        return str(low) if low == high else f"{low} to {high}"
