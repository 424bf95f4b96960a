"""A window: a stretch of a lane whose exchanges have all closed, as the rules see it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck import _lane, words
from tracecheck.decoding.exchanges import FOREVER, Exchanges, Samples
from tracecheck.decoding.rows import Columns

_MANY = frozenset(words.BUS_EVENTS.index(name) for name in ("address", "data", "ack"))
"""Codes of most events: they are looked for when asked for, not sorted with the others."""
_FEW = np.where(np.isin(np.arange(1 << 15), list(_MANY)), -1, np.arange(1 << 15))
_TAIL = 1 << 10
"""Events among which the last of most is, as a rule."""
A = TypeVar("A")
Codes = NDArray[np.int16]
Rows = NDArray[np.int32]
WIRE, ANOMALY_CODE, DERIVED_CODE = 15, 16, 40
"""The code that stands for any event of the bus, whose own are below it; the first that is none of the bus; and the
first that is no anomaly either: derived events, then markers."""
Mask = NDArray[np.bool_]
Scope = Literal["capture", "transfer", "exchange"]
Side = Literal["left", "right"]
NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Window:
    """Events [begin, end) of a lane whose exchanges have all closed, and those exchanges.

    `at`, `code`: ascending by sample
    `own`       the transfer that an event of the bus, an anomaly or an annotation is part of; -1 for all others
    `owner`     the one whose exchange holds it; a void's START and STOP lie in none
    `own_row`, `owner_row`  their rows in `transfers`, -1 where they have none
    `transfers` every transfer that started in the window; `exchanges` indexes it. A column more than the decoder's:
                `after`, the outcome of the transfer before it, voids passed over, -1 for none
    `timings`   what was measured of these transfers, by transfer and parameter; None where it was not asked for
    `ahead`     codes of what is not part of a transfer in the very sample `end`, where the next exchange may begin
    `cut_begin`, `cut_end`  the transfer that the capture's beginning, or its end, cuts; -1 for none
    `adrift`    up to this sample nobody knows where the bytes of `cut_begin` begin, as its START is only assumed; -1
    `cut_short` the lane's knowledge ends before the capture does: a pulse-count code could not be told
    `overflow`  exchanges that were given up for their size, of this window and of those before
    """

    begin: int
    end: int
    at: Samples
    code: Codes
    own: Samples
    owner: Samples
    own_row: Rows
    owner_row: Rows
    transfers: Columns
    exchanges: Exchanges
    stretches: Columns
    anomalies: Columns
    final: bool
    synced: int
    ahead: Codes
    cut_begin: int
    cut_end: int
    adrift: int
    cut_short: bool
    overflow: frozenset[int]
    timings: Columns | None = None
    asked: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, question: Hashable, answer: Callable[[], A]) -> A:
        """What `answer` gives, found out once: dozens of rules ask a window the same. Nobody may change it."""
        if question not in self.asked:
            self.asked[question] = answer()
        found: A = self.asked[question]
        return found

    @property
    def transfer(self) -> Samples:
        """The transfer to name for each event: its own, or (markers, derived events) its owner; -1 for none."""
        return self.once("transfer", lambda: np.where(self.code >= DERIVED_CODE, self.owner, self.own))

    def of(self, code: int, scope: Scope = "capture") -> tuple[Samples, Samples]:
        """Samples of all events of one code, and the transfer in whose `scope` each lies, -1 for none."""
        return self.once(("of", code, scope), lambda: self._of(code, scope))

    def _of(self, code: int, scope: Scope) -> tuple[Samples, Samples]:
        mine, at = self.places(code), self.at_of(code)
        if scope != "transfer":
            by_exchange = scope == "exchange" or code >= DERIVED_CODE
            transfer, rows = (self.owner, self.owner_row) if by_exchange else (self.own, self.own_row)
            transfer = transfer.take(mine)
            self.once(("rows", id(transfer)), lambda: (rows.take(mine).astype(np.int64), transfer))
            return at, transfer
        own, owner = self.own.take(mine), self.owner.take(mine)
        found = np.where(own >= 0, own, self.transfer_at(at))
        return at, np.where((found < 0) & self.gave_up(owner), owner, found)

    def at_of(self, code: int) -> Samples:
        """Samples of all events of one code."""
        return self.once(("at", code), lambda: self.at.take(self.places(code)))

    def places(self, code: int) -> Samples:
        """Where in `at` the events of one code stand, ascending."""
        if code == WIRE or code in _MANY:
            return self.once(
                ("all", code), lambda: np.flatnonzero(self.code < WIRE if code == WIRE else self.code == code)
            )
        order, offsets = self.once("by code", lambda: grouped(self.code, _FEW[: int(self.code.max(initial=-1)) + 1]))
        return order[offsets[code] : offsets[code + 1]] if code + 1 < len(offsets) else order[:0]

    def latest(self, code: int) -> int | None:
        """The sample of the last event of one code, None where there is none."""
        if code == WIRE or code in _MANY:
            tail = self.code[-_TAIL:]
            found = np.flatnonzero(tail < WIRE if code == WIRE else tail == code)
            if len(found):
                return int(self.at[len(self.code) - len(tail) + found[-1]])
        at = self.at_of(code)
        return int(at[-1]) if len(at) else None

    def after(self, code: int, event: int, side: Side) -> Samples:
        """For every event of one code the first of another at (`left`) or strictly after (`right`) it, else FOREVER."""
        return self.once(("after", code, event, side), lambda: first_at(self.at_of(code), self.at_of(event), side))

    def before(self, code: int, event: int, side: Side) -> Samples:
        """For every event of one code the latest of another at (`right`) or strictly before (`left`) it, else NEVER.

        Of this window: what was before it the caller has to know.
        """
        if code == WIRE or (code in _MANY and event not in _MANY):
            return self.once(("before", code, event), lambda: self._before(code, self.places(event)))[side == "left"]
        return self.once(("before", code, event, side), lambda: latest_at(self.at_of(code), self.at_of(event), side))

    def _before(self, code: int, places: Samples) -> tuple[Samples, Samples]:
        """As `before`, both sides: walks back from each place, as what there is many of is not far."""
        upto, before = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
        least, below = (0, WIRE) if code == WIRE else (code, code + 1)
        _lane.latest(self.at, self.code, places, least, below, NEVER, upto, before)
        return upto, before

    def rows_of(self, transfer: Samples) -> Samples:
        """Row in `transfers` of each transfer id, -1 where it is not of this window."""
        # The array is kept beside the answer, so that no other can take its identity.
        return self.once(("rows", id(transfer)), lambda: (self._rows_of(transfer), transfer))[0]

    def _rows_of(self, transfer: Samples) -> Samples:
        ids = self.transfers["transfer"]
        if not len(ids):
            return np.full(len(transfer), -1, np.int64)
        if ids[-1] - ids[0] == len(ids) - 1:  # as they are numbered one by one, unless some came before their turn
            row = transfer - ids[0]
            return np.where((row >= 0) & (row < len(ids)), row, -1)
        row = np.minimum(np.searchsorted(ids, transfer), len(ids) - 1)
        return np.where(ids[row] == transfer, row, -1)

    def gave_up(self, transfer: Samples) -> Mask:
        """Which of these transfers' exchanges were given up for their size."""
        if not self.overflow:
            return np.zeros(len(transfer), np.bool_)
        return np.isin(transfer, list(self.overflow))

    def judged_at(self, at: Samples) -> Mask:
        """Which samples lie where things are judged at all: from where both lines were high once."""
        return at >= self.synced if self.synced >= 0 else np.zeros(len(at), np.bool_)

    def transfer_at(self, at: Samples) -> Samples:
        """The transfer, from START to STOP, that each sample lies in, -1 for none."""
        start, end, ids = (self.transfers[name] for name in ("start", "end", "transfer"))
        row = places_in(start, at, "right") - 1
        inside = (row >= 0) & (at <= np.append(end, 0)[row])
        return np.where(inside, np.append(ids, -1)[row], -1)


def grouped(keys: Codes | NDArray[np.uint8], group_of: Samples) -> tuple[Samples, Samples]:
    """Places by the group of their key, below 0 for none: those of g ascend in order[offsets[g]:offsets[g + 1]]."""
    scratch, order = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    offsets = np.empty(int(group_of.max(initial=-1)) + 2, np.int64)
    return order[: _lane.group(keys, group_of, offsets, scratch, order)], offsets


def places_in(events: Samples, at: Samples, side: Side) -> Samples:
    """`np.searchsorted` for samples that ascend as well: along both, in one go."""
    found = np.empty(len(at), np.int64)
    _lane.search(events, at, side == "right", found)
    return found


def first_at(events: Samples, at: Samples, side: Side) -> Samples:
    """The first event at (`left`) or strictly after (`right`) each sample, FOREVER for none."""
    return np.append(events, FOREVER)[places_in(events, at, side)]


def latest_at(events: Samples, at: Samples, side: Side) -> Samples:
    """The latest event at or before (`right`) or strictly before (`left`) each sample, NEVER for none."""
    return np.append(events, NEVER)[places_in(events, at, side) - 1]
