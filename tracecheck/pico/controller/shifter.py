"""The controller's side of the bus: START, bits, ACK, repeated START, STOP; a generator that time and edges move on."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from tracecheck.pico.bus import Bus, LineName
from tracecheck.pico.clock import Clock
from tracecheck.pico.controller.registers import GC_OR_START, SPECIAL, Abort, Command, Con, Enable, Interrupt

_ME = "controller"
_SYNC_CYCLES: Final = 3
_TEN_BIT_PREFIX: Final = 0b11110

ASSUMPTIONS: Final = (
    "a received byte enters the FIFO at the end of its 8th SCL pulse",
    "a byte leaves the transmit FIFO once the address before it is acknowledged, or the byte before it is done",
    f"START and STOP are detected SPKLEN + {_SYNC_CYCLES} cycles after SDA changes",
    "SDA is sampled at the end of SCL's high time",
    "with an empty FIFO and no STOP asked for, SCL is held low",
    "a 1 that reads as 0 is a lost arbitration: the controller lets go, and sees the STOP that ends it",
    "disabling the controller inside a transfer makes it end with a STOP after the byte under way",
    "a STOP that a target prevents by holding SDA low is waited for",
)


class _Until(Enum):
    BUS = auto()
    """An edge on the bus."""
    KICK = auto()
    """The processor wrote something that may matter."""


_Steps: TypeAlias = Generator["float | _Until", None, None]
_Bit: TypeAlias = Generator["float | _Until", None, int]


class _ArbitrationLostError(Exception):
    """Somebody else holds SDA low."""


class Side(Protocol):
    """What the shifter moves, and whom it tells: the controller as it is seen from the bus."""

    con: int
    tar: int
    enable: int
    latched: int
    tx: deque[int]
    activity: bool
    shifting: bool

    @property
    def high_ns(self) -> float: ...
    @property
    def low_ns(self) -> float: ...
    @property
    def hold_ns(self) -> float: ...
    @property
    def spike_cycles(self) -> int: ...
    def latch(self, bits: int) -> None: ...
    def changed(self) -> None: ...
    def abort(self, source: int) -> None: ...
    def received(self, byte: int, first: bool) -> None: ...


class Shifter:
    """Moves `controller`'s FIFOs over `bus`."""

    def __init__(self, controller: Side, bus: Bus, clock: Clock) -> None:
        self._c, self._bus = controller, bus
        self._cycle_ns = clock.cycle_ns
        self._alarm = clock.alarm(self._resume)
        self._running = False
        bus.watch(self._edge)
        self._begin()

    def reset(self) -> None:
        """Let go of the bus and begin anew."""
        self._alarm.cancel()
        self._bus.pull("scl", _ME, False)
        self._bus.pull("sda", _ME, False)
        self._begin()

    def kick(self) -> None:
        """The processor changed a FIFO, ENABLE or TX_ABRT."""
        if self._waiting is not None and not self._running:
            self._resume()

    def _begin(self) -> None:
        self._steps = self._engine()
        self._waiting: _Until | None = None
        self._resume()

    def _edge(self, line: LineName, level: int, now_ns: float) -> None:
        if self._waiting is _Until.BUS and not self._running:
            self._resume()

    def _resume(self) -> None:
        # Our own edges come back to us through the bus's watchers, hence `_running`.
        self._waiting, self._running = None, True
        steps = self._steps
        step = next(steps)
        self._running = False
        if isinstance(step, _Until):
            self._waiting = step
        else:
            self._alarm.schedule(step)

    @property
    def _detect_ns(self) -> float:
        return (self._c.spike_cycles + _SYNC_CYCLES) * self._cycle_ns

    @property
    def _may_begin(self) -> bool:
        c = self._c
        return bool(
            c.tx and c.enable & Enable.ENABLE and not c.enable & Enable.TX_CMD_BLOCK
            and not c.latched & Interrupt.TX_ABRT
        )  # fmt: skip

    def _bus_is_free(self) -> bool:
        return not self._bus.busy and bool(self._bus.level("sda") and self._bus.level("scl"))

    def _engine(self) -> _Steps:
        c, bus = self._c, self._bus
        while True:
            while not self._may_begin:
                if c.shifting:
                    c.shifting = False
                    c.changed()
                yield _Until.KICK
            while not self._bus_is_free():
                yield _Until.BUS
            c.activity = True
            c.latched |= Interrupt.ACTIVITY
            bus.pull("sda", _ME, True)
            yield self._detect_ns
            c.latch(Interrupt.START_DET)
            yield max(self._cycle_ns, c.high_ns - self._detect_ns)
            bus.pull("scl", _ME, True)
            try:
                yield from self._transfer()
                yield from self._stop()
            except _ArbitrationLostError:
                bus.pull("sda", _ME, False)
                bus.pull("scl", _ME, False)
                c.activity = c.shifting = False
                c.enable &= ~Enable.ABORT
                c.abort(Abort.ARBITRATION_LOST)
                while not self._bus_is_free():
                    yield _Until.BUS
                yield self._detect_ns
                c.latch(Interrupt.STOP_DET)  # whoever made it: RP2040 data sheet, IC_RAW_INTR_STAT.STOP_DET
                yield c.low_ns  # tBUF, as after a STOP of its own

    def _transfer(self) -> _Steps:
        """All messages of a transfer; returns when STOP is due, SCL low."""
        c = self._c
        direction, first = -1, True
        while True:
            while not c.tx and not c.enable & Enable.ABORT and c.enable & Enable.ENABLE:
                if c.shifting:
                    c.shifting = False
                    c.changed()
                yield _Until.KICK
            if c.enable & Enable.ABORT:
                c.abort(Abort.USER)
                return
            if not c.tx:
                return  # disabled under way: STOP after the byte
            command = c.tx[0]
            reads = command >> 8 & 1
            if reads != direction or command & Command.RESTART:
                if direction != -1:
                    if not c.con & Con.RESTART:
                        return  # without repeated STARTs a STOP comes between; the next START follows by itself
                    yield from self._repeated_start()
                source = yield from self._address(reads, opened=direction != -1)
                if source:
                    c.abort(source)
                    return
                direction, first = reads, True
            command = c.tx.popleft()
            c.shifting = True
            c.changed()
            if reads:
                yield from self._read(command, first)
            elif (yield from self._write(command & 0xFF)):
                c.shifting = False
                c.abort(Abort.DATA_NACK)
                return
            first = False
            c.shifting = False
            c.changed()
            if command & Command.STOP:
                return

    def _address(self, reads: int, *, opened: bool) -> Generator[float | _Until, None, int]:
        """The address phase; returns the bits of TX_ABRT_SOURCE it ends with, 0 where somebody answered.

        `opened`: the transfer has addressed its target before, which a 10-bit read relies on.
        """
        c = self._c
        c.shifting = True
        if c.tar & SPECIAL and not c.tar & GC_OR_START:
            if reads:
                return int(Abort.GENERAL_CALL_READ)
            return Abort.GENERAL_CALL_NACK if (yield from self._write(0)) else 0
        if not c.con & Con.TEN_BIT:
            nack = yield from self._write((c.tar & 0x7F) << 1 | reads)
            return Abort.ADDRESS_7_NACK if nack else 0
        prefix = _TEN_BIT_PREFIX << 3 | c.tar >> 7 & 0b110
        if not opened or not reads:
            if (yield from self._write(prefix)):
                return Abort.ADDRESS_10_FIRST_NACK
            if (yield from self._write(c.tar & 0xFF)):
                return Abort.ADDRESS_10_SECOND_NACK
            if not reads:
                return 0
            if not c.con & Con.RESTART:
                return Abort.READ_10_WITHOUT_RESTART
            yield from self._repeated_start()
        return Abort.ADDRESS_10_FIRST_NACK if (yield from self._write(prefix | 1)) else 0

    def _write(self, byte: int) -> _Bit:
        """Send a byte; returns the ACK bit, 1 for NACK."""
        for k in range(7, -1, -1):
            bit = byte >> k & 1
            if (yield from self._bit(bit)) != bit:
                raise _ArbitrationLostError
        return (yield from self._bit(1))

    def _read(self, command: int, first: bool) -> _Steps:
        c = self._c
        byte = 0
        for _ in range(8):
            byte = byte << 1 | (yield from self._bit(1))
        last = command & Command.STOP or (c.tx and (not c.tx[0] & Command.READ or c.tx[0] & Command.RESTART))
        c.received(byte, first)
        yield from self._bit(1 if last else 0)

    def _bit(self, out: int) -> _Bit:
        """One SCL pulse, from low to low; returns what SDA was."""
        c, bus = self._c, self._bus
        hold = c.hold_ns
        yield hold
        bus.pull("sda", _ME, not out)
        yield max(self._cycle_ns, c.low_ns - hold)
        yield from self._scl_high()
        yield c.high_ns
        level = bus.level("sda")
        bus.pull("scl", _ME, True)
        return level

    def _scl_high(self) -> _Steps:
        self._bus.pull("scl", _ME, False)
        while not self._bus.level("scl"):
            yield _Until.BUS  # somebody stretches the clock

    def _repeated_start(self) -> _Steps:
        c, bus = self._c, self._bus
        yield c.hold_ns
        bus.pull("sda", _ME, False)
        yield max(self._cycle_ns, c.low_ns - c.hold_ns)
        yield from self._scl_high()
        yield c.high_ns
        if not bus.level("sda"):
            raise _ArbitrationLostError
        bus.pull("sda", _ME, True)
        c.latch(Interrupt.START_DET)
        yield c.high_ns
        bus.pull("scl", _ME, True)

    def _stop(self) -> _Steps:
        c, bus = self._c, self._bus
        yield c.hold_ns
        bus.pull("sda", _ME, True)
        yield max(self._cycle_ns, c.low_ns - c.hold_ns)
        yield from self._scl_high()
        yield c.high_ns
        bus.pull("sda", _ME, False)
        while not bus.level("sda"):
            yield _Until.BUS
        yield self._detect_ns
        c.activity = False
        c.enable &= ~Enable.ABORT
        c.latch(Interrupt.STOP_DET)
        yield c.low_ns
