"""The strict I2C decoder (compiled). Feed it edges; it fills column buffers and keeps its state between calls.

One round: `bind` buffers, `feed` a block from index 0, and while `done` is false take `counts` rows out of the buffers,
`bind` fresh ones and `feed` the same block from the index that came back. After the last block, `finish`.

Tables, columns and dtypes, -1 for null; samples unless said otherwise:

`events`     at int64, kind uint8, transfer int64
`bytes`      transfer int64, message int32, index int32, kind uint8, value uint8, acked int8, start int64 (1st SCL
             rise), at int64 (8th rise), end int64 (9th rise, or the 8th when there was none)
`messages`   transfer int64, index int32, address int16, address_kind uint8, ten_bit uint8, direction uint8 (0 write,
             1 read), restart uint8, acked int8, start int64, end int64, n_bytes int32
`transfers`  transfer int64, start int64, stop int64, end int64, outcome uint8, n_messages int32, n_bytes int32,
             address int16, ten_bit uint8, directions uint8, period int64, low int64, high int64, stretch int64,
             complete uint8
`anomalies`  kind uint8, transfer int64, at int64, width int64, arg int32
`stretches`  transfer int64, message int32, bit uint8, begin int64, end int64, excess int64, held_by uint8,
             complete uint8 (0: the capture's end cut it, and `end` and `excess` are the least it can be; between two
             bytes `bit` is then 9, whatever was to come; `message` is -1 before its address is known)

Codes:

event kind      0 start, 1 restart, 2 stop, 3 address, 4 data, 5 ack, 6 nack. The second byte of a 10-bit address gives
                its ack or nack only; a STOP outside a transfer gives no event
byte kind       0 address, 1 second byte of a 10-bit address, 2 data
address_kind    0 normal, 1 general call, 2 start byte, 3 CBUS, 4 reserved, 5 high-speed controller, 6 10-bit,
                7 device id
outcome         0 acked, 1 address-nack, 2 data-nack, 3 void, 4 unfinished
directions      0 none, 1 write, 2 read, 3 write then read, 4 mixed
held_by         0 unknown, 1 target, 2 controller
anomaly kind    with `arg`
  0 glitch            line (0 SCL, 1 SDA); `width` is its width
  1 simultaneous      0 SCL rose, 1 SCL fell; taken as data
  2 partial-byte      SCL rises seen, 2 to 8, the one before the START or STOP among them; 16 more when a START cut it
  3 ack-interrupted   0 by STOP, 1 by START, while the ACK's clock pulse was high
  4 void              0 STOP, 1 repeated START, after a START with at most one SCL rise between
  5 stray-stop        0
  6 stray-clocks      SCL rises outside a transfer; `at` is the first. One alone, before START or STOP, is normal
  7 bus-recovery      the same, 9 or more
  8 missing-stop      0; both lines were high for longer than max(idle, 10 SCL periods) inside a transfer. The period
                      is the shortest within its bytes so far; before there is one, the latest transfer's or twice the
                      SCL low phase just past, whichever is longer
  9 begins-inside     SCL rises before the first START, STOP or idle time; 0 when the START itself lies at the
                      beginning. `transfer` is the one flagged incomplete for it, or -1
  10 ends-inside      SCL rises of the byte that the end cut, 0 to 8 (no partial-byte is told then)
  11 stuck-low        line (0 SCL, 1 SDA); `at` is the fall + `stuck`, `width` is `stuck`
  12 extra-clock      0 by STOP, 1 by START: one SCL pulse too many between a NACK and the rise that STOP or START needs
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Decoder:
    def __init__(self, scl: int, sda: int, *, glitch: int, idle: int, stuck: int, begin: int = 0) -> None:
        """One bus with its lines at bits `scl` and `sda` of the words; the capture begins at sample `begin`.

        In samples: `glitch`, the longest pulse that is ignored (0: none); `idle`, how long both lines must at least be
        high to end a transfer without STOP (0: unknown, only 10 SCL periods count); `stuck`, how long a line may be low
        (0: for ever).
        """

    def bind(self, tables: dict[str, dict[str, NDArray[Any]]]) -> None:
        """Rows go to these columns from index 0 on; the old buffers, with what is in them, are let go.

        Raises ValueError for a missing column, a wrong dtype, unequal lengths, or fewer than 32 rows.
        """

    def feed(self, at: NDArray[np.int64], words: NDArray[Any], start: int, initial: int, end: int) -> int:
        """Takes the edges of one block from index `start` on; returns the index to go on from.

        Stops before an edge when fewer than 32 rows are left in a table. `initial` is the word before the block's
        first edge, `end` the first sample after it. Raises ValueError when the block does not follow on the last one.
        """

    def finish(self, end: int) -> None:
        """The capture ended before sample `end`: closes what is open. The buffers always have room for it."""

    @property
    def done(self) -> bool:
        """Whether the last block was taken whole, and time has moved on to its end."""

    @property
    def counts(self) -> tuple[int, int, int, int, int, int]:
        """Rows filled since `bind`: events, bytes, messages, transfers, anomalies, stretches."""

    @property
    def watermark(self) -> int:
        """No event, byte or anomaly to come has `at` below this sample."""

    @property
    def synced(self) -> int:
        """First sample at which both lines were high, -1 before."""

    @property
    def open(self) -> int:
        """Sample of the START of the transfer that is open, -1 for none."""
