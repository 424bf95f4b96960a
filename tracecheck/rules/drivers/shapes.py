"""What a driver model is told of a transfer: its shape, as the wire showed it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracecheck import _lane, words
from tracecheck.decoding.exchanges import Samples
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
    first = np.empty(n, np.int64)
    _lane.first_data(window.code, window.own_row, _DATA, _RESTART, first)
    return Shapes(
        direction=transfers["directions"],
        outcome=transfers["outcome"],
        messages=transfers["n_messages"],
        first=first,
        rest=transfers["n_bytes"].astype(np.int64) - first,
        ten_bit=transfers["ten_bit"] > 0,
        whole=transfers["complete"] > 0,
    )
