"""The cache between the core and the flash: 16 kB, two ways, lines of 8 bytes (RP2040 data sheet, 2.6.3.1)."""

from __future__ import annotations

from typing import Final

from tracecheck.pico.elf import FLASH

_LINE_BYTES: Final = 8
_SETS: Final = 16 * 1024 // (2 * _LINE_BYTES)

ASSUMPTIONS: Final = ("a cold flash cache costs its time at instruction fetches; data read from flash costs none",)


class XipCache:
    """Says what a fetch costs. Everything hits until the first `flush`."""

    def __init__(self, miss_cycles: int) -> None:
        """`miss_cycles`: how long the core waits for a line from flash."""
        self.miss_cycles = miss_cycles
        self.misses = 0
        self._sets: list[list[int]] | None = None
        self._last = -1

    def flush(self) -> None:
        """Empty it, as after an erase of the flash or a large copy through it."""
        self._sets = [[] for _ in range(_SETS)]
        self._last = -1

    def fetch(self, address: int) -> int:
        """Cycles that the fetch of the instruction at `address` waits."""
        line = address // _LINE_BYTES
        if line == self._last or self._sets is None or address not in FLASH:
            return 0
        self._last = line
        ways = self._sets[line % _SETS]
        if line in ways:
            ways.remove(line)
            ways.append(line)
            return 0
        if len(ways) == 2:
            del ways[0]
        ways.append(line)
        self.misses += 1
        return self.miss_cycles
