"""Exchanges: which transfer a late interrupt or wake belongs to.

An exchange runs from a transfer's START to the next START, and closes `settle` after its STOP at the latest. A repeated
START opens none, nor does a void transfer (START and STOP with no bits between: bus recovery, a spike). Everything that
happens in between, on the bus or on a marker pin, belongs to it; what happens later belongs to none.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tracecheck import schemas
from tracecheck.decoding.rows import Columns

FOREVER = np.iinfo(np.int64).max
VOID = schemas.OUTCOMES.index("void")
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
        opens = transfers["outcome"] != VOID
        self.rows = np.flatnonzero(opens)
        self.transfer: NDArray[np.int64] = transfers["transfer"][opens]
        self.start: NDArray[np.int64] = transfers["start"][opens]
        end = transfers["end"][opens]
        next_start = np.append(self.start[1:], following)[: len(self.start)]
        # end + settle without overflow; + 1: the event in the sample just settled is still inside
        settled = np.where(end > FOREVER - 1 - settle, FOREVER, end + min(settle, FOREVER - 1 - int(end.max(initial=0))))
        self.close: NDArray[np.int64] = np.minimum(next_start, settled)
        self.close_is_start: NDArray[np.bool_] = next_start <= settled

    def find(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the exchange that holds each sample, -1 for none."""
        index = np.searchsorted(self.start, at, side="right") - 1
        if len(self.start):
            index[(index >= 0) & (at >= self.close[index])] = -1
        return index

    def owner(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Transfer whose exchange holds each sample, -1 for none."""
        index = self.find(at)
        return np.where(index >= 0, self.transfer[index], -1) if len(self.start) else index
