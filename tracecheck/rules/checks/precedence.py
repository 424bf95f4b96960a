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
from typing import Final

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import START, WAKE
from tracecheck.decoding.window import NEVER, Mask, Side, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, Bounds, Verdicts, agree
from tracecheck.rules.checks.base import TOO_MANY, Checker, LaneInfo, Limits
from tracecheck.rules.checks.instances import NONE, Instances, Reasons, instances
from tracecheck.rules.checks.scopes import open_ends
from tracecheck.rules.model import PrecedenceRule

MEASURED, ABSENT, COINCIDENT, BEFORE_CAPTURE, UNKNOWN, OUTSIDE = range(6)
_SIDES: Final[tuple[Side, Side]] = ("right", "left")


@dataclass(frozen=True, slots=True)
class _Events:
    """Events to be judged: where their scopes begin, and whether the capture's beginning cuts these."""

    at: Samples
    begin: Samples
    cut: Mask
    unsure: Mask
    period: Samples

    def where(self, places: Samples) -> _Events:
        return _Events(*(getattr(self, name).take(places) for name in _Events.__slots__))


class PrecedenceChecker(Checker[PrecedenceRule]):
    """Carries the latest cause and, for `exclusive`, the latest event."""

    def __init__(self, rule: PrecedenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._bounds: Bounds = self.bounds(rule.min, rule.within)
        self._cause = self._event = NEVER
        self._first = FOREVER  # START of the first exchange: from there on no earlier one is open

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._bounds.in_samples(self.rule.min, period), self._bounds.in_samples(self.rule.within, period)

    @property
    def same_limits(self) -> tuple[float, float] | None:
        return self._bounds.same

    def limits(self, found: Instances) -> Limits:
        return self._bounds.each(found.period)

    def feed(self, window: Window) -> Instances:
        if self._first == FOREVER:
            self._first = int(window.exchanges.start[0]) if len(window.exchanges.start) else FOREVER
        at, transfer = window.of(self.code(self.rule.event), self.rule.scope)
        latest, before, taken = self._latest(window, at)
        judged, row, lost = self.chosen_events(window, at, transfer)
        outside = self._outside(window, at, transfer)
        judged = judged | outside
        if not judged.any():
            return NONE
        period = self.periods(window, row)
        if not judged.all():
            # Those of transfers that are not chosen are often what takes long to judge: there is no cause in them.
            mine = np.flatnonzero(judged)
            at, transfer, row, period, latest, before, taken = (
                column.take(mine) for column in (at, transfer, row, period, latest, before, taken)
            )
            outside, lost = outside.take(mine), lost.take(mine)
        events = self._events(window, at, row, period)
        verdict, value, reason = self._judged(events, latest, before, taken)
        # Without an exchange around it there is no cause in its scope, unless that began before the capture.
        if outside.any():
            early = outside & (at <= max(window.synced, 0) + min(window.exchanges.settle, FOREVER // 2))
            early &= at < self._first
            verdict[outside], value[outside], reason[outside] = FAIL, -1, OUTSIDE
            verdict[early], reason[early] = CUT, BEFORE_CAPTURE
        if (limit := self.told_to(window)) is not None:
            beyond = at >= limit
            verdict[beyond], value[beyond], reason[beyond] = CUT, -1, UNKNOWN
        if lost.any():
            verdict[lost], value[lost], reason[lost] = INCONCLUSIVE, -1, TOO_MANY
        return instances(at, transfer, verdict, value=value, reason=reason, period=period)

    def _outside(self, window: Window, at: Samples, transfer: Samples) -> Mask:
        """Markers outside any exchange, where the scope asks for one: nothing on the bus can have caused them."""
        if (
            self.rule.scope != "exchange"
            or self.selects
            or self.on_bus(self.rule.event)
            or self.code(self.rule.event) < WAKE
        ):
            return np.zeros(len(at), np.bool_)
        return (transfer < 0) & window.judged_at(at)

    def _events(self, window: Window, at: Samples, row: Samples, period: Samples) -> _Events:
        if self.rule.scope == "capture":
            begin = np.full(len(at), max(window.synced, 0), np.int64)
            return _Events(at, begin, np.ones(len(at), np.bool_), np.zeros(len(at), np.bool_), period)
        starts, _, edges = open_ends(window, self.rule.scope)
        begin, edge = starts.take(row, mode="wrap"), edges.take(row, mode="wrap")
        cut = np.zeros(len(at), np.bool_)
        if window.cut_begin >= 0:
            cut = np.append(window.transfers["transfer"] == window.cut_begin, False)[row]
        unsure = np.zeros(len(at), np.bool_)
        if not self.on_bus(self.rule.event):
            unsure = (row >= 0) & ((at == begin) | (at == edge))
        return _Events(at, begin, cut, unsure, period)

    def _latest(self, window: Window, at: Samples) -> tuple[Samples, Samples, Samples]:
        """The latest cause at or before each event, that strictly before, and the event before it; NEVER for none."""
        cause, event = self.code(self.rule.cause), self.code(self.rule.event)
        latest, before = (window.before(cause, event, side) for side in _SIDES)
        taken = window.before(event, event, "left") if self.rule.exclusive else np.full(len(at), NEVER, np.int64)
        if self._cause > NEVER:
            latest, before = (_filled(found, self._cause) for found in (latest, before))
        if self.rule.exclusive and self._event > NEVER:
            taken = _filled(taken, self._event)
        last = window.latest(cause)
        self._cause = self._cause if last is None else last
        self._event = int(at[-1]) if len(at) else self._event
        return latest, before, taken

    def _judged(
        self, events: _Events, latest: Samples, before: Samples, taken: Samples
    ) -> tuple[Verdicts, Samples, Reasons]:
        at = events.at
        plain = (latest < at) & (latest > events.begin) & (latest > taken) & ~events.unsure
        if self.rule.scope != "capture" and self.code(self.rule.event) == START:
            plain[:] = False
        value = at - np.where(plain, latest, at)
        verdict = self._bounds.judge(value, events.period)
        reason = np.full(len(at), MEASURED, np.uint8)
        if not plain.all():
            # Something shares a sample with something else, or is not there: every order is judged.
            others = np.flatnonzero(~plain)
            few = events.where(others)
            verdict[others], value[others], reason[others] = self._judge(
                few, latest[others], before[others], taken[others]
            )
        return verdict, value, reason

    def _judge(
        self, events: _Events, latest: Samples, before: Samples, taken: Samples
    ) -> tuple[Verdicts, Samples, Reasons]:
        rule, at, begin = self.rule, events.at, events.begin
        candidates = [latest, before]
        if self.surely_first(rule.cause, rule.event):
            candidates = [latest]
        elif self.surely_first(rule.event, rule.cause):
            candidates = [before]
        # The scope's own START is in it; a marker in the sample of that may have come before.
        at_begin = (True,) if rule.scope == "capture" or self.on_bus(rule.cause) else (True, False)
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
            there = (cause >= taken if with_taken else cause > taken) & (cause > NEVER) & follows
            there &= cause >= begin if with_begin else cause > begin
            verdict = self._bounds.judge(np.where(there, at - np.where(there, cause, 0), 0), events.period)
            verdict[~there] = missing[~there]
            orders.append(verdict)
        verdict = agree(*orders)
        cause = candidates[0]
        there = (cause >= begin) & (cause > NEVER) & (cause >= taken) & follows
        doubtful = there & ((cause == at) & (len(candidates) > 1) | (cause == taken) & (taken > NEVER))
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


def _filled(latest: Samples, earlier: int) -> Samples:
    """What there is none of in this window, which are the first of these, is the latest of those before it."""
    none = int(np.searchsorted(latest, NEVER, "right"))
    if not none:
        return latest
    filled = latest.copy()
    filled[:none] = earlier
    return filled
