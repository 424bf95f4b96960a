"""What every target does: finds its address among the edges, acknowledges, shifts bytes, stretches the clock."""

from __future__ import annotations

from enum import Enum, auto
from math import isinf
from typing import Final, Literal, Protocol

from tracecheck.pico.bus import Bus, LineName
from tracecheck.pico.clock import Clock
from tracecheck.pico.targets.declared import TargetSpec

ASSUMPTIONS: Final = (
    "a target changes SDA 300 ns after SCL falls (tHD;DAT), unless its hold option says otherwise",
    "a target that stretches holds SCL from the fall of a byte's 9th pulse on",
)

_TEN_BIT_PREFIX: Final = 0b11110


class Device(Protocol):
    """What makes one target differ from another."""

    def address(self, reads: bool, now_ns: float) -> bool:
        """It was addressed; whether it acknowledges."""

    def write(self, byte: int) -> bool:
        """A data byte for it; whether it acknowledges."""

    def read(self) -> int:
        """The next data byte it gives."""

    def stop(self, now_ns: float) -> None:
        """STOP, after a transfer in which it was addressed."""


class Interference(Protocol):
    """A hand in what targets do; see faults.target_side. `index` counts a message's bytes, 0 is the address."""

    def ack(self, kind: Literal["address", "data"], index: int) -> bool | None: ...

    def stretch_ns(self, index: int) -> float: ...

    def hold_sda(self, index: int) -> tuple[float, int] | None: ...


class _State(Enum):
    IDLE = auto()
    ADDRESS = auto()
    ADDRESS_LOW = auto()
    """The second byte of a 10-bit address."""
    WRITE = auto()
    READ = auto()


class Target:
    """A device at its address on a bus, from now on."""

    def __init__(self, spec: TargetSpec, device: Device, bus: Bus, clock: Clock) -> None:
        self.spec, self.device = spec, device
        self.interfere: Interference | None = None
        self._bus, self._clock = bus, clock
        self._me = f"target 0x{spec.address:02X}"
        self._ten_bit = spec.address > 0x7F
        self._state = _State.IDLE
        self._scl = 1
        self._clocks = self._shifted = self._index = self._out = self._last_byte = 0
        self._ack = self._addressed = self._nacked = False
        self._next_sda = False
        self._hold = clock.alarm(self._drive)
        self._release_scl = clock.alarm(lambda: bus.pull("scl", self._me, False))
        self._release_sda = clock.alarm(self._let_go_of_sda)
        self._hangs_for = 0
        """SCL pulses until SDA is let go; 0 where they are not counted."""
        bus.watch(self._edge)

    def _edge(self, line: LineName, level: int, now_ns: float) -> None:
        if line == "scl":
            self._scl = level
            if self._hangs_for and not level:
                self._hangs_for -= 1
                if not self._hangs_for:
                    self._let_go_of_sda()
            if self._state is not _State.IDLE:
                if level:
                    self._rise()
                else:
                    self._fall(now_ns)
        elif self._scl:
            if level:
                self._stop(now_ns)
            else:
                self._start()

    def _start(self) -> None:
        self._state = _State.ADDRESS
        self._clocks = self._shifted = self._index = 0
        self._let_go()

    def _stop(self, now_ns: float) -> None:
        self._state = _State.IDLE
        self._let_go()
        if self._addressed:
            self._addressed = False
            self.device.stop(now_ns)

    def _let_go(self) -> None:
        self._hold.cancel()
        self._bus.pull("sda", self._me, False)

    def _rise(self) -> None:
        self._clocks += 1
        if self._clocks <= 8:
            if self._state is not _State.READ:
                self._shifted = self._shifted << 1 | self._bus.level("sda")
        elif self._state is _State.READ:
            self._nacked = bool(self._bus.level("sda"))

    def _fall(self, now_ns: float) -> None:
        if self._clocks == 8:
            if self._state is _State.READ:
                self._later(low=False)
            else:
                self._ack = self._byte(now_ns)
                self._later(low=self._ack)
        elif self._clocks == 9:
            self._done()
        elif self._clocks and self._state is _State.READ:
            self._later(low=not self._out >> (7 - self._clocks) & 1)

    def _byte(self, now_ns: float) -> bool:
        """A byte came in; whether it is acknowledged."""
        byte = self._last_byte = self._shifted & 0xFF
        self._shifted = 0
        if self._state is _State.WRITE:
            own = self.device.write(byte) and self._index - 1 != self.spec.nack_after
            return self._decided("data", own)
        if self._state is _State.ADDRESS_LOW:
            return byte == self.spec.address & 0xFF and self._decided("address", self.device.address(False, now_ns))
        reads = bool(byte & 1)
        if self._ten_bit:
            if byte >> 1 != _TEN_BIT_PREFIX << 2 | self.spec.address >> 8:
                return False
            if not reads:
                return True
            return self._addressed and self._decided("address", self.device.address(True, now_ns))
        if byte >> 1 != self.spec.address:
            return False
        return self._decided("address", self.device.address(reads, now_ns))

    def _decided(self, kind: Literal["address", "data"], own: bool) -> bool:
        said = None if self.interfere is None else self.interfere.ack(kind, self._index)
        return own if said is None else said

    def _done(self) -> None:
        """The 9th pulse of a byte is over."""
        self._clocks = 0
        self._later(low=False)
        state = self._state
        if state is _State.READ:
            if self._nacked:
                self._state = _State.IDLE
                return
        elif not self._ack:
            self._state = _State.IDLE
            return
        if state is _State.ADDRESS:
            reads = self._last_byte & 1
            if self._ten_bit and not reads:
                self._state = _State.ADDRESS_LOW
                return
            self._addressed = True
            self._state = _State.READ if reads else _State.WRITE
        elif state is _State.ADDRESS_LOW:
            self._addressed = True
            self._state = _State.WRITE
        if self._state is _State.READ:
            self._out = self.device.read() & 0xFF
            self._later(low=not self._out >> 7)
        self._interfered()
        self._index += 1

    def _interfered(self) -> None:
        """After a byte's acknowledge: hold SCL, hold SDA, where that is this target's way or it is made to."""
        stretch = self.spec.stretch_ns
        if self.interfere is not None:
            stretch = max(stretch, self.interfere.stretch_ns(self._index))
            hang = self.interfere.hold_sda(self._index)
            if hang is not None:
                duration, self._hangs_for = hang
                self._bus.pull("sda", f"{self._me} hanging", True)
                if not isinf(duration):
                    self._release_sda.schedule(duration)
        if stretch:
            self._bus.pull("scl", self._me, True)
            self._release_scl.schedule(stretch)

    def _let_go_of_sda(self) -> None:
        self._hangs_for = 0
        self._bus.pull("sda", f"{self._me} hanging", False)

    def _later(self, *, low: bool) -> None:
        """SDA low or free, after the hold time."""
        self._next_sda = low
        self._hold.schedule(self.spec.hold_ns)

    def _drive(self) -> None:
        self._bus.pull("sda", self._me, self._next_sda)
