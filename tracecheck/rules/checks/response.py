"""response: after every TRIGGER, a RESPONSE comes within its bounds.

One instance per trigger in the scope. The first response at or after it decides, as long as it comes before the next
trigger (unless `shared`), before the scope's end and, for a trigger on the bus, before the next START (of a void there
is none, and where the response is `start` itself it answers); earlier than `min`, later than `within`, or none is a
fail. A response in the very sample of the trigger, or of the event that ends its turn, may have come on either side:
both orders are judged, and where they differ the instance is inconclusive. So is a trigger in the very sample in which
its transfer or exchange begins or ends.

`extra` of an instance: the greatest distance that any order allows, FOREVER where there may be no response; of an
absent one where its turn ended, of one that the capture's end cut how long it waited.

    [[rule]]
    id = "task-runs-after-interrupt"
    kind = "response"
    trigger = "irq.begin"
    response = "wake"
    within = "20us"
    p99 = "10us"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import ANNOTATION_CODE, START
from tracecheck.decoding.window import ANOMALY_CODE, Mask, Window, first_at
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, Verdicts, agree
from tracecheck.rules.checks.base import TOO_MANY, LaneInfo
from tracecheck.rules.checks.instances import NONE, Instances, instances
from tracecheck.rules.checks.scopes import members, open_ends
from tracecheck.rules.checks.statistics import Spans, TimedChecker
from tracecheck.rules.model import ResponseRule

MEASURED, ABSENT, COINCIDENT, ELAPSED = range(4)
MAX_PENDING = 1 << 20
"""Triggers that may wait for one response (`shared`); the oldest beyond it are inconclusive."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """Triggers still waiting.

    `end`: where time closes the scope; `edge`: the event that does; FOREVER for neither
    `unsure`: the trigger itself may lie outside its scope
    """

    at: Samples
    transfer: Samples
    period: Samples
    end: Samples
    edge: Samples
    unsure: Mask
    judged: Mask

    @staticmethod
    def joined(a: _Pending, b: _Pending) -> _Pending:
        return _Pending(*(np.concatenate([getattr(a, f.name), getattr(b, f.name)]) for f in fields(_Pending)))

    def where(self, mask: NDArray[Any]) -> _Pending:
        if mask.dtype == np.bool_:
            if mask.all():
                return self
            mask = np.flatnonzero(mask)
        return _Pending(*(getattr(self, name).take(mask) for name in _Pending.__slots__))


_EMPTY = np.empty(0, np.int64)
_NONE_WAIT: Final = _Pending(*(_EMPTY,) * 5, *(np.empty(0, np.bool_),) * 2)


class ResponseChecker(TimedChecker[ResponseRule]):
    """Carries the triggers that no response has answered yet."""

    def __init__(self, rule: ResponseRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._pending = _NONE_WAIT
        self._on_bus = self.on_bus(rule.trigger)
        self._said = self.code(rule.response) >= ANNOTATION_CODE
        said, done = max(self.code(e) for e in rule.events), min(self.code(e) for e in rule.events)
        self._told_apart = done < ANOMALY_CODE and said >= ANNOTATION_CODE

    def feed(self, window: Window) -> Instances:
        if not len(self._pending.at) and self.judges_none(window):
            return NONE
        question = ("triggers", self.rule.trigger, self.rule.scope, self.chooses)
        fresh, lost = window.once(question, lambda: self._triggers(window))
        if not len(self._pending.at) and not fresh.judged.any():
            return lost
        waiting = _Pending.joined(self._pending, fresh) if len(self._pending.at) else fresh
        trigger, response = self.code(self.rule.trigger), self.code(self.rule.response)
        responses = window.at_of(response)
        edge, turn = self._edges(waiting, window)
        ends = np.minimum(np.minimum(edge, turn), waiting.end)
        first = window.after(response, trigger, "left")
        if len(self._pending.at):
            first = np.concatenate([first_at(responses, self._pending.at, "left"), first])
        # What decides must lie in the window whole: in the sample of `window.end` more may come.
        known = first < FOREVER
        if not known.all():
            known |= np.minimum(np.minimum(edge, turn), waiting.end - 1) < window.end
        if window.final:
            known[:] = True
        self._pending = _NONE_WAIT if known.all() else waiting.where(~known)
        plain = (first > waiting.at) & (first < ends) & ~waiting.unsure
        usual = self._usual(waiting, first)
        others = ~plain & waiting.judged
        if not others.any():
            return Instances.joined([p for p in (lost, usual.where(waiting.judged), self._shed()) if len(p)])
        rest = self._judge(waiting.where(others), edge[others], turn[others], responses, window)
        found = usual.replaced(others, rest).where(known & waiting.judged)
        return Instances.joined([p for p in (lost, found, self._shed()) if len(p)])

    @property
    def waiting(self) -> Samples:
        return self._pending.transfer

    def _usual(self, waiting: _Pending, first: Samples) -> Instances:
        """All as if each had its response within its turn, with nothing else in the sample of either."""
        value = first - waiting.at
        verdict = self.noted(self._each.judge(value, waiting.period))
        return instances(
            waiting.at,
            waiting.transfer,
            verdict,
            value=value,
            reason=MEASURED,
            period=waiting.period,
            extra=value,
        )

    def _triggers(self, window: Window) -> tuple[_Pending, Instances]:
        at, transfer = window.of(self.code(self.rule.trigger), self.rule.scope)
        judged, row, lost = self.chosen_events(window, at, transfer)
        end = np.full(len(at), FOREVER, np.int64)
        edge, unsure = end.copy(), np.zeros(len(at), np.bool_)
        period = self.periods(window, row)
        if self.rule.scope != "capture":
            starts, ends, edges = open_ends(window, self.rule.scope)
            edge = edges.take(row, mode="wrap")
            by_event = edge >= 0
            end = np.where(by_event, FOREVER, ends.take(row, mode="wrap"))
            edge = np.where(by_event, edge, FOREVER)
            if not self._on_bus:
                unsure = (row >= 0) & ((at == starts.take(row, mode="wrap")) | (at == edge))
        given_up = NONE
        if lost.any():
            unknown = np.full(len(at), INCONCLUSIVE, np.uint8)
            given_up = instances(at, transfer, unknown, reason=TOO_MANY, period=period).where(lost)
        return _Pending(at, transfer, period, end, edge, unsure, judged & ~lost), given_up

    def _edges(self, waiting: _Pending, window: Window) -> tuple[Samples, Samples]:
        """The event of the bus, and the next trigger, that end each trigger's turn; FOREVER while none is known."""
        edge, turn = waiting.edge, np.full(len(waiting.at), FOREVER, np.int64)
        if not self.rule.shared:
            # Triggers in one sample share their turn: which of them a response belongs to cannot be told.
            trigger, n = self.code(self.rule.trigger), len(self._pending.at)
            turn = window.after(trigger, trigger, "right")
            if n:
                turn = np.concatenate([first_at(waiting.at, waiting.at[:n], "right"), turn])
        if self._on_bus and self.rule.response != "start":
            edge = np.minimum(edge, first_at(members(window, "exchange", START)[0], waiting.at, "right"))
        if (known := self.told_to(window)) is not None:
            # Beyond the end of what is known of the markers, or said of the bus, nothing can be missed.
            edge, turn = (np.where(limit > known, FOREVER, limit) for limit in (edge, turn))
        return edge, turn

    def _judge(self, waiting: _Pending, edge: Samples, turn: Samples, responses: Samples, window: Window) -> Instances:
        """The verdict on all that wait, were there to be no more responses."""
        first = first_at(responses, waiting.at, "left")
        here = first == waiting.at
        after = first.copy()
        after[here] = first_at(responses, waiting.at[here], "right")
        if self.surely_first(self.rule.trigger, self.rule.response):
            after = first
        elif self.surely_first(self.rule.response, self.rule.trigger):
            first = after
        ends = np.minimum(np.minimum(edge, turn), waiting.end)
        sure = self._counts(waiting, first, edge, turn, late=False)
        taken = sure.copy()
        verdict = self._verdict(waiting, first, sure, ends, window)
        always, last = sure.copy(), after
        # What shares a sample with another event may have come on either side of it: every order is judged.
        either = np.flatnonzero(
            (first != after) | (first == edge) | (first == turn) | (after == edge) | (after == turn)
        )
        if len(either):
            few = waiting.where(either)
            orders = [
                (came, self._counts(few, came, edge[either], turn[either], late=late))
                for came in (first[either], after[either])
                for late in (False, True)
            ]
            verdict[either] = agree(*(self._verdict(few, came, n, ends[either], window) for came, n in orders))
            taken[either] = orders[1][1]
            always[either] = np.all([n for _, n in orders], axis=0)
        verdict = self.noted(verdict)
        value = np.where(taken, first - waiting.at, -1)
        reason = np.where(taken, MEASURED, np.where(ends < FOREVER, ABSENT, ELAPSED)).astype(np.uint8)
        coincident = taken & (~sure | ((first == waiting.at) & (first != after)))
        reason[coincident & (verdict == INCONCLUSIVE)] = COINCIDENT
        elapsed = np.maximum(self._known(window) - waiting.at, 0)
        value = np.where((reason == ELAPSED) & (verdict == FAIL), elapsed, value)
        longest = np.where(always, last - waiting.at, FOREVER)
        extra = np.where(reason == ABSENT, ends, np.where(reason == ELAPSED, elapsed, longest))
        unsure = waiting.unsure
        verdict[unsure], reason[unsure], value[unsure] = INCONCLUSIVE, COINCIDENT, -1
        return instances(
            waiting.at,
            waiting.transfer,
            verdict,
            value=value,
            reason=reason,
            period=waiting.period,
            extra=extra,
        )

    def _counts(self, waiting: _Pending, came: Samples, edge: Samples, turn: Samples, *, late: bool) -> Mask:
        """Whether a response lies within the turn; `late`: one in the sample of what ends it came before that."""
        if not self.on_bus(self.rule.response):
            at_edge = late and (came == edge) & ((waiting.at < edge) | (not self._on_bus))
        else:
            # The bus orders its own events: STOP is the last event of its transfer, START the first of the next.
            last = self.rule.response == "stop" or (self._said and self.rule.scope == "transfer")
            at_edge = (came == edge) & (waiting.at < came) & last
        at_turn = late
        if self._told_apart:
            at_turn = self.surely_first(self.rule.response, self.rule.trigger)
        within: Mask = ((came < edge) | at_edge) & ((came < turn) | (at_turn & (came == turn)))
        return within & (came < waiting.end)

    def _verdict(self, waiting: _Pending, came: Samples, counts: Mask, ends: Samples, window: Window) -> Verdicts:
        """The verdict if `came` is the first response, and counts or not."""
        verdict = self._each.judge(np.where(counts, came - waiting.at, 0), waiting.period)
        verdict[~counts] = FAIL
        cut = ~counts & (ends == FOREVER)
        if cut.any():
            # Not answered by the capture's end: only what has already taken too long can be told.
            late = self._each.beyond(np.maximum(self._known(window) - waiting.at, 0), waiting.period)
            verdict[cut] = np.where(late, FAIL, CUT)[cut]
        return verdict

    def _known(self, window: Window) -> int:
        """Up to where a response would have been seen."""
        limit = self.told_to(window)
        return window.end if limit is None else limit

    def spans(self, found: Instances) -> Spans:
        absent, elapsed = found.reason == ABSENT, found.reason == ELAPSED
        near = np.where(absent, FOREVER, np.where(elapsed, found.extra, found.value))
        far = np.where(absent | elapsed, FOREVER, found.extra)
        lost = (found.reason == TOO_MANY) | ((found.reason == COINCIDENT) & (found.value < 0))
        return Spans.of(near, far, found.period, lost)

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
                return f"{rule.trigger} or {rule.response} coincides with another event: which was first cannot be told"
            case _:
                rest = f"; at least {time(value)} had passed" if value >= 0 else ""
                return f"the capture ends before {rule.response} came{rest}"

    def _turn_end(self) -> str:
        """What may have ended the turn, in words."""
        ends = [] if self.rule.shared else [f"the next {self.rule.trigger}"]
        if self._on_bus and self.rule.trigger != "start":
            ends.append("the next start")
        if self.rule.scope != "capture":
            ends.append(f"the {self.rule.scope}'s end")
        return " or ".join(ends)
