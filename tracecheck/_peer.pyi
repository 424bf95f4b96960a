"""The peer's I2C decoder (compiled): the annotations of libsigrokdecode 0.5.3, in its order.

Same round as `_i2c.Decoder`: `bind`, `feed` until `done`, `finish`. One table, `annotations`:

start int64, end int64 (samples, as the peer draws them: an end may lie past the next start or past the capture),
kind uint8: 0 start, 1 repeated start, 2 stop, 3 ack, 4 nack, 5 bit, 6 address-read, 7 address-write, 8 data-read,
9 data-write, 11 direction bit;
value uint8: of a bit 0 or 1, of a direction bit 0 write or 1 read, of an address its 7 bits, of data the byte, else 0.
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class PeerDecoder:
    def __init__(self, scl: int, sda: int) -> None:
        """One bus with its lines at bits `scl` and `sda` of the words."""

    def bind(self, tables: dict[str, dict[str, NDArray[Any]]]) -> None:
        """Rows go to these columns from index 0 on; the old buffers, with what is in them, are let go.

        Raises ValueError for a missing column, a wrong dtype, unequal lengths, or fewer than 16 rows.
        """

    def feed(self, at: NDArray[np.int64], words: NDArray[Any], start: int, initial: int, end: int) -> int:
        """Takes the edges of one block from index `start` on; returns the index to go on from.

        Stops before an edge when fewer than 16 rows are left. `initial` is the word before the block's first edge,
        `end` the first sample after it. Raises ValueError when the block does not follow on the last one.
        """

    def finish(self, end: int) -> None:
        """The capture ended before sample `end`; the peer says nothing about it."""

    @property
    def done(self) -> bool:
        """Whether the last block was taken whole."""

    @property
    def counts(self) -> tuple[int]:
        """Rows filled since `bind`: annotations."""
