"""The instances before and after a failed one: whether a firmware is slow for a while, or one time stands alone.

Kept while instances are tallied: only those that have a failed one beside them, so that memory follows the findings.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from tracecheck.decoding.exchanges import Samples
from tracecheck.rules.bounds import CUT, FAIL
from tracecheck.rules.checks.instances import Instances

_LATEST: Final = 64
"""Instances that are held back to be put in order with those that are decided after them."""
_TAIL: Final = 4 * _LATEST
"""As many are held, at least, before a failed one comes and they are put in order: they come nearly so."""


class Neighbour(NamedTuple):
    """An instance of the same rule on the same lane. `value` in samples, or a count; -1: nothing came."""

    at: int
    transfer: int
    value: int


class Neighbours:
    """Measured instances that lie next to a failed one, by sample."""

    def __init__(self, limit: int | None) -> None:
        """`limit`: failed instances whose neighbours are kept, the first by sample; None for all."""
        self._most = None if limit is None else 3 * limit
        self._latest: list[Samples] = []
        """at, transfer, value and failed of the latest, in parts as they came."""
        self._failed_last = False
        self._parts: list[Samples] = []
        self._kept = 0

    def add(self, found: Instances, *, failed: bool, measured: bool = False) -> None:
        """Take what one window decided; `failed`: some of it did, `measured`: all of it was."""
        if not failed and not self._failed_last:
            self._hold(_all_rows(found, -_TAIL) if measured else _rows_of(found)[-_TAIL:].copy())
            return
        rows = _in_order([*self._latest, _rows_of(found)])
        near = rows[:, 3] > 0
        near[1:] |= rows[:-1, 3] > 0
        near[:-1] |= rows[1:, 3] > 0
        self._latest = [rows[-_LATEST:].copy()]
        self._failed_last = bool(self._latest[0][:, 3].any())
        if near.any():
            self._parts.append(rows[near, :3])
            self._kept += int(near.sum())
            if self._most is not None and self._kept > 2 * self._most + _LATEST:
                self._parts = [self._rows()[: self._most]]
                self._kept = len(self._parts[0])

    def _hold(self, rows: Samples) -> None:
        """Hold these, which have no failed one beside, and of those before them what may still get one."""
        self._latest.append(rows)
        held = sum(map(len, self._latest))
        while held - len(self._latest[0]) >= _TAIL:
            held -= len(self._latest.pop(0))

    def of(self, at: int, transfer: int, value: int) -> tuple[Neighbour | None, Neighbour | None]:
        """The one before a failed instance, and the one after it, as far as there are any."""
        rows = self._rows()
        low, high = np.searchsorted(rows[:, 0], (at, at + 1))
        place = next((i for i in range(low, high) if rows[i].tolist() == [at, transfer, value]), None)
        if place is None:
            return None, None
        before = Neighbour(*rows[place - 1].tolist()) if place else None
        return before, Neighbour(*rows[place + 1].tolist()) if place + 1 < len(rows) else None

    def _rows(self) -> Samples:
        """Each once, by sample."""
        if not self._parts:
            return np.empty((0, 3), np.int64)
        if len(self._parts) > 1:
            self._parts = [np.unique(np.concatenate(self._parts), axis=0)]
        return self._parts[0]


def _rows_of(found: Instances) -> Samples:
    """at, transfer, value and failed, of those that were measured or failed."""
    fails = found.verdict == FAIL
    return _all_rows(found.where(((found.value >= 0) & (found.verdict != CUT)) | fails))


def _all_rows(found: Instances, first: int = 0) -> Samples:
    """Those from a place on."""
    at = found.at[first:]
    rows = np.empty((len(at), 4), np.int64)
    rows[:, 0], rows[:, 1], rows[:, 2] = at, found.transfer[first:], found.value[first:]
    np.equal(found.verdict[first:], FAIL, out=rows[:, 3], casting="unsafe")
    return rows


def _in_order(parts: list[Samples]) -> Samples:
    rows = np.concatenate(parts)
    return rows[np.lexsort(rows.T[2::-1])]
