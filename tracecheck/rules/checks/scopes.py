"""Scopes: the transfers and exchanges a rule judges, and which events lie in each, surely or perhaps.

What happens in the very sample in which a scope begins or ends may lie on either side of it. A bus's own events are
ordered by the bus, so only markers, derived events and anomalies outside transfers are ever uncertain. The end of an
exchange that `settle` closes is no event, so nothing coincides with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck import _lane
from tracecheck.decoding.exchanges import FOREVER, VOID, Samples
from tracecheck.decoding.window import ANOMALY_CODE, Mask, Rows, Window, places_in
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, Verdicts
from tracecheck.rules.checks.base import Checker


@dataclass(frozen=True, slots=True)
class Scopes:
    """n scopes of one window, ascending: between samples `start` and `end`, neither included, all is surely inside.

    `edge`: the sample of the event that ends it (STOP, the next START), -1 where time ends it
    `place`: where each stands among all of its kind in the window
    `cut`: by the capture's beginning (`cut_begin`) or its end (`cut_end`); `lost`: given up for its size
    """

    place: Samples
    transfer: Samples
    row: Samples
    start: Samples
    end: Samples
    edge: Samples
    cut_begin: Mask
    cut_end: Mask
    lost: Mask
    whole: bool = field(kw_only=True)
    """Whether none is cut, nor was given up."""

    def __len__(self) -> int:
        return len(self.start)

    @property
    def cut(self) -> Mask:
        return self.cut_begin | self.cut_end

    @staticmethod
    def of(*columns: NDArray[Any]) -> Scopes:
        """Scopes with these columns, in order."""
        return Scopes(*columns, whole=not any(mask.any() for mask in columns[-3:]))

    def where(self, keep: NDArray[Any]) -> Scopes:
        keep = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        times: tuple[NDArray[Any], ...] = (self.place, self.transfer, self.row, self.start, self.end, self.edge)
        masks: tuple[NDArray[Any], ...] = (self.cut_begin, self.cut_end, self.lost)
        if self.whole:  # all of them say no
            return Scopes(*(column.take(keep) for column in times), *(mask[: len(keep)] for mask in masks), whole=True)
        return Scopes.of(*(column.take(keep) for column in (*times, *masks)))


def every_scope(window: Window, kind: str) -> Scopes:
    """All `transfer` or `exchange` scopes of a window."""
    return window.once(("scopes", kind), lambda: _every_scope(window, kind))


def _every_scope(window: Window, kind: str) -> Scopes:
    transfers, exchanges = window.transfers, window.exchanges
    if kind == "transfer":
        row = np.arange(len(transfers["start"]))
        start, stop = transfers["start"], transfers["stop"]
        end = np.where(stop >= 0, stop, transfers["end"] + 1)
        edge = stop
    else:
        row, start, end = exchanges.rows, exchanges.start, exchanges.close
        edge = np.where(exchanges.close_is_start, end, -1)
    ids = transfers["transfer"][row]
    cut_end = ids == window.cut_end
    if window.final:
        cut_end |= end > window.end
    return Scopes.of(
        np.arange(len(row)), ids, row, start, end, edge, ids == window.cut_begin, cut_end, window.gave_up(ids)
    )


def judged_scopes(checker: Checker[Any], window: Window) -> Scopes:
    """Those that the rule's selectors choose, from where both lines of the bus were high once."""
    return window.once(("judged", checker.rule.scope, checker.chooses), lambda: _judged_scopes(checker, window))


def _judged_scopes(checker: Checker[Any], window: Window) -> Scopes:
    scopes = every_scope(window, checker.rule.scope)
    keep = window.judged_at(scopes.start)
    if checker.selects:
        keep &= checker.selected(window.transfers)[scopes.row]
    return scopes if keep.all() else scopes.where(keep)


def members(window: Window, kind: str, code: int) -> tuple[Samples, Samples]:
    """Events of one code: samples, and the transfer each surely belongs to, -1 where its sample decides."""
    return window.once(("members", kind, code), lambda: _members(window, kind, code))


def _members(window: Window, kind: str, code: int) -> tuple[Samples, Samples]:
    mine = window.places(code)
    at, own = window.at[mine], window.own[mine]
    transfers = window.transfers
    if kind == "exchange" and (transfers["outcome"] == VOID).any():
        void = np.isin(own, transfers["transfer"][transfers["outcome"] == VOID])
        if code < ANOMALY_CODE:
            return at[~void], own[~void]
        own = np.where(void, -1, own)
    return at, own


def counted(scopes: Scopes, window: Window, kind: str, code: int) -> tuple[Samples, Samples]:
    """Events of one code surely inside each scope, and those in the sample of a boundary."""
    sure, unsure = window.once(("counted", kind, code), lambda: _counted(window, kind, code))
    return sure[scopes.place], unsure[scopes.place]


