"""A window: a stretch of a lane whose exchanges have all closed, as the rules see it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Exchanges, Samples
from tracecheck.decoding.rows import Columns

A = TypeVar("A")
Codes = NDArray[np.int16]
WIRE, ANOMALY_CODE = 15, 16
"""The code that stands for any event of the bus, whose own are below it; and the first that is none of the bus."""
Mask = NDArray[np.bool_]
Scope = Literal["capture", "transfer", "exchange"]


@dataclass(frozen=True, slots=True)
class Window:
    """Events [begin, end) of a lane whose exchanges have all closed, and those exchanges.

    `at`, `code`: ascending by sample
    `own`       the transfer that an event of the bus, or an anomaly, is part of; -1 for all others
    `transfer`  the one to name: its own, or (markers, derived events) the one whose exchange holds it, -1 for none
    `owner`     the one whose exchange holds it; a void's START and STOP lie in none
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
    transfer: Samples
    owner: Samples
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

    def of(self, code: int, scope: Scope = "capture") -> tuple[Samples, Samples]:
        """Samples of all events of one code, and the transfer in whose `scope` each lies, -1 for none."""
        return self.once(("of", code, scope), lambda: self._of(code, scope))

    def _of(self, code: int, scope: Scope) -> tuple[Samples, Samples]:
        mine, at = self.places(code), self.at_of(code)
        if scope == "exchange":
            return at, self.owner[mine]
        if scope == "capture":
            return at, self.transfer[mine]
        own, owner = self.own[mine], self.owner[mine]
        found = np.where(own >= 0, own, self.transfer_at(at))
        return at, np.where((found < 0) & self.gave_up(owner), owner, found)

    def at_of(self, code: int) -> Samples:
        """Samples of all events of one code."""
        return self.once(("at", code), lambda: self.at[self.places(code)])

    def places(self, code: int) -> Samples:
        """Where in `at` the events of one code stand, ascending."""
        if code == WIRE:
            return self.once("wire", lambda: np.flatnonzero(self.code < WIRE))
        order, codes = self.once("by code", self._by_code)
        return order[slice(*np.searchsorted(codes, (code, code + 1)))]

    def _by_code(self) -> tuple[Samples, Codes]:
        order = np.argsort(self.code, kind="stable")
        return order, self.code[order]

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
        row = np.searchsorted(start, at, "right") - 1
        inside = (row >= 0) & (at <= np.append(end, 0)[row])
        return np.where(inside, np.append(ids, -1)[row], -1)
