"""Transfer shapes: what makes two transfers comparable, as `write 0x3C 1..15`.

A shape is direction, address, how many data bytes, and outcome. Lengths are taken together where a controller with a
FIFO of 16 entries, the RP2040's, does the same: up to 15 bytes fit beside the address, 16 are one batch of a read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.rows import Columns

LENGTHS: Final = ((0, 0), (1, 15), (16, 16), (17, 32), (33, 64), (65, 128), (129, 256), (257, None))
"""Data bytes of a transfer, over all its messages: from, to; None is open."""
_LOWEST: Final = np.array([low for low, _ in LENGTHS], np.int64)


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """`direction` and `outcome` in the words of the tables; `address` -1 where none was complete."""

    bus: str
    direction: str
    address: int
    ten_bit: bool
    low: int
    high: int | None
    outcome: str

    @property
    def length(self) -> str:
        """`3`, `1..15` or `257..`, as a rule's `where` writes it."""
        return str(self.low) if self.low == self.high else f"{self.low}..{'' if self.high is None else self.high}"

    @property
    def where(self) -> str:
        """`0x3C`, `0x13C` of a 10-bit address, `0x???` of none."""
        return "0x???" if self.address < 0 else f"0x{self.address:0{3 if self.ten_bit else 2}X}"

    def name(self, *, several: bool = False) -> str:
        """`write 0x3C 1..15`, with the outcome where it is not acked, and the bus where there are several."""
        text = f"{self.direction} {self.where} {self.length}"
        text += "" if self.outcome == "acked" else f" {self.outcome}"
        return f"{self.bus} {text}" if several else text


def shapes_of(transfers: Columns, bus: str) -> tuple[list[Shape], NDArray[np.int64]]:
    """The shapes of transfers of one bus, in order, and for each row the index of its shape."""
    length = np.searchsorted(_LOWEST, transfers["n_bytes"], "right") - 1
    keys = np.stack(
        [
            transfers["directions"].astype(np.int64),
            transfers["address"].astype(np.int64),
            transfers["ten_bit"].astype(np.int64),
            length.astype(np.int64),
            transfers["outcome"].astype(np.int64),
        ],
        axis=1,
    )
    if not len(keys):
        return [], np.empty(0, np.int64)
    found, index = np.unique(keys, axis=0, return_inverse=True)
    shapes = [
        Shape(
            bus,
            words.TRANSFER_DIRECTIONS[direction],
            address,
            bool(ten_bit),
            LENGTHS[bucket][0],
            LENGTHS[bucket][1],
            words.OUTCOMES[outcome],
        )
        for direction, address, ten_bit, bucket, outcome in found.tolist()
    ]
    return shapes, index.reshape(-1).astype(np.int64)
