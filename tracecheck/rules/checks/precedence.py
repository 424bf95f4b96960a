"""precedence: before every EVENT there is a CAUSE, within its bounds.

One instance per event. The latest cause at or before it in the scope decides; one cause may serve many events unless
`exclusive`, where a cause that already served an earlier event does not count. A window that reaches before the
capture's beginning is cut, not failed: the cause may lie there.

    [[rule]]
    id = "interrupt-has-a-transfer"
    kind = "precedence"
    event = "irq.begin"
    cause = "start"
    within = "10ms"
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.lane import Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, Bounds, Samples, Verdicts, agree
from tracecheck.rules.checks.base import NONE, Checker, Instances, LaneInfo, instances
from tracecheck.rules.model import PrecedenceRule

MEASURED, ABSENT, COINCIDENT, BEFORE_CAPTURE = range(4)
_NEVER = np.iinfo(np.int64).min


class PrecedenceChecker(Checker[PrecedenceRule]):
    """Carries the latest cause and, for `exclusive`, the latest event."""

    def __init__(self, rule: PrecedenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._bounds: Bounds = self.bounds(rule.min, rule.within)
        self._cause = np.empty(0, np.int64)
        self._event = np.empty(0, np.int64)

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._bounds.in_samples(self.rule.min, period), self._bounds.in_samples(self.rule.within, period)

    def feed(self, window: Window) -> Instances:
        causes = np.concatenate([self._cause, window.of(self.code(self.rule.cause))[0]])
        at, transfer = window.of(self.code(self.rule.event))
        earlier = np.concatenate([self._event, at])
        if len(at):
            self._event = at[-1:]
        self._cause = causes[-1:]
        judged, row = self.chosen_events(window, at, transfer)
        begin = np.full(len(at), window.synced, np.int64)
        reaches_out = np.ones(len(at), np.bool_)
        if self.rule.scope != "capture":
            judged &= row >= 0
            begin = np.append(window.transfers["start"], 0)[row]
            complete, stop = window.transfers["complete"], window.transfers["stop"]
            reaches_out = np.append((complete == 0) & (stop >= 0), False)[row]
        if not judged.any():
            return NONE
        period = self.periods(window, row)
        verdict, value, reason = self._judge(at, causes, earlier, begin, reaches_out, period)
        return instances(at, transfer, verdict, value=value, reason=reason, period=period).where(judged)

    def _judge(
        self,
        at: Samples,
        causes: Samples,
        earlier: Samples,
        begin: Samples,
        reaches_out: NDArray[np.bool_],
        period: Samples,
    ) -> tuple[Verdicts, Samples, NDArray[np.uint8]]:
        at_or_before, before = _latest(causes, at, "right"), _latest(causes, at, "left")
        taken = _latest(earlier, at, "left") if self.rule.exclusive else np.full(len(at), _NEVER, np.int64)
        # A window that would have to be looked at before the capture began cannot be failed.
        window_cut = reaches_out & ~self._bounds.beyond(at - begin, period)
        orders = []
        for cause in (at_or_before, before):
            for served in (cause > taken, cause >= taken) if self.rule.exclusive else (cause > taken,):
                there = (cause >= begin) & (cause > _NEVER) & served
                verdict = self._bounds.judge(np.where(there, at - cause, 0), period)
                verdict[~there] = np.where(window_cut, CUT, FAIL)[~there]
                orders.append(verdict)
        verdict = agree(*orders)
        there = (at_or_before >= begin) & (at_or_before > _NEVER) & (at_or_before >= taken)
        value = np.where(there, at - np.where(there, at_or_before, 0), -1)
        reason = np.where(there, MEASURED, np.where(verdict == CUT, BEFORE_CAPTURE, ABSENT)).astype(np.uint8)
        unsure = (at_or_before == at) | (there & (at_or_before == taken))
        reason[unsure & (verdict == INCONCLUSIVE)] = COINCIDENT
        reason[(verdict == FAIL) & there & (at_or_before == taken) & self.rule.exclusive] = ABSENT
        return verdict, value, reason

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        rule = self.rule
        match int(found.reason[i]):
            case 0:
                return f"{rule.event} came {time(int(found.value[i]))} after the latest {rule.cause}"
            case 1:
                unused = " that served no other" if rule.exclusive else ""
                return f"{rule.event} without a {rule.cause}{unused} before it"
            case 2:
                return f"{rule.event} coincides with {rule.cause}: which came first cannot be told"
            case _:
                return f"its {rule.cause} may lie before the capture began"


def _latest(events: Samples, at: Samples, side: str) -> Samples:
    """The latest event at or before (`right`) or strictly before (`left`) each sample; a very small number for none."""
    index = np.searchsorted(events, at, side="right" if side == "right" else "left")
    return np.concatenate([[_NEVER], events])[index]
