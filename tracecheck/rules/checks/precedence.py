"""precedence: before every EVENT there is a CAUSE, within its bounds.

One instance per event in the scope. The latest cause at or before it in the scope decides; one cause may serve many
events unless `exclusive`, where a latest cause that already served an earlier event is none. A window that reaches
before the capture's beginning is cut, not failed: the cause may lie there. Coincident events are judged in every order,
and so is a cause in the sample in which the scope begins; where the orders differ the instance is inconclusive.

With the scope `exchange`, a marker outside any exchange has no cause and fails: nothing on the bus can have led to it.
With a selector it is no instance, as there is no transfer to select.

    [[rule]]
    id = "interrupt-has-a-transfer"
    kind = "precedence"
    event = "irq.begin"
    cause = "start"
    within = "10ms"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import START, WAKE
from tracecheck.decoding.window import ANOMALY_CODE, Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, Bounds, Verdicts, agree
from tracecheck.rules.checks.base import NONE, TOO_MANY, Checker, Instances, LaneInfo, Limits, Reasons, instances
from tracecheck.rules.checks.scopes import open_ends
from tracecheck.rules.model import PrecedenceRule

MEASURED, ABSENT, COINCIDENT, BEFORE_CAPTURE, UNKNOWN, OUTSIDE = range(6)
_NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class _Events:
    """Events to be judged: where their scopes begin, and whether the capture's beginning cuts these."""

    at: Samples
    begin: Samples
    cut: Mask
    unsure: Mask
    period: Samples


