"""How often each value came: what percentiles are read from, in memory that does not grow with the instances.

Values are whole samples, so there are far fewer different ones than instances, and the table is exact. Where there are
more than MAX_DISTINCT all the same (the gaps of a day), values are rounded down to a step that doubles as often as it
must: then a percentile is known to that step, which is less than a hundred-thousandth of the longest value. Verdicts
never depend on it, for what a bound asks is counted as instances come.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck import _tally

MAX_DISTINCT: Final = 1 << 18
"""Different values that are told apart; 16 bytes each."""
_BUFFERED: Final = 1 << 15
_DENSE: Final = 1 << 12
"""Values below it, which most are, are counted in place."""

Values = NDArray[np.int64]
_NOTHING: Final[Values] = np.empty(0, np.int64)


class Counted:
    """A multiset of whole numbers, 0 or more. `step` is 1 as long as it is exact; `least` and `most` always are."""

    __slots__ = ("_buffer", "_buffered", "_counts", "_dense", "_dirty", "_total", "_values", "least", "most", "step")

    def __init__(self) -> None:
        self.step = 1
        self.least, self.most = -1, -1
        self._values = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)
        self._dense = _NOTHING
        self._buffer: list[Values] = []
        self._buffered = self._total = 0
        self._dirty = False

    def add(self, values: Values) -> tuple[int, int]:
        """Take more values, in any order. Returns the least and the most of them, -1 where there are none."""
        if not len(values):
            return -1, -1
        self._total += len(values)
        self._dirty = True
        if not len(self._dense) and self.step == 1:
            self._dense = np.zeros(_DENSE, np.int64)
        beyond = np.empty(len(values), np.int64)
        # Rounded values are not exact any more: then the small ones are no better than the others.
        far, low, high = _tally.histogram(values, self._dense if self.step == 1 else self._dense[:0], beyond)
        self.least = low if self.least < 0 else min(self.least, low)
        self.most = max(self.most, high)
        if not far:
            return low, high
        self._buffer.append(beyond[:far].copy())
        self._buffered += far
        # Merged when there is as much to merge as there is already: so each value is moved a few times at most.
        if self._buffered >= max(_BUFFERED, len(self._values)):
            self._merge()
        return low, high

    def __len__(self) -> int:
        return self._total

    def ranked(self, rank: int) -> int:
        """The value at a place, from 1, in ascending order."""
        self._merge()
        if rank >= self._total:
            return self.most
        return max(int(self._values[np.searchsorted(np.cumsum(self._counts), rank)]), self.least)

    @property
    def table(self) -> tuple[Values, Values]:
        """The different values, ascending, and how often each came."""
        self._merge()
        return self._values, self._counts

    @staticmethod
    def joined(parts: list[Counted]) -> Counted:
        """All of them in one, as exact as the least exact."""
        parts = [part for part in parts if len(part)]
        if len(parts) == 1:
            return parts[0]
        whole = Counted()
        if parts:
            tables = [part.table for part in parts]
            whole.step = max(part.step for part in parts)
            whole.least, whole.most = min(part.least for part in parts), max(part.most for part in parts)
            whole._values, whole._counts = (np.concatenate(columns) for columns in zip(*tables, strict=True))
            whole._total = sum(map(len, parts))
            whole._condense()
        return whole

    def _merge(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        # None lies outside of what there is at all, which mostly is a small part of what there may be.
        small = np.flatnonzero(self._dense[: self.most + 1])
        counts = self._dense[small]
        self._dense[small] = 0
        if not self._buffer and not len(self._values):  # as is usual: few, and all of them counted in place
            self._values, self._counts = small, counts
            return
        far = np.concatenate([np.empty(0, np.int64), *self._buffer])
        values, more = np.unique(far // self.step * self.step, return_counts=True)
        self._values = np.concatenate([self._values, small, values])
        self._counts = np.concatenate([self._counts, counts, more])
        self._buffer, self._buffered = [], 0
        self._condense()

    def _condense(self) -> None:
        while True:
            self._values, where = np.unique(self._values // self.step * self.step, return_inverse=True)
            self._counts = np.bincount(where, self._counts, len(self._values)).astype(np.int64)
            if len(self._values) <= MAX_DISTINCT:
                return
            self.step *= 2
