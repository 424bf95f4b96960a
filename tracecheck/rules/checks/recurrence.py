"""recurrence: from each EVENT to the next in its scope it takes at least `min` and at most `max`.

One instance per consecutive pair, placed at the earlier of the two. The gap from the last event to the scope's end is
no period: where it surely lasts longer than `max` it fails, where the capture cuts the scope it is cut, else it is no
instance. `jitter` bounds the longest period less the shortest, of all whole periods on the lane; it takes two of them.
With a selector, the events of the selected transfers are taken, one after the other.

An event in the very sample in which its transfer or exchange begins or ends may lie on either side: what depends on
that is inconclusive.

    [[rule]]
    id = "sensor-is-polled"
    kind = "recurrence"
    event = "start"
    where = { address = 0x48 }
    min = "9ms"
    max = "11ms"
    jitter = "500us"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.window import Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, Bounds
from tracecheck.rules.checks.base import TOO_MANY, LaneInfo
from tracecheck.rules.checks.instances import NONE, Instances, instances
from tracecheck.rules.checks.scopes import Scopes, judged_scopes, members
from tracecheck.rules.checks.statistics import Spans, TimedChecker
from tracecheck.rules.model import RecurrenceRule
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.statistic import Statistic

MEASURED, CUT_SHORT, SCOPE_END, COINCIDENT = range(4)
PERIODS_FOR_JITTER = 2


@dataclass(frozen=True, slots=True)
class _Events:
    """Events in order, scope by scope: whose scope, where the scope ends, whether the capture cuts it there.

    `unsure`: it may lie on the other side of the scope's boundary; `lost`: it may be none of the rule's
    """

    at: Samples
    transfer: Samples
    period: Samples
    scope: Samples
    end: Samples
    cut: Mask
    unsure: Mask
    lost: Mask


class RecurrenceChecker(TimedChecker[RecurrenceRule]):
    """With the scope `capture`, carries the latest event."""

    def __init__(self, rule: RecurrenceRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._latest = NONE
        self._jitter = _Jitter(rule.jitter, self.bounds(None, rule.jitter)) if rule.jitter is not None else None

    def feed(self, window: Window) -> Instances:
        return self._capture(window) if self.rule.scope == "capture" else self._scopes(window)

    @property
    def waiting(self) -> Samples:
        return self._latest.transfer

    def _capture(self, window: Window) -> Instances:
        at, transfer = window.of(self.code(self.rule.event))
        judged, row, lost = self.chosen_events(window, at, transfer)
        limit = self.told_to(window)
        if limit is not None:
            judged = judged & (at < limit)  # from there on, others may have come between them
        reason = np.where(lost, TOO_MANY, MEASURED).astype(np.uint8)
        fresh = instances(
            at, transfer, np.full(len(at), PASS, np.uint8), reason=reason, period=self.periods(window, row)
        ).where(judged)
        known = Instances.joined([self._latest, fresh])
        n = len(known)
        self._latest = known.where(np.arange(n) == n - 1)
        if not window.final:
            n = max(n - 1, 0)
        elif not n:
            return NONE
        events = _Events(
            known.at,
            known.transfer,
            known.period,
            np.zeros(len(known), np.int64),
            np.full(len(known), window.end if limit is None else limit, np.int64),
            np.ones(len(known), np.bool_),
            np.zeros(len(known), np.bool_),
            known.reason == TOO_MANY,
        )
        return self._judged(events, np.arange(len(known)) < n)

    def _scopes(self, window: Window) -> Instances:
        scopes = judged_scopes(self, window)
        if not len(scopes):
            return NONE
        lost = scopes.where(scopes.lost)
        given_up = instances(lost.start, lost.transfer, np.full(len(lost), INCONCLUSIVE, np.uint8), reason=TOO_MANY)
        events = self._inside(scopes.where(~scopes.lost), window)
        return Instances.joined([given_up, self._judged(events, np.ones(len(events.at), np.bool_))])

    def _inside(self, scopes: Scopes, window: Window) -> _Events:
        """The events of each scope, those in the samples of its boundaries too."""
        code = self.code(self.rule.event)
        at, own = members(window, self.rule.scope, code)
        limit = self.told_to(window)
        if limit is not None:
            at, own = at[at < limit], own[at < limit]
        free, inside = at[own < 0], _owned(own, scopes.transfer)
        ahead = np.full(int((window.ahead == code).sum()), window.end, np.int64)
        # In one sample: what may have come before the scope, what surely lies in it, what may have come after.
        parts = [
            _samples_within(free, scopes.start, scopes.start + 1),
            (inside[0], at[inside[1]]),
            _samples_within(free, scopes.start + 1, scopes.end),
            _samples_within(np.concatenate([free, ahead]), scopes.edge, scopes.edge + 1),
        ]
        place = np.repeat([0, 1, 1, 2], [len(samples) for _, samples in parts])
        scope, when = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((place, when, scope))
        scope, when, place = scope[order], when[order], place[order]
        last_sample = np.where(scopes.edge >= 0, scopes.edge, scopes.end - 1)
        last_sample = np.where(scopes.cut_end, window.end if limit is None else limit, last_sample)
        return _Events(
            when,
            scopes.transfer[scope],
            self.periods(window, scopes.row[scope]),
            scope,
            last_sample[scope],
            scopes.cut_end[scope],
            place != 1,
            np.zeros(len(when), np.bool_),
        )

    def _judged(self, events: _Events, decided: Mask) -> Instances:
        """The period that begins with each event of which `decided` says that it is known."""
        n = len(events.at)
        if not n:
            return NONE
        follows = np.append(events.scope[1:] == events.scope[:-1], False)
        after = np.append(events.at[1:], 0)
        value = np.where(follows, after, np.maximum(events.end, events.at)) - events.at
        beyond = self._each.beyond(value, events.period)
        verdict = self.noted(self._each.judge(value, events.period))
        reason = np.where(follows, MEASURED, np.where(events.cut, CUT_SHORT, SCOPE_END)).astype(np.uint8)
        verdict = np.where(follows, verdict, np.where(beyond, FAIL, CUT)).astype(np.uint8)
        # The last sure event before one that may lie outside: either the period ends there, or the scope does.
        to_unsure = follows & np.append(events.unsure[1:], False) & ~events.unsure
        at_edge = to_unsure & (after == events.end)
        verdict[at_edge & ~beyond], reason[at_edge] = INCONCLUSIVE, COINCIDENT
        verdict[events.unsure] = INCONCLUSIVE
        reason[events.unsure & follows] = COINCIDENT
        lost = events.lost | (follows & np.append(events.lost[1:], False))
        verdict[lost], reason[lost] = INCONCLUSIVE, TOO_MANY
        there = follows | beyond | events.cut
        found = instances(events.at, events.transfer, verdict, value=value, reason=reason, period=events.period)
        return found.where(there & decided)

    def spans(self, found: Instances) -> Spans:
        found = found.where(found.reason != SCOPE_END)
        far = np.where(found.reason == CUT_SHORT, FOREVER, found.value)
        doubtful = (found.reason == COINCIDENT) | (found.reason == TOO_MANY)
        doubtful |= (found.reason == CUT_SHORT) & (found.verdict == INCONCLUSIVE)
        return Spans.of(found.value, far, found.period, doubtful)

    def note(self, found: Instances) -> None:
        super().note(found)
        if self._jitter is not None:
            lost = int((found.reason == TOO_MANY).sum())
            self._jitter.add(found.value[found.reason == MEASURED], found.value[found.reason == COINCIDENT], lost)

    def statistics(self, at: int) -> tuple[Statistic, ...]:
        jitter = self._jitter.statistic(at) if self._jitter is not None else None
        return super().statistics(at) + (() if jitter is None else (jitter,))

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        event, lasted = self.rule.event, time(int(found.value[i]))
        if int(found.reason[i]) != MEASURED and int(found.verdict[i]) == INCONCLUSIVE:
            return f"{event} coincides with the {self.rule.scope}'s boundary: which side cannot be told"
        match int(found.reason[i]):
            case 1:
                return f"the capture ends before the next {event} came; at least {lasted} had passed"
            case 2:
                return f"no other {event} in the {lasted} until the {self.rule.scope}'s end"
            case _:
                return f"the next {event} came {lasted} later"


@dataclass(slots=True)
class _Range:
    """How many there were, the shortest and the longest."""

    count: int = 0
    least: int = 0
    most: int = 0

    def add(self, values: Samples) -> None:
        if len(values):
            low, high = int(values.min()), int(values.max())
            self.least, self.most = (min(self.least, low), max(self.most, high)) if self.count else (low, high)
            self.count += len(values)


class _Jitter:
    """The longest whole period less the shortest. Each edge is known to one sample, so two periods to two.

    Some periods there surely were, others perhaps (an event lies on the scope's boundary), others are `lost`.
    """

    def __init__(self, bound: Quantity, judge: Bounds) -> None:
        self._bound, self._judge = bound, judge
        self._sure, self._perhaps = _Range(), _Range()
        self._lost = 0

    def add(self, sure: Samples, perhaps: Samples, lost: int) -> None:
        """Take more periods."""
        self._sure.add(sure)
        self._perhaps.add(perhaps)
        self._lost += lost

    def statistic(self, at: int) -> Statistic | None:
        sure, perhaps, lost = self._sure, self._perhaps, self._lost
        if not sure.count and not perhaps.count:
            return None
        every = [part for part in (sure, perhaps) if part.count]
        shortest, longest = min(part.least for part in every), max(part.most for part in every)
        none = np.zeros(1, np.int64)
        # From `shortest - 1` to `longest + 1`; no period is shorter than nothing.
        most = np.array([longest - max(shortest - 1, 0)], np.int64)
        least = np.array([sure.most - sure.least - 1 if sure.count else 0], np.int64)
        verdict = INCONCLUSIVE
        if self._judge.beyond(least, none)[0]:
            verdict = FAIL
        elif sure.count >= PERIODS_FOR_JITTER and not lost and self._judge.judge(most, none)[0] == PASS:
            verdict = PASS
        return Statistic(
            name="jitter",
            bound=self._bound,
            verdict=verdict,
            count=sure.count,
            needed=PERIODS_FOR_JITTER,
            low=sure.most - sure.least if sure.count else 0,
            high=None if lost else longest - shortest,
            open=perhaps.count + lost,
            slack=2,
            at=at,
        )


def _owned(own: Samples, transfers: Samples) -> tuple[Samples, Samples]:
    """The events of each of these transfers, which ascend: the index of the transfer, and the event's place."""
    if (own[1:] >= own[:-1]).all():
        return _within(own, transfers, transfers + 1)
    places = np.flatnonzero(np.isin(own, transfers))
    return np.searchsorted(transfers, own[places]), places


def _samples_within(events: Samples, low: Samples, high: Samples) -> tuple[Samples, Samples]:
    """As `_within`, with the sample of each event."""
    stretch, place = _within(events, low, high)
    return stretch, events[place]


def _within(events: Samples, low: Samples, high: Samples) -> tuple[Samples, Samples]:
    """The events of each stretch [low, high): the index of the stretch, and the event's place."""
    first = np.searchsorted(events, low)
    count = np.maximum(np.searchsorted(events, high) - first, 0)
    stretch = np.repeat(np.arange(len(low)), count)
    return stretch, np.arange(len(stretch)) - np.repeat(np.cumsum(count) - count - first, count)
