"""The PLLs and the ring oscillator: locked at once, their settings kept, so that another system clock can be told.

Importing this module needs rp2040py; `emulate` does it when a recording is asked for.
"""

from __future__ import annotations

from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.rp2040 import RP2040

CRYSTAL_HZ = 12_000_000
"""The Pico's crystal: Raspberry Pi Pico data sheet, 4.1."""

_CS, _PWR, _FBDIV, _PRIM = 0x0, 0x4, 0x8, 0xC
_LOCKED = 1 << 31


class Pll(BasePeripheral):
    """A PLL's registers: RP2040 data sheet, 2.18.4."""

    def __init__(self, mcu: RP2040, name: str) -> None:
        super().__init__(mcu, name)
        self._kept = {_CS: 0x1, _PWR: 0x2D, _FBDIV: 0, _PRIM: 0x7_7000}

    def read_uint32(self, offset: int) -> int:
        return self._kept.get(offset, 0) | (_LOCKED if offset == _CS else 0)

    def write_uint32(self, offset: int, value: int) -> None:
        self._kept[offset] = value & 0x7FFF_FFFF

    @property
    def output_hz(self) -> int | None:
        """What the settings give, None before they were made."""
        reference = self._kept[_CS] & 0x3F or 1
        first, second = self._kept[_PRIM] >> 16 & 7, self._kept[_PRIM] >> 12 & 7
        feedback = self._kept[_FBDIV]
        return CRYSTAL_HZ // reference * feedback // (first * second) if feedback and first and second else None


class RingOscillator(BasePeripheral):
    """Stable at once; nothing here runs from it."""

    def read_uint32(self, offset: int) -> int:
        return _LOCKED if offset == 0x18 else 0

    def write_uint32(self, offset: int, value: int) -> None: ...