class PrecedenceChecker(Checker[PrecedenceRule]):
    """Carries the latest cause and, for `exclusive`, the latest event."""

    def __init__(self, rule: PrecedenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._bounds: Bounds = self.bounds(rule.min, rule.within)
        self._cause = np.empty(0, np.int64)
        self._event = np.empty(0, np.int64)
        self._first = FOREVER  # START of the first exchange: from there on no earlier one is open

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._bounds.in_samples(self.rule.min, period), self._bounds.in_samples(self.rule.within, period)

    def limits(self, found: Instances) -> Limits:
        return self._bounds.each(found.period)

    def feed(self, window: Window) -> Instances:
        if self._first == FOREVER:
            self._first = int(window.exchanges.start[0]) if len(window.exchanges.start) else FOREVER
        causes = np.concatenate([self._cause, window.at_of(self.code(self.rule.cause))])
        at, transfer = window.of(self.code(self.rule.event), self.rule.scope)
        earlier = np.concatenate([self._event, at])
        self._event, self._cause = earlier[-1:], causes[-1:]
        judged, row, lost = self.chosen_events(window, at, transfer)
        outside = self._outside(window, at, transfer)
        judged |= outside
        if not judged.any():
            return NONE
        period = self.periods(window, row)
        events = self._events(window, at, row, period)
        verdict, value, reason = self._judge(events, causes, earlier)
        # Without an exchange around it there is no cause in its scope, unless that began before the capture.
        early = outside & (at <= max(window.synced, 0) + min(window.exchanges.settle, FOREVER // 2))
        early &= at < self._first
        verdict[outside], value[outside], reason[outside] = FAIL, -1, OUTSIDE
        verdict[early], reason[early] = CUT, BEFORE_CAPTURE
        if window.cut_short and self.sees_markers:
            beyond = at >= window.end
            verdict[beyond], value[beyond], reason[beyond] = CUT, -1, UNKNOWN
        verdict[lost], value[lost], reason[lost] = INCONCLUSIVE, -1, TOO_MANY
        return instances(at, transfer, verdict, value=value, reason=reason, period=period).where(judged)

    def _outside(self, window: Window, at: Samples, transfer: Samples) -> Mask:
        """Markers outside any exchange, where the scope asks for one: nothing on the bus can have caused them."""
        if self.rule.scope != "exchange" or self.selects or self.code(self.rule.event) < WAKE:
            return np.zeros(len(at), np.bool_)
        return (transfer < 0) & window.judged_at(at)

    def _events(self, window: Window, at: Samples, row: Samples, period: Samples) -> _Events:
        if self.rule.scope == "capture":
            begin = np.full(len(at), max(window.synced, 0), np.int64)
            return _Events(at, begin, np.ones(len(at), np.bool_), np.zeros(len(at), np.bool_), period)
        starts, _, edges = open_ends(window, self.rule.scope)
        begin, edge = np.append(starts, 0)[row], np.append(edges, -1)[row]
        cut = np.append(window.transfers["transfer"] == window.cut_begin, False)[row]
        unsure = np.zeros(len(at), np.bool_)
        if self.code(self.rule.event) >= ANOMALY_CODE:
            unsure = (row >= 0) & ((at == begin) | (at == edge))
        return _Events(at, begin, cut, unsure, period)

    def _judge(self, events: _Events, causes: Samples, earlier: Samples) -> tuple[Verdicts, Samples, Reasons]:
        rule, at, begin = self.rule, events.at, events.begin
        latest, before = _latest(causes, at, "right"), _latest(causes, at, "left")
        candidates = [latest, before]
        if self.surely_first(rule.cause, rule.event):
            candidates = [latest]
        elif self.surely_first(rule.event, rule.cause):
            candidates = [before]
        taken = _latest(earlier, at, "left") if rule.exclusive else np.full(len(at), _NEVER, np.int64)
        # The scope's own START is in it; a marker in the sample of that may have come before.
        at_begin = (True,) if rule.scope == "capture" or self.code(rule.cause) < ANOMALY_CODE else (True, False)
        # Before the START that opens a scope, nothing lies in it, whatever shares its sample.
        follows = rule.scope == "capture" or self.code(rule.event) != START
        # What would have to be looked for before the capture began cannot be missed.
        missing = np.where(events.cut & ~self._bounds.beyond(at - begin, events.period), CUT, FAIL)
        # An earlier event took whatever cause there was before it, seen or not.
        missing[(taken > begin) | ((taken == begin) & (rule.scope == "capture"))] = FAIL
        orders = []
        for cause, with_taken, with_begin in product(
            candidates, (True, False) if rule.exclusive else (True,), at_begin
        ):
            there = (cause >= taken if with_taken else cause > taken) & (cause > _NEVER) & follows
            there &= cause >= begin if with_begin else cause > begin
            verdict = self._bounds.judge(np.where(there, at - np.where(there, cause, 0), 0), events.period)
            verdict[~there] = missing[~there]
            orders.append(verdict)
        verdict = agree(*orders)
        cause = candidates[0]
        there = (cause >= begin) & (cause > _NEVER) & (cause >= taken) & follows
        doubtful = there & ((cause == at) & (len(candidates) > 1) | (cause == taken) & (taken > _NEVER))
        if len(at_begin) > 1:
            doubtful |= there & (cause == begin)
        value = np.where(there, at - np.where(there, cause, 0), -1)
        reason = np.where(there, MEASURED, np.where(verdict == CUT, BEFORE_CAPTURE, ABSENT)).astype(np.uint8)
        reason[doubtful & (verdict == INCONCLUSIVE)] = COINCIDENT
        verdict[events.unsure], reason[events.unsure] = INCONCLUSIVE, COINCIDENT
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
                return f"{rule.event} or {rule.cause} coincides with another event: which was first cannot be told"
            case 5:
                return f"{rule.event} outside any exchange: no transfer that could have a {rule.cause} for it"
            case 3:
                return f"its {rule.cause} may lie before the capture began"
            case _:
                return f"the markers cannot be told up to this {rule.event}"


def _latest(events: Samples, at: Samples, side: str) -> Samples:
    """The latest event at or before (`right`) or strictly before (`left`) each sample; a very small number for none."""
    index = np.searchsorted(events, at, side="right" if side == "right" else "left")
    return np.concatenate([[_NEVER], events])[index]
