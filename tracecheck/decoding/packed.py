"""Events put away: few bytes for each, as what happens on a bus follows closely on what happened before.

A Trace keeps them for what is asked of it later, and no table has them: as they come they would take as much as the
bytes they tell of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.rows import Columns

_KINDS = 1 << (len(words.BUS_EVENTS) - 1).bit_length()
_TRANSFERS = 256 // _KINDS
"""Transfers from one event to the next that a code has room for."""


@dataclass(frozen=True, slots=True)
class PackedEvents:
    """Event rows in order: each as its distance in samples from the one before, and a code for the rest.

    `first`: sample and transfer of the first row. `codes`: transfers since the row before, times `_KINDS`, plus kind.
    """

    first: tuple[int, int]
    after: NDArray[Any]
    codes: NDArray[np.uint8]

    def unpacked(self) -> Columns:
        """The rows that were packed, with the types they had."""
        at, transfer = np.empty(len(self.codes), np.int64), np.empty(len(self.codes), np.int64)
        np.cumsum(self.after, out=at)
        np.cumsum(self.codes // _KINDS, out=transfer)
        at += self.first[0]
        transfer += self.first[1]
        return {"at": at, "kind": self.codes % _KINDS, "transfer": transfer}


def packed(events: Columns) -> PackedEvents | None:
    """The rows packed, of which there is one at least; None where they are too far from each other."""
    at, transfer = events["at"], events["transfer"]
    after, transfers = _steps(at), _steps(transfer)
    # As unsigned, so that a step back is further than any.
    furthest = int(after.view(np.uint64).max())
    if furthest > np.iinfo(np.uint32).max or int(transfers.view(np.uint64).max()) >= _TRANSFERS:
        return None
    codes = transfers.astype(np.uint8)
    codes *= _KINDS
    codes += events["kind"]
    narrow = np.uint16 if furthest <= np.iinfo(np.uint16).max else np.uint32
    return PackedEvents((int(at[0]), int(transfer[0])), after.astype(narrow), codes)


def _steps(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """From each value to the next, the first one's 0."""
    steps = np.empty(len(values), np.int64)
    steps[0] = 0
    np.subtract(values[1:], values[:-1], out=steps[1:])
    return steps