def _counted(window: Window, kind: str, code: int) -> tuple[Samples, Samples]:
    scopes = every_scope(window, kind)
    at, own = members(window, kind, code)
    owned, free = np.sort(own[own >= 0]), at[own < 0]
    mine: Samples | int = 0
    if len(owned):
        mine = places_in(owned, scopes.transfer, "right") - places_in(owned, scopes.transfer, "left")
    first = places_in(free, scopes.start, "right")
    inside = np.maximum(places_in(free, scopes.end, "left") - first, 0)
    at_start = first - places_in(free, scopes.start, "left")
    at_edge = places_in(free, scopes.edge, "right") - places_in(free, scopes.edge, "left")
    at_edge += np.where(scopes.edge == window.end, int((window.ahead == code).sum()), 0)
    return mine + inside, at_start + np.where(scopes.edge >= 0, at_edge, 0)


def certain(scopes: Scopes, window: Window, kind: str, code: int) -> tuple[Samples, Samples]:
    """Samples and transfers of the events of one code that surely lie in one of the scopes."""
    at, own = members(window, kind, code)
    if not len(scopes):
        return at[:0], own[:0]
    row = np.maximum(np.searchsorted(scopes.start, at, "left") - 1, 0)
    placed = (at > scopes.start[row]) & (at < scopes.end[row])
    transfer = np.where(own >= 0, own, np.where(placed, scopes.transfer[row], -1))
    inside = np.isin(transfer, scopes.transfer)
    return at[inside], transfer[inside]


def settled(verdict: Verdicts, scopes: Scopes) -> Verdicts:
    """A cut instance can only fail; of one that was given up for its size nothing is known."""
    found = np.where(scopes.cut & (verdict != FAIL), CUT, verdict)
    return np.where(scopes.lost, INCONCLUSIVE, found).astype(np.uint8)


def open_ends(window: Window, kind: str) -> tuple[Samples, Samples, Samples]:
    """For each row of `transfers`: where its scope begins, ends (FOREVER while cut), and the edge (-1: no event).

    One more at the end stands for no row: it begins at -1, and never ends.
    """
    return window.once(("open ends", kind), lambda: _open_ends(window, kind))


def _open_ends(window: Window, kind: str) -> tuple[Samples, Samples, Samples]:
    n = len(window.transfers["start"]) + 1
    start, end, edge = (np.full(n, none, np.int64) for none in (-1, FOREVER, -1))
    start[:-1] = window.transfers["start"]
    scopes = every_scope(window, kind)
    end[scopes.row] = np.where(scopes.cut_end, FOREVER, scopes.end)
    edge[scopes.row] = np.where(scopes.cut_end, -1, scopes.edge)
    return start, end, edge


def places_by_row(window: Window, kind: str) -> tuple[Rows, Samples, Samples]:
    """The row of the transfer in whose scope each event lies, -1 for none; each row's first place, and behind its last.

    `kind`: a scope, or "own" for only what is part of the transfer itself.
    """
    return window.once(("by row", kind), lambda: _places_by_row(window, kind))


def _places_by_row(window: Window, kind: str) -> tuple[Rows, Samples, Samples]:
    n = len(window.transfers["start"])
    rows, first, end = _rows(window, kind), np.empty(n, np.int64), np.empty(n, np.int64)
    _lane.ranges(rows, first, end)
    return rows, first, end


def _rows(window: Window, kind: str) -> Rows:
    if kind != "transfer":
        return window.owner_row if kind == "exchange" else window.own_row
    rows, free = window.own_row.copy(), np.flatnonzero(window.own < 0)
    rows[free] = window.rows_of(window.transfer_at(window.at[free]))
    return rows


def at_edges(window: Window) -> dict[int, Samples]:
    """By row of its exchange: the places of what is no transfer's own in the very sample of the next START."""
    return window.once("at the edges", lambda: _at_edges(window))


def _at_edges(window: Window) -> dict[int, Samples]:
    scopes = every_scope(window, "exchange")
    by_event = np.flatnonzero(scopes.edge >= 0)
    edge = scopes.edge[by_event]
    # Its START has a place there, unless it is none of this window: what else has one, is beside it.
    first = places_in(window.at, edge, "left")
    more = np.flatnonzero(window.at.take(np.minimum(first + 1, len(window.at) - 1)) == edge)
    first, end = first[more], places_in(window.at, edge[more], "right")
    found: dict[int, Samples] = {}
    for row, low, high in zip(scopes.row[by_event[more]].tolist(), first.tolist(), end.tolist(), strict=True):
        free = low + np.flatnonzero(window.own[low:high] < 0)
        if len(free):
            found[row] = free
    return found
