"""duration: an interval lasts at least `min` and at most `max`.

One instance per interval of a marker, per stretch (an SCL low phase held beyond its nominal time), per transfer (START
to STOP) or per idle time (STOP to the next START). An interval whose beginning or end the capture does not show gives
a lower bound only: beyond `max` it fails, else it is cut.

    [[rule]]
    id = "handler-is-short"
    kind = "duration"
    marker = "irq"
    max = "20us"
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tracecheck.decoding.exchanges import VOID
from tracecheck.decoding.lane import Window
from tracecheck.rules.bounds import CUT, FAIL, Bounds, Samples
from tracecheck.rules.checks.base import NONE, Checker, Instances, LaneInfo, instances
from tracecheck.rules.model import DurationRule

MEASURED, AT_LEAST = range(2)
_EMPTY = np.empty(0, np.int64)


class DurationChecker(Checker[DurationRule]):
    """Carries the begin of an interval whose end has not come yet."""

    def __init__(self, rule: DurationRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._bounds: Bounds = self.bounds(rule.min, rule.max)
        self._open: tuple[int, int, int, bool] | None = None
        if lane.initially_active.get(rule.of):
            self._open = (0, -1, 0, False)
        self._last_stop = -1
        self._open_judged = True

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        return self._bounds.in_samples(self.rule.min, period), self._bounds.in_samples(self.rule.max, period)

    def feed(self, window: Window) -> Instances:
        match self.rule.of:
            case "stretch":
                rows = window.stretches
                return self._whole(window, rows["begin"], rows["end"], rows["transfer"])
            case "transfer":
                return self._transfers(window)
            case "idle":
                return self._idle(window)
            case _:
                return self._marker(window)

    def _whole(self, window: Window, begin: Samples, end: Samples, transfer: Samples) -> Instances:
        judged, row = self.chosen_events(window, begin, transfer)
        if not judged.any():
            return NONE
        period = self.periods(window, row)
        verdict = self._bounds.judge(end - begin, period)
        return instances(begin, transfer, verdict, value=end - begin, period=period).where(judged)

    def _transfers(self, window: Window) -> Instances:
        rows = window.transfers
        judged = self.selected(rows) & (rows["outcome"] != VOID)
        judged &= rows["start"] >= window.synced if window.synced >= 0 else False
        cut = rows["complete"] == 0
        length = rows["end"] - rows["start"]
        verdict = self._bounds.judge(length, rows["period"])
        late = self._bounds.beyond(length, rows["period"])
        verdict = np.where(cut, np.where(late, FAIL, CUT), verdict).astype(np.uint8)
        reason = np.where(cut, AT_LEAST, MEASURED).astype(np.uint8)
        return instances(
            rows["start"], rows["transfer"], verdict, value=length, reason=reason, period=rows["period"]
        ).where(judged)

    def _idle(self, window: Window) -> Instances:
        rows = window.transfers
        opens = rows["outcome"] != VOID
        start, end = rows["start"][opens], rows["end"][opens]
        before = np.concatenate([[self._last_stop], end])[: len(start)]
        if len(end):
            self._last_stop = int(end[-1])
        judged = self.selected(rows)[opens] & (before >= 0)
        length = start - before
        verdict = self._bounds.judge(length, rows["period"][opens])
        found = instances(before, rows["transfer"][opens], verdict, value=length, period=rows["period"][opens]).where(
            judged
        )
        if not (window.final and self._last_stop >= 0 and window.end > self._last_stop):
            return found
        rest = np.array([window.end - self._last_stop])
        late = self._bounds.beyond(rest, np.zeros(1, np.int64))
        tail = instances(
            np.array([self._last_stop]),
            np.array([-1]),
            np.where(late, FAIL, CUT).astype(np.uint8),
            value=rest,
            reason=AT_LEAST,
        )
        return Instances.joined([found, tail])

    def _marker(self, window: Window) -> Instances:
        begins, owners = window.of(self.code(f"{self.rule.of}.begin"))
        ends = window.of(self.code(f"{self.rule.of}.end"))[0]
        judged, row = self.chosen_events(window, begins, owners)
        period = self.periods(window, row)
        parts: list[Instances] = []
        if self._open is not None and len(ends) and (not len(begins) or ends[0] <= begins[0]):
            parts.append(self._closed(int(ends[0])))
            ends = ends[1:]
        n = min(len(begins), len(ends))
        length = ends[:n] - begins[:n]
        verdict = self._bounds.judge(length, period[:n])
        parts.append(instances(begins[:n], owners[:n], verdict, value=length, period=period[:n]).where(judged[:n]))
        if len(begins) > n:
            self._open = (int(begins[n]), int(owners[n]), int(period[n]), True)
            self._open_judged = bool(judged[n])
        if window.final and self._open is not None:
            parts.append(self._closed(window.end, cut=True))
        return Instances.joined(parts)

    def _closed(self, end: int, *, cut: bool = False) -> Instances:
        assert self._open is not None
        begin, owner, period, known = self._open
        judged, self._open, self._open_judged = self._open_judged, None, True
        if not judged or (not known and not self.rule.where.is_everything):
            return NONE
        length, periods = np.array([end - begin]), np.array([period])
        if known and not cut:
            verdict, reason = self._bounds.judge(length, periods), MEASURED
        else:
            late = self._bounds.beyond(length, periods)
            verdict, reason = np.where(late, FAIL, CUT).astype(np.uint8), AT_LEAST
        return instances(np.array([begin]), np.array([owner]), verdict, value=length, reason=reason, period=periods)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        lasted = time(int(found.value[i]))
        if int(found.reason[i]) == AT_LEAST:
            return f"{self.rule.of} lasted at least {lasted}; the capture does not show all of it"
        return f"{self.rule.of} lasted {lasted}"
