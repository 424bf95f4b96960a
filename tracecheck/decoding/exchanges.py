"""Exchanges: which transfer a late interrupt or wake belongs to.

An exchange runs from a transfer's START to the next START, and closes `settle` after its STOP at the latest. A repeated
START opens none, nor does a void transfer (START and STOP with no bits between: bus recovery, a spike): the START and
STOP of a void are the void's own, its anomaly belongs to the exchange it happens in. Whatever else happens in between,
on the bus or on a marker pin, belongs to the exchange; what happens later belongs to none.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.rows import Columns

Samples = NDArray[np.int64]
FOREVER = int(np.iinfo(np.int64).max)
VOID = words.OUTCOMES.index("void")
SETTLE_S = Fraction(5, 1000)


def settle_samples(settle_s: Fraction, rate_hz: int | None) -> int:
    """`settle` in whole samples; without a rate nothing but the next START closes an exchange."""
    return int(settle_s * rate_hz) if rate_hz else FOREVER


class Exchanges:
    """The exchanges of transfers that have all ended, as arrays, for looking samples up.

    `transfer`, `start`, `close` int64[n]: exchange k covers samples [start[k], close[k]).
    """

    def __init__(self, transfers: Columns, settle: int, following: int = FOREVER) -> None:
        """`transfers`: rows of the strict decoder, by START; `following`: START of the next exchange, if known."""
        self.settle = settle
        opens = transfers["outcome"] != VOID
        self.rows: Samples = np.flatnonzero(opens)
        self.transfer: Samples = transfers["transfer"][opens]
        self.start: Samples = transfers["start"][opens]
        next_start = np.append(self.start[1:], following)[: len(self.start)]
        settled = closing(transfers["end"][opens], settle)
        self.close: Samples = np.minimum(next_start, settled)
        self.close_is_start: NDArray[np.bool_] = next_start < settled

    def find(self, at: Samples) -> Samples:
        """Index of the exchange that holds each sample, -1 for none."""
        index = np.searchsorted(self.start, at, side="right") - 1
        if len(self.start):
            index[(index >= 0) & (at >= self.close[index])] = -1
        return index

    def owner(self, at: Samples) -> Samples:
        """Transfer whose exchange holds each sample, -1 for none."""
        index = self.find(at)
        return np.where(index >= 0, self.transfer[index], -1) if len(self.start) else index


def closing(end: Samples, settle: int) -> Samples:
    """First sample after an exchange that time alone closes: what comes `settle` after the end is still inside."""
    room = FOREVER - 1 - settle
    closes: Samples = np.where(end > room, FOREVER, np.minimum(end, max(room, 0)) + min(settle, FOREVER - 1) + 1)
    return closes
