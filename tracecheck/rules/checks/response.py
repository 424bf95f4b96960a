"""response: after every TRIGGER, a RESPONSE comes within its bounds.

One instance per trigger. The first response at or after it decides, as long as it comes before the next trigger (unless
`shared`), before the scope's end and, for a trigger on the bus, before the next START; earlier than `min`, later than
`within`, or none is a fail. A response in the very sample of the trigger, or of what ends its turn, may have come on
either side: both orders are judged, and where they differ the instance is inconclusive.

    [[rule]]
    id = "task-runs-after-interrupt"
    kind = "response"
    trigger = "irq.begin"
    response = "wake"
    within = "20us"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, VOID
from tracecheck.decoding.lane import ANOMALY_CODE, START, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, Bounds, Samples, Verdicts, agree
from tracecheck.rules.checks.base import NONE, Checker, Instances, LaneInfo, instances
from tracecheck.rules.model import ResponseRule

MEASURED, ABSENT, COINCIDENT, ELAPSED, TOO_MANY = range(5)
MAX_PENDING = 1 << 20
"""Triggers that may wait for one response (`shared`); the oldest beyond it are inconclusive."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """Triggers still waiting. `limit`: end of the scope, FOREVER while unknown."""

    at: Samples
    transfer: Samples
    period: Samples
    limit: Samples
    judged: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @staticmethod
    def joined(a: _Pending, b: _Pending) -> _Pending:
        return _Pending(
            np.concatenate([a.at, b.at]),
            np.concatenate([a.transfer, b.transfer]),
            np.concatenate([a.period, b.period]),
            np.concatenate([a.limit, b.limit]),
            np.concatenate([a.judged, b.judged]),
        )

    def where(self, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> _Pending:
        return _Pending(self.at[mask], self.transfer[mask], self.period[mask], self.limit[mask], self.judged[mask])


_EMPTY = np.empty(0, np.int64)


class ResponseChecker(Checker[ResponseRule]):
    """Carries the triggers that no response has answered yet; at most one unless responses are shared."""

    def __init__(self, rule: ResponseRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._bounds: Bounds = self.bounds(rule.min, rule.within)
        self._pending = _Pending(_EMPTY, _EMPTY, _EMPTY, _EMPTY, np.empty(0, np.bool_))

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._bounds.in_samples(self.rule.min, period), self._bounds.in_samples(self.rule.within, period)

    def feed(self, window: Window) -> Instances:
        waiting = _Pending.joined(self._pending, self._triggers(window))
        if not len(waiting.at):
            return NONE
        responses = window.of(self.code(self.rule.response))[0]
        limit = self._limits(waiting, window)
        first = _next(responses, waiting.at, "left")
        known = (first < FOREVER) | (limit < FOREVER)
        if window.final:
            known[:] = True
        else:
            self._pending = waiting.where(~known)
        found = self._judge(waiting, limit, responses, first, window)
        overflow = self._shed()
        found = found.where(known & waiting.judged)
        return Instances.joined([found, overflow]) if len(overflow) else found

    def _triggers(self, window: Window) -> _Pending:
        at, transfer = window.of(self.code(self.rule.trigger))
        judged, row = self.chosen_events(window, at, transfer)
        limit = np.full(len(at), FOREVER, np.int64)
        if self.rule.scope != "capture":
            judged &= row >= 0
            ends = self._scope_ends(window)
            limit = np.append(ends, FOREVER)[row]
            if self.rule.scope == "transfer":
                judged &= at < limit  # an interrupt after STOP belongs to the exchange, not to the transfer
        return _Pending(at, transfer, self.periods(window, row), limit, judged)

    def _scope_ends(self, window: Window) -> Samples:
        """End of the scope of each row of transfers; FOREVER where the capture's end cuts it."""
        transfers, exchanges = window.transfers, window.exchanges
        if self.rule.scope == "transfer":
            ends = transfers["end"] + 1
            return np.where((transfers["complete"] == 0) & (transfers["stop"] < 0), FOREVER, ends)
        ends = np.full(len(transfers["start"]), FOREVER, np.int64)
        ends[exchanges.rows] = exchanges.close
        if window.final:
            ends[ends > window.end] = FOREVER
        return ends

    def _limits(self, waiting: _Pending, window: Window) -> Samples:
        """Where each trigger's turn ends, FOREVER while that is not known."""
        limit = waiting.limit
        if not self.rule.shared:
            # Triggers in one sample share their turn: which of them a response belongs to cannot be told.
            limit = np.minimum(limit, _next(waiting.at, waiting.at, "right"))
        if self.code(self.rule.trigger) < ANOMALY_CODE:
            opens = window.transfers["outcome"] != VOID
            starts = window.transfers["start"][opens]
            if self.code(self.rule.trigger) == START:
                starts = np.union1d(starts, waiting.at)
            limit = np.minimum(limit, _next(starts, waiting.at, "right"))
        return limit

    def _judge(
        self, waiting: _Pending, limit: Samples, responses: Samples, first: Samples, window: Window
    ) -> Instances:
        after = _next(responses, waiting.at, "right")
        verdicts = [
            self._verdict(waiting, candidate, limit, window, open_end)
            for candidate in (first, after)
            for open_end in (False, True)
        ]
        verdict = agree(*verdicts)
        taken = np.where(first <= limit, first, FOREVER)
        value = np.where(taken < FOREVER, taken - waiting.at, -1)
        unsure = (first == waiting.at) | ((first == limit) & (limit < FOREVER))
        reason = np.where(taken == FOREVER, np.where(limit < FOREVER, ABSENT, ELAPSED), MEASURED).astype(np.uint8)
        reason[unsure & (verdict == INCONCLUSIVE)] = COINCIDENT
        elapsed = reason == ELAPSED
        value = np.where(elapsed & (verdict == FAIL), window.end - waiting.at, value)
        over = np.isin(waiting.transfer, list(window.overflow)) & (waiting.transfer >= 0)
        verdict[over & (verdict != PASS)] = INCONCLUSIVE
        reason[over & (verdict != PASS)] = TOO_MANY
        return instances(
            waiting.at, waiting.transfer, verdict, value=value, reason=reason, period=waiting.period, extra=limit
        )

    def _verdict(
        self, waiting: _Pending, candidate: Samples, limit: Samples, window: Window, open_end: bool
    ) -> Verdicts:
        answered = (candidate < limit) | (open_end & (candidate == limit) & (limit < FOREVER))
        distance = np.where(answered, candidate - waiting.at, 0)
        verdict = self._bounds.judge(distance, waiting.period)
        verdict[~answered] = FAIL
        cut = ~answered & (limit == FOREVER)
        if cut.any():
            # Not answered by the capture's end: only what has already taken too long can be told.
            late = self._bounds.beyond(window.end - waiting.at, waiting.period)
            verdict[cut] = np.where(late, FAIL, CUT)[cut]
        return verdict

    def _shed(self) -> Instances:
        excess = len(self._pending.at) - MAX_PENDING
        if excess <= 0:
            return NONE
        old = self._pending.where(np.arange(len(self._pending.at)) < excess)
        self._pending = self._pending.where(np.arange(len(self._pending.at)) >= excess)
        old = old.where(old.judged)
        verdict = np.full(len(old.at), INCONCLUSIVE, np.uint8)
        return instances(old.at, old.transfer, verdict, reason=TOO_MANY, period=old.period)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        rule, value = self.rule, int(found.value[i])
        match int(found.reason[i]):
            case 0:
                return f"{rule.response} came {time(value)} after {rule.trigger}"
            case 1:
                turn = int(found.extra[i] - found.at[i])
                return f"no {rule.response} after {rule.trigger}, within the {time(turn)} until {self._turn_end()}"
            case 2:
                return f"{rule.response} coincides with what it is ordered against: which came first cannot be told"
            case 3:
                rest = f"; at least {time(value)} had passed" if value >= 0 else ""
                return f"the capture ends before {rule.response} came{rest}"
            case _:
                return "too many instances were waiting; this one was given up"

    def _turn_end(self) -> str:
        return "the scope's end" if self.rule.shared else f"the next {self.rule.trigger} or the end of its turn"


def _next(events: Samples, at: Samples, side: str) -> Samples:
    """The first event at (`left`) or strictly after (`right`) each sample, FOREVER for none."""
    index = np.searchsorted(events, at, side="left" if side == "left" else "right")
    return np.append(events, FOREVER)[index]
