"""Bus timing (compiled): a second walk over the edges of one bus, behind the strict decoder.

Each block is fed once, after the decoder has taken it, with the STARTs (`starts`) and the transfers' ends (`ends`)
that the decoder found in it, and a buffer for rows: 15 for each end. A row is seven int64:

transfer, parameter, count, low, low_at, high, high_at

`low` and `high` are the shortest and the longest of `count` times, in samples; the `_at` are the samples of the edges
at which these began (the first one, where several are equal). A parameter that did not occur has no row. Parameters:

0 fSCL       SCL rise to the next one, with no START between: the period
1 tHD;STA    SDA fall (START, repeated START) to SCL fall
2 tLOW       SCL fall to SCL rise
3 tHIGH      SCL rise to SCL fall, with no START or STOP between
4 tSU;STA    SCL rise to SDA fall (repeated START)
5 tHD;DAT    SCL fall to the first change of SDA in that low phase
6 tSU;DAT    the last change of SDA in a low phase to the SCL rise, of pulses that carry a bit
7 tSU;STO    SCL rise to SDA rise (STOP)
8 tBUF       STOP to the START of this transfer
9 tVD;DAT    SCL fall to the last change of SDA, in bits of a read's data, which the target drives
10 tVD;ACK   the same, in ACKs that the target gives. Both only in low phases that nobody stretched: of at most twice
             the shortest of the byte, and 2 samples
11 tSP       width of the spikes on either line that the filter took out
12 tTIMEOUT  as tLOW; a low phase that the capture's end cuts counts as far as it was seen
13 tLOW:SEXT all low phases together, less `count` times the shortest one of the transfer; `at` is its START
14 tLOW:MEXT the same for the `count` low phases from START or ACK to the next ACK or STOP, the most there was;
             `at` is the first SCL fall of these
"""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Walker:
    def __init__(self, scl: int, sda: int, *, glitch: int, begin: int = 0) -> None:
        """One bus with its lines at bits `scl` and `sda`; `glitch` and `begin` as for the decoder."""

    def feed(
        self,
        at: NDArray[np.int64],
        words: NDArray[Any],
        initial: int,
        end: int,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        out: NDArray[np.int64],
    ) -> int:
        """Takes one block whole; returns the rows filled in `out`, int64[n, 7] with n at least 15 times the ends.

        Raises ValueError when the block does not follow on the last one, or the transfers are not those on the lines.
        """

    def finish(self, end: int, starts: NDArray[np.int64], ends: NDArray[np.int64], out: NDArray[np.int64]) -> int:
        """The capture ended before sample `end`; as `feed`."""
