"""What a driver model is told of a transfer: its shape, as the wire showed it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.window import Mask, Window

WRITE, READ, WRITE_READ = (words.TRANSFER_DIRECTIONS.index(name) for name in ("write", "read", "write-read"))
ACKED, ADDRESS_NACK, DATA_NACK = (words.OUTCOMES.index(name) for name in ("acked", "address-nack", "data-nack"))
_DATA, _RESTART = (words.BUS_EVENTS.index(name) for name in ("data", "restart"))


@dataclass(frozen=True, slots=True)
class Shapes:
    """n transfers.

    `direction`, `outcome`: indices into words.TRANSFER_DIRECTIONS and words.OUTCOMES
    `messages`  address phases
    `first`, `rest`  data bytes of the first message, and of all after it; one without ACK counts
    `ten_bit`   addressed with 10 bits
    `whole`     false where the capture cuts the transfer, so that its lengths are not known
    """

    direction: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    messages: NDArray[np.int32]
    first: Samples
    rest: Samples
    ten_bit: Mask
    whole: Mask

    def __len__(self) -> int:
        return len(self.direction)

    def where(self, rows: Samples) -> Shapes:
        """Those that an array of indices picks."""
        return Shapes(*(getattr(self, name)[rows] for name in Shapes.__slots__))

    @staticmethod
    def of(window: Window) -> Shapes:
        """The shapes of all transfers of a window, row by row."""
        return window.once("shapes", lambda: _shapes(window))


def _shapes(window: Window) -> Shapes:
    transfers, n = window.transfers, len(window.transfers["start"])
    second = np.full(n, FOREVER, np.int64)
    restarts = window.places(_RESTART)
    # the first of each transfer comes last here, and stays
    at, of = window.at[restarts][::-1], window.rows_of(window.own[restarts])[::-1]
    second[of[of >= 0]] = at[of >= 0]
    data = window.places(_DATA)
    at, of = window.at[data], window.rows_of(window.own[data])
    first = np.bincount(of[(of >= 0) & (at < np.append(second, 0)[of])], minlength=n).astype(np.int64)
    return Shapes(
        direction=transfers["directions"],
        outcome=transfers["outcome"],
        messages=transfers["n_messages"],
        first=first,
        rest=transfers["n_bytes"].astype(np.int64) - first,
        ten_bit=transfers["ten_bit"] > 0,
        whole=transfers["complete"] > 0,
    )
