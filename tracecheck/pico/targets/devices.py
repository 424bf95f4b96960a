"""The devices there are: a register file, an EEPROM, a display, nobody."""

from __future__ import annotations

from tracecheck.pico.targets.declared import TargetSpec
from tracecheck.pico.targets.target import Device


class _Registers:
    def __init__(self) -> None:
        self.pointer = 0
        self.bytes = bytearray(k ^ 0xA5 for k in range(256))
        self._points = True

    def address(self, reads: bool, now_ns: float) -> bool:
        self._points = not reads
        return True

    def write(self, byte: int) -> bool:
        if self._points:
            self.pointer, self._points = byte, False
        else:
            self.store(byte)
        return True

    def store(self, byte: int) -> None:
        self.bytes[self.pointer] = byte
        self.pointer = (self.pointer + 1) & 0xFF

    def read(self) -> int:
        byte = self.bytes[self.pointer]
        self.pointer = (self.pointer + 1) & 0xFF
        return byte

    def stop(self, now_ns: float) -> None: ...


class _Eeprom(_Registers):
    """As 24C02: writes wrap within their page of 16 and take their time after STOP."""

    def __init__(self, write_ns: float) -> None:
        super().__init__()
        self._write_ns = write_ns
        self._ready_ns = 0.0
        self._written = False

    def address(self, reads: bool, now_ns: float) -> bool:
        self._written = False
        return now_ns >= self._ready_ns and super().address(reads, now_ns)

    def store(self, byte: int) -> None:
        self.bytes[self.pointer] = byte
        self.pointer = self.pointer & 0xF0 | (self.pointer + 1) & 0x0F
        self._written = True

    def stop(self, now_ns: float) -> None:
        if self._written:
            self._written = False
            self._ready_ns = now_ns + self._write_ns


class _Display:
    def address(self, reads: bool, now_ns: float) -> bool:
        return True

    def write(self, byte: int) -> bool:
        return True

    def read(self) -> int:
        return 0

    def stop(self, now_ns: float) -> None: ...


class _Absent(_Display):
    def address(self, reads: bool, now_ns: float) -> bool:
        return False


def make(spec: TargetSpec) -> Device:
    """The device a declaration asks for."""
    if spec.kind == "eeprom":
        return _Eeprom(spec.write_ns)
    if spec.kind == "registers":
        return _Registers()
    return _Display() if spec.kind == "display" else _Absent()
