"""The processor: rp2040py's Cortex-M0+, with the time exceptions take, and places to watch them from.

Importing this module needs rp2040py; `emulate` does it when a recording is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rp2040py.cortex_m0_core import CortexM0Core

ENTRY_CYCLES: Final = 15
"""From the interrupt to the handler's first instruction: Cortex-M0+ Technical Reference Manual, without wait states."""
EXIT_CYCLES: Final = 12
"""From the handler's return to the next instruction of what it interrupted."""
FIRST_INTERRUPT: Final = 16
"""Exception number of interrupt 0: Armv6-M Architecture Reference Manual, B1.5.2."""

ASSUMPTIONS: Final = (
    f"exceptions take {ENTRY_CYCLES} cycles to enter and {EXIT_CYCLES} to leave; none is tail-chained",
    "instructions take the cycles that rp2040py counts; flash answers at once, as if its cache always held the line",
)


class Core(CortexM0Core):
    """The core of `chip.py`. `entered` and `left` are called with an exception's number as it begins and ends."""

    entered: Callable[[int], None] | None = None
    left: Callable[[int], None] | None = None

    def exception_entry(self, number: int) -> None:
        """rp2040py counts no cycles here; the clock follows `cycles`."""
        self.cycles += ENTRY_CYCLES
        super().exception_entry(number)
        if self.entered is not None:
            self.entered(number)

    def exception_return(self, exc_return: int) -> None:
        """As exception_entry."""
        number = self.ipsr
        self.cycles += EXIT_CYCLES
        super().exception_return(exc_return)
        if self.left is not None:
            self.left(number)
