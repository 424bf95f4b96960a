"""What all checkers share: the lane they judge, the instances they make, and how an instance becomes a sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import FOREVER
from tracecheck.decoding.lane import Window
from tracecheck.decoding.rows import Columns
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, Bounds, Samples, Verdicts
from tracecheck.rules.model import Rule
from tracecheck.rules.select import chosen
from tracecheck.rules.selector import Selector

R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, slots=True)
class LaneInfo:
    """What a checker knows of the lane it judges. `codes`: event name -> code; `names`: code -> name.

    `marker_where`: the selectors of the lane's markers by role and name; transfers outside are not judged against
    that marker.
    """

    bus: str | None
    codes: dict[str, int]
    names: dict[int, str]
    rate_hz: int | None
    timebase_ppm: int
    initially_active: dict[str, bool]
    marker_where: dict[str, Selector]


@dataclass(frozen=True, slots=True)
class Instances:
    """n instances of one rule. `value` in samples (or a count), -1 where nothing was measured; `reason` indexes the
    rule kind's sentences; `period`: SCL period in samples, for bounds in `scl`; `extra` whatever the sentence needs.
    """

    at: Samples
    transfer: Samples
    verdict: Verdicts
    value: Samples
    reason: NDArray[np.uint8]
    period: Samples
    extra: Samples

    def __len__(self) -> int:
        return len(self.at)

    def where(self, mask: NDArray[Any]) -> Instances:
        return Instances(
            self.at[mask],
            self.transfer[mask],
            self.verdict[mask],
            self.value[mask],
            self.reason[mask],
            self.period[mask],
            self.extra[mask],
        )

    @staticmethod
    def joined(parts: list[Instances]) -> Instances:
        if len(parts) == 1:
            return parts[0]
        return Instances(
            *(
                np.concatenate([getattr(p, name) for p in parts])
                if parts
                else np.empty(0, np.uint8 if name in ("verdict", "reason") else np.int64)
                for name in ("at", "transfer", "verdict", "value", "reason", "period", "extra")
            )
        )


def instances(
    at: Samples,
    transfer: Samples,
    verdict: Verdicts,
    *,
    value: Samples | None = None,
    reason: NDArray[np.uint8] | int = 0,
    period: Samples | None = None,
    extra: Samples | None = None,
) -> Instances:
    """Instances with the columns that are not given filled in."""
    n = len(at)
    return Instances(
        at,
        transfer,
        verdict.astype(np.uint8, copy=False),
        np.full(n, -1, np.int64) if value is None else value,
        np.full(n, reason, np.uint8) if isinstance(reason, int) else reason,
        np.zeros(n, np.int64) if period is None else period,
        np.full(n, -1, np.int64) if extra is None else extra,
    )


NONE = Instances.joined([])


class Checker(ABC, Generic[R]):
    """One rule on one lane. `feed` windows in order; each call returns the instances that could be decided."""

    measures = "time"
    """What `value` is: "time" (samples), "count", or "" when nothing is measured."""

    def __init__(self, rule: R, lane: LaneInfo) -> None:
        self.rule, self.lane = rule, lane
        self._where = [rule.where, *self._marker_selectors()]

    @abstractmethod
    def feed(self, window: Window) -> Instances:
        """Instances decided by this window; at the final one, all that are left."""

    @abstractmethod
    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        """What instance `i` found, for a person; `time` formats a distance in samples."""

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        """The bounds in samples (or counts), for reading."""
        return None, None

    def events(self) -> tuple[str, ...]:
        """Names of the events the rule speaks of."""
        return self.rule.events

    def missing(self) -> tuple[str, ...]:
        """Those of them that this lane does not have: the rule cannot be checked here."""
        return tuple(name for name in self.events() if name not in self.lane.codes)

    def code(self, event: str) -> int:
        return self.lane.codes[event]

    def bounds(self, lower: Any, upper: Any) -> Bounds:
        return Bounds(lower, upper, self.lane.rate_hz, self.lane.timebase_ppm)

    def selected(self, transfers: Columns) -> NDArray[np.bool_]:
        """Which rows of `transfers` the rule judges."""
        mask = np.ones(len(transfers["start"]), np.bool_)
        for selector in self._where:
            if not selector.is_everything:
                mask &= chosen(selector, transfers, self.lane.bus, self.lane.rate_hz)
        return mask

    def chosen_events(self, window: Window, at: Samples, transfer: Samples) -> tuple[NDArray[np.bool_], Samples]:
        """Which events are instances (their transfer is selected, the bus was synced), and each one's row or -1."""
        row = window.rows_of(transfer)
        mask = at >= window.synced if window.synced >= 0 else np.zeros(len(at), np.bool_)
        if any(not s.is_everything for s in self._where):
            picked = np.append(self.selected(window.transfers), False)
            mask &= picked[row]
        return mask, row

    @staticmethod
    def periods(window: Window, row: Samples) -> Samples:
        """SCL period of each row, 0 where there is none."""
        return np.append(window.transfers["period"], 0)[row]

    def _marker_selectors(self) -> list[Selector]:
        names = {name.partition(".")[0] for name in self.events()}
        for derived, roles in (("wake", ("irq", "run")), ("ready", ("irq", "pending"))):
            if derived in names:
                names |= set(roles)
        return [self.lane.marker_where[name] for name in sorted(names) if name in self.lane.marker_where]


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of a window that a rule judges: samples [start, end); `cut_begin`, `cut_end` by the capture's ends.

    `fuzzy`: the end is a START, so that what coincides with it may lie on either side.
    """

    transfer: Samples
    row: Samples
    start: Samples
    end: Samples
    cut: NDArray[np.bool_]
    cut_begin: NDArray[np.bool_]
    fuzzy: NDArray[np.bool_]
    overflow: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start)


def scopes_of(checker: Checker[Any], window: Window, kind: str) -> Scopes:
    """The `transfer` or `exchange` scopes of a window that the rule's selectors choose."""
    transfers, exchanges = window.transfers, window.exchanges
    if kind == "transfer":
        row = np.arange(len(transfers["start"]))
        start, end = transfers["start"], transfers["end"] + 1
        fuzzy = np.zeros(len(row), np.bool_)
        cut = transfers["complete"] == 0
    else:
        row, start, end, fuzzy = (exchanges.rows, exchanges.start, exchanges.close, exchanges.close_is_start)
        beyond = np.zeros(len(row), np.bool_)
        if window.final:
            beyond = end > window.end
        cut = (transfers["complete"][row] == 0) | beyond
    overflow = np.isin(transfers["transfer"][row], list(window.overflow))
    judged = start >= window.synced if window.synced >= 0 else np.zeros(len(row), np.bool_)
    keep = checker.selected(transfers)[row] & judged
    # Cut by the capture's beginning: incomplete although it has a STOP. By its end: no STOP and incomplete.
    cut_begin = (transfers["complete"][row] == 0) & (transfers["stop"][row] >= 0)
    return Scopes(
        transfers["transfer"][row][keep],
        row[keep],
        start[keep],
        end[keep],
        cut[keep],
        cut_begin[keep],
        fuzzy[keep],
        overflow[keep],
    )


