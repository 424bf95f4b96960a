"""The controller as the processor sees it: registers, FIFOs, level interrupts, aborts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import Clock
from tracecheck.pico.controller import registers as reg
from tracecheck.pico.controller.registers import Abort, Con, Enable, Interrupt, Register
from tracecheck.pico.controller.shifter import Shifter

_ALL_CLEARED = 0x1FFF & ~(Interrupt.RX_FULL | Interrupt.TX_EMPTY)
_TX_FLUSHED_SHIFT: Final = 23
_STANDARD_SPEED, _HIGH_SPEED = 1, 3


class Controller:
    """One DW_apb_i2c as master on `bus`; `interrupt(level)` is its line to the NVIC.

    `touched`    whether it was ever enabled
    `unanswered` addresses that nobody acknowledged, in the order they were first called
    `notes`      what the firmware asked for that is not modelled, one sentence each
    """

    def __init__(self, name: str, bus: Bus, clock: Clock, interrupt: Callable[[bool], None]) -> None:
        self.name, self._interrupt = name, interrupt
        self.touched = False
        self.unanswered: list[int] = []
        self.notes: list[str] = []
        self.tx: deque[int] = deque()
        self.rx: deque[int] = deque()
        self._cycle_ns = clock.cycle_ns
        self._power_on()
        self.shifter = Shifter(self, bus, clock)
        self._update()

    def _power_on(self) -> None:
        self.kept: dict[int, int] = {int(register): value for register, value in reg.RESET.items()}
        self.con, self.tar, self.mask = reg.CON_RESET, reg.TAR_RESET, reg.MASK_RESET
        self.latched = self.rx_threshold = self.tx_threshold = self.enable = self.abort_source = 0
        self.activity = self.shifting = False
        self.tx.clear()
        self.rx.clear()

    def reset(self) -> None:
        """As RESETS does it: every register to its reset value, both lines let go."""
        self._power_on()
        self.shifter.reset()
        self._update()

    # ---- timing, from the registers: RP2040 data sheet, 4.3.14 ----

    @property
    def _standard(self) -> bool:
        return self.con >> 1 & 3 == _STANDARD_SPEED

    @property
    def high_ns(self) -> float:
        """SCL high: HCNT + SPKLEN + 7 cycles from the rise."""
        count = self.kept[Register.SS_SCL_HCNT if self._standard else Register.FS_SCL_HCNT]
        return (count + self.kept[Register.FS_SPKLEN] + 7) * self._cycle_ns

    @property
    def low_ns(self) -> float:
        """SCL low: LCNT + 1 cycles."""
        return (self.kept[Register.SS_SCL_LCNT if self._standard else Register.FS_SCL_LCNT] + 1) * self._cycle_ns

    @property
    def hold_ns(self) -> float:
        """From SCL's fall to SDA's change: SDA_TX_HOLD cycles."""
        return max(1, self.kept[Register.SDA_HOLD] & 0xFFFF) * self._cycle_ns

    @property
    def spike_cycles(self) -> int:
        return self.kept[Register.FS_SPKLEN]

    # ---- interrupts ----

    @property
    def raw(self) -> int:
        """RAW_INTR_STAT."""
        raw = self.latched
        if len(self.rx) > self.rx_threshold:
            raw |= Interrupt.RX_FULL
        empty = len(self.tx) <= self.tx_threshold and not (self.con & Con.TX_EMPTY_CTRL and self.shifting)
        if empty if self.enable & Enable.ENABLE else self.activity:
            raw |= Interrupt.TX_EMPTY
        return raw

    def _update(self) -> None:
        self._interrupt(bool(self.raw & self.mask))

    def latch(self, bits: int) -> None:
        """Something happened that stays until it is cleared."""
        self.latched |= bits
        self._update()

    def changed(self) -> None:
        """A FIFO or the shifter's state changed."""
        self._update()

    def abort(self, source: int) -> None:
        """Give up: the transmit FIFO is flushed, and stays so until TX_ABRT is cleared."""
        self.abort_source = self.abort_source & 0x1FFFF | source | len(self.tx) << _TX_FLUSHED_SHIFT
        self.tx.clear()
        if source & (Abort.ADDRESS_7_NACK | Abort.ADDRESS_10_FIRST_NACK | Abort.ADDRESS_10_SECOND_NACK):
            address = self.tar & 0x3FF
            if address not in self.unanswered:
                self.unanswered.append(address)
        self.latch(Interrupt.TX_ABRT)

    def received(self, byte: int, first: bool) -> None:
        """A byte came in from the bus."""
        if len(self.rx) >= reg.FIFO_DEPTH:
            self.latch(Interrupt.RX_OVER)
            return
        self.rx.append(byte | (reg.Command.FIRST_DATA_BYTE if first else 0))
        self._update()

    def _clear(self, bits: int) -> int:
        was = self.latched & bits
        self.latched &= ~bits
        self._update()
        return int(bool(was))

    # ---- the processor's side ----

    def read(self, offset: int) -> int:
        """A 32-bit read of the register at `offset`."""
        if offset in self.kept:
            return self.kept[offset]
        if offset in reg.CLEARS:
            bits = reg.CLEARS[Register(offset)]
            if bits == Interrupt.TX_ABRT:
                return self._clear_abort(bits)
            return self._clear(bits)
        if offset == Register.CLR_INTR:
            return self._clear_abort(_ALL_CLEARED)
        if offset == Register.DATA_CMD:
            if not self.rx:
                self.latch(Interrupt.RX_UNDER)
                return 0
            value = self.rx.popleft()
            self._update()
            return value
        return self._state(offset)

    def _clear_abort(self, bits: int) -> int:
        self.abort_source = 0
        was = self._clear(bits)
        self.shifter.kick()
        return was

    def _state(self, offset: int) -> int:
        state = {
            Register.CON: self.con,
            Register.TAR: self.tar,
            Register.INTR_STAT: self.raw & self.mask,
            Register.INTR_MASK: self.mask,
            Register.RAW_INTR_STAT: self.raw,
            Register.RX_TL: self.rx_threshold,
            Register.TX_TL: self.tx_threshold,
            Register.ENABLE: self.enable,
            Register.STATUS: self._status(),
            Register.TXFLR: len(self.tx),
            Register.RXFLR: len(self.rx),
            Register.TX_ABRT_SOURCE: self.abort_source,
            Register.ENABLE_STATUS: self.enable & Enable.ENABLE,
        }
        return int(state.get(offset, reg.CONSTANTS.get(offset, 0)))  # type: ignore[call-overload]

    def _status(self) -> int:
        return (
            (0x21 if self.activity else 0)
            | (0x02 if len(self.tx) < reg.FIFO_DEPTH else 0)
            | (0x04 if not self.tx else 0)
            | (0x08 if self.rx else 0)
            | (0x10 if len(self.rx) >= reg.FIFO_DEPTH else 0)
        )

    def write(self, offset: int, value: int) -> None:
        """A 32-bit write of the register at `offset`."""
        if offset in self.kept:
            self.kept[offset] = value & 0xFF_FFFF
            if offset == Register.DMA_CR and value & 3:
                self._unmodelled("DMA was asked for; it is not modelled, nothing is moved")
        elif offset == Register.CON:
            self.con = value
        elif offset == Register.TAR:
            self.tar = value & 0xFFF
        elif offset == Register.DATA_CMD:
            self._push(value)
        elif offset == Register.INTR_MASK:
            self.mask = value & 0x1FFF
            self._update()
        elif offset == Register.RX_TL:
            self.rx_threshold = min(value & 0xFF, reg.FIFO_DEPTH)
            self._update()
        elif offset == Register.TX_TL:
            self.tx_threshold = min(value & 0xFF, reg.FIFO_DEPTH)
            self._update()
        elif offset == Register.ENABLE:
            self._enable(value)

    def _push(self, value: int) -> None:
        if not self.enable & Enable.ENABLE or self.latched & Interrupt.TX_ABRT:
            return
        if len(self.tx) >= reg.FIFO_DEPTH:
            self.latch(Interrupt.TX_OVER)
            return
        self.tx.append(value & 0x7FF)
        self._update()
        self.shifter.kick()

    def _enable(self, value: int) -> None:
        abort = value & Enable.ABORT if self.activity else 0
        self.enable = value & (Enable.ENABLE | Enable.TX_CMD_BLOCK) | abort | self.enable & Enable.ABORT
        if value & Enable.ENABLE:
            self.touched = True
            self._check_mode()
        else:
            self.tx.clear()
            self.rx.clear()
        self._update()
        self.shifter.kick()

    def _check_mode(self) -> None:
        if not self.con & Con.SLAVE_DISABLE:
            self._unmodelled("it was enabled as a slave too, which is not modelled: nobody can address it")
        if self.con >> 1 & 3 == _HIGH_SPEED:
            self._unmodelled("high-speed mode is not modelled; its transfers run as in fast mode")
        if self.tar & reg.SPECIAL and self.tar & reg.GC_OR_START:
            self._unmodelled("a START byte was asked for; it is not modelled and left out")

    def _unmodelled(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)
