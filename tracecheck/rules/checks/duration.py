"""duration: an interval lasts at least `min` and at most `max`.

One instance per interval of a marker, per stretch (an SCL low phase held beyond its nominal time), per transfer (START
to STOP, but not of a void) or per idle time (STOP to the next START of a transfer that is no void; it counts to the
transfer that follows). An interval whose beginning or end is not there, because the capture does not show it or because
no STOP came, gives a lower bound only: beyond `max` it fails, else it is cut. Where stretches have a `max` and no
`min`, a transfer without any passes: it was looked at.

    [[rule]]
    id = "handler-is-short"
    kind = "duration"
    marker = "irq"
    max = "20us"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tracecheck.decoding.exchanges import FOREVER, VOID, Samples
from tracecheck.decoding.window import Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.base import TOO_MANY, LaneInfo
from tracecheck.rules.checks.instances import NONE, Instances, instances, single
from tracecheck.rules.checks.statistics import Spans, TimedChecker
from tracecheck.rules.model import DurationRule

MEASURED, AT_LEAST = range(2)


class _Open(NamedTuple):
    """An interval that has begun: where, whose, its SCL period; `whole`: the capture shows its begin."""

    at: int
    transfer: int
    period: int
    whole: bool
    judged: bool
    lost: bool


class DurationChecker(TimedChecker[DurationRule]):
    """Carries the begin of an interval whose end has not come yet."""

    def __init__(self, rule: DurationRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._open: _Open | None = None
        self._begins_open = bool(lane.initially_active.get(rule.of))
        self._stop = -1

    def feed(self, window: Window) -> Instances:
        match self.rule.of:
            case "stretch":
                return self._stretches(window)
            case "transfer":
                return self._transfers(window)
            case "idle":
                return self._idle(window)
            case _:
                return self._marker(window)

    @property
    def waiting(self) -> Samples:
        return np.array([] if self._open is None else [self._open.transfer], np.int64)

    def _measured(self, begin: Samples, length: Samples, transfer: Samples, period: Samples, partly: Mask) -> Instances:
        """Instances of known length, or of those that last at least so long where `partly`."""
        late = self._each.beyond(length, period)
        whole = self.noted(self._each.judge(length, period))
        verdict = np.where(partly, np.where(late, FAIL, CUT), whole).astype(np.uint8)
        reason = np.where(partly, AT_LEAST, MEASURED).astype(np.uint8)
        return instances(begin, transfer, verdict, value=length, reason=reason, period=period)

    def _stretches(self, window: Window) -> Instances:
        rows = window.stretches
        judged, row, lost = self.chosen_events(window, rows["begin"], rows["transfer"])
        length = rows["end"] - rows["begin"]
        cut = rows["complete"] == 0
        found = self._measured(rows["begin"], length, rows["transfer"], self.periods(window, row), cut)
        found = _given_up(found, lost).where(judged)
        if self.rule.min is not None or self.rule.max is None:
            return found
        return Instances.joined([found, self._unstretched(window)])

    def _unstretched(self, window: Window) -> Instances:
        """Transfers that nobody stretched: looked at, and within any upper bound."""
        rows = window.transfers
        calm = self.selected(rows) & (rows["outcome"] != VOID) & window.judged_at(rows["start"])
        calm &= ~np.isin(rows["transfer"], window.stretches["transfer"])
        verdict = np.where(rows["complete"] == 0, CUT, PASS)
        verdict[window.gave_up(rows["transfer"])] = INCONCLUSIVE
        reason = np.where(verdict == INCONCLUSIVE, TOO_MANY, MEASURED).astype(np.uint8)
        return instances(rows["start"], rows["transfer"], verdict, reason=reason).where(calm)

    def _transfers(self, window: Window) -> Instances:
        rows = window.transfers
        judged = self.selected(rows) & (rows["outcome"] != VOID) & window.judged_at(rows["start"])
        partly = (rows["complete"] == 0) | (rows["stop"] < 0)
        length = rows["end"] - rows["start"]
        return self._measured(rows["start"], length, rows["transfer"], rows["period"], partly).where(judged)

    def _idle(self, window: Window) -> Instances:
        rows = window.transfers
        opens = rows["outcome"] != VOID
        start, stop = rows["start"][opens], rows["stop"][opens]
        before = np.concatenate([[self._stop], stop])
        self._stop = int(before[-1])
        before = before[:-1]
        judged = self.selected(rows)[opens] & (before >= 0) & window.judged_at(before)
        whole = np.zeros(len(start), np.bool_)
        found = self._measured(before, start - before, rows["transfer"][opens], rows["period"][opens], whole)
        found = found.where(judged)
        # The last one has no transfer after it, which selectors could choose.
        last = np.array([self._stop], np.int64)
        if self.selects or not window.final or self._stop < 0 or not window.judged_at(last)[0]:
            return found
        nobody = np.array([-1], np.int64)
        rest = self._measured(last, np.maximum(window.end - last, 0), nobody, np.array([0], np.int64), np.array([True]))
        return Instances.joined([found, rest])

    def _marker(self, window: Window) -> Instances:
        if self._begins_open:
            self._begins_open = False
            self._open = _Open(0, -1, 0, whole=False, judged=window.synced == 0 and not self.selects, lost=False)
        begins, owners = window.of(self.code(f"{self.rule.of}.begin"))
        ends = window.at_of(self.code(f"{self.rule.of}.end"))
        judged, row, lost = self.chosen_events(window, begins, owners)
        period = self.periods(window, row)
        parts: list[Instances] = []
        if self._open is not None and len(ends):
            parts.append(self._closed(int(ends[0])))
            ends = ends[1:]
        n = min(len(begins), len(ends))
        whole = np.zeros(n, np.bool_)
        found = self._measured(begins[:n], ends[:n] - begins[:n], owners[:n], period[:n], whole)
        parts.append(_given_up(found, lost[:n]).where(judged[:n]))
        if len(begins) > n:
            self._open = _Open(
                int(begins[n]), int(owners[n]), int(period[n]), whole=True, judged=bool(judged[n]), lost=bool(lost[n])
            )
        if window.final and self._open is not None:
            parts.append(self._closed(window.end, ended=False))
        return Instances.joined(parts)

    def _closed(self, end: int, *, ended: bool = True) -> Instances:
        assert self._open is not None
        was, self._open = self._open, None
        if not was.judged:
            return NONE
        if was.lost:
            return single(was.at, INCONCLUSIVE, transfer=was.transfer, value=end - was.at, reason=TOO_MANY)
        columns = (np.array([x], np.int64) for x in (was.at, end - was.at, was.transfer, was.period))
        begin, length, transfer, period = columns
        return self._measured(begin, length, transfer, period, np.array([not (was.whole and ended)]))

    def spans(self, found: Instances) -> Spans:
        found = found.where((found.value >= 0) | (found.reason == TOO_MANY))  # not the transfers that nobody stretched
        far = np.where(found.reason == AT_LEAST, FOREVER, found.value)
        return Spans.of(found.value, far, found.period, found.reason == TOO_MANY)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        lasted = time(int(found.value[i]))
        if int(found.reason[i]) == AT_LEAST:
            return f"{self.rule.of} lasted at least {lasted}: its beginning or end is not there"
        return f"{self.rule.of} lasted {lasted}"


def _given_up(found: Instances, lost: Mask) -> Instances:
    if lost.any():
        found.verdict[lost], found.reason[lost] = INCONCLUSIVE, TOO_MANY
    return found