def counted(scopes: Scopes, at: Samples, owner: Samples, *, on_bus: bool) -> tuple[Samples, Samples]:
    """Events surely inside each scope, and those that coincide with a boundary and may be inside.

    `owner`: the transfer each event belongs to. Events of the bus itself are ordered by its own STARTs and STOPs, so
    they are never uncertain.
    """
    ids = scopes.transfer
    first, last = (np.searchsorted(at, scopes.start, "left"), np.searchsorted(at, scopes.end, "left"))
    inside = last - first
    if on_bus:
        mine = np.searchsorted(owner, ids, "right") - np.searchsorted(owner, ids, "left")
        return mine.astype(np.int64), np.zeros(len(ids), np.int64)
    at_start = np.searchsorted(at, scopes.start, "right") - first
    at_end = np.where(scopes.fuzzy, np.searchsorted(at, scopes.end, "right") - last, 0)
    return (inside - at_start).astype(np.int64), (at_start + at_end).astype(np.int64)


def settle_cut(verdict: Verdicts, cut: NDArray[np.bool_], overflow: NDArray[np.bool_]) -> Verdicts:
    """A cut instance can only fail; one that was given up for its size is inconclusive."""
    found = np.where(cut & (verdict != FAIL), CUT, verdict)
    found = np.where(overflow & (found == PASS), INCONCLUSIVE, found)
    return found.astype(np.uint8)


__all__ = ["CUT", "FAIL", "FOREVER", "INCONCLUSIVE", "NONE", "PASS"]
