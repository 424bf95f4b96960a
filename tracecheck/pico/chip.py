"""The RP2040: rp2040py's, with its gaps mended from outside and our I2C controllers in the places of its own.

Importing this module needs rp2040py; `emulate` does it when a recording is asked for.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NoReturn

from rp2040py.gpio_pin import GPIOPinState
from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.rp2040 import RP2040

from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import Alarm
from tracecheck.pico.controller import Controller
from tracecheck.pico.core import Core
from tracecheck.pico.elf import FLASH, RAM, VECTORS, Firmware
from tracecheck.pico.interrupt_line import InterruptLine
from tracecheck.pico.pll import Pll, RingOscillator

CLOCK_HZ: Final = 125_000_000
CYCLE_NS: Final = 1e9 / CLOCK_HZ
BUSES: Final = ("i2c0", "i2c1")

_I2C_BLOCKS = {"i2c0": (0x40044, 23), "i2c1": (0x40048, 24)}
_I2C_FUNCTION = 3
_RESET_BITS = {"i2c0": 1 << 3, "i2c1": 1 << 4}
_ALARMS = range(0x10, 0x20, 4)
_CLEAR_PENDING = 0x280
_ADDRESS = re.compile(r"(?<=: )(?:0x)?([0-9a-fA-F]{6,8})$")
_BELOW_RAM = 0x1_0000

ASSUMPTIONS: Final = (
    f"the system clock runs at {CLOCK_HZ // 10**6} MHz from reset on, whatever the PLLs are set to",
    "core 1, USB and DMA are not used",
    "there is no boot ROM and no second-stage bootloader: the core starts at the vector table at 0x10000100",
    "a timer's alarm fires at the beginning of its microsecond",
    "a bus's pin that the firmware drives low by itself pulls the line; one it drives high is taken for letting go",
    "a controller drives its lines whatever function their pins have",
)


class Halt(Exception):  # noqa: N818  (an end of the run, which the run loop reports; no error of ours)
    """The firmware can go no further: `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChipClock:
    """The emulator's clock, as the models of the bus know clocks."""

    cycle_ns = CYCLE_NS

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    @property
    def now_ns(self) -> float:
        return float(self._clock.nanos)

    def alarm(self, callback: Callable[[], None]) -> Alarm:
        alarm: Alarm = self._clock.create_alarm(callback)
        return alarm


def _explained(message: str) -> str:
    """rp2040py's words, the address as people write it, and what an address just below RAM means."""
    said = _ADDRESS.sub(r"0x\1", message[:1].lower() + message[1:])
    found = _ADDRESS.search(message)
    if found and RAM.start - _BELOW_RAM <= int(found[1], 16) < RAM.start:
        said += ", just below RAM: the stack overflowed"
    return said


class Complaints:
    """rp2040py's log. What a real core would answer with a HardFault ends the run; the rest is counted."""

    _FATAL = ("invalid memory address", "undefined address", "not 32 bit aligned", "not implemented yet")

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def debug(self, component: str, message: str) -> None: ...

    def info(self, component: str, message: str) -> None: ...

    def warning(self, component: str, message: str) -> None:
        if any(words in message for words in self._FATAL):
            raise Halt(_explained(message))
        self.seen[f"{component}: {message}"] += 1

    warn = warning

    def error(self, component: str, message: str) -> None:
        raise Halt(f"{component}: {message}")


class _I2cBlock(BasePeripheral):
    """Our controller at its address; rp2040py resolves the atomic aliases."""

    def __init__(self, mcu: RP2040, name: str, controller: Controller) -> None:
        super().__init__(mcu, name)
        self._controller = controller

    def read_uint32(self, offset: int) -> int:
        return self._controller.read(offset & 0xFFF)

    def write_uint32(self, offset: int, value: int) -> None:
        self._controller.write(offset, value)

    def reset(self) -> None:
        self._controller.reset()


class Chip:
    """An RP2040 with `firmware` in its flash, two I2C buses, and its pins. Made ready to run; see `run`."""

    def __init__(self, firmware: Firmware) -> None:
        self.firmware = firmware
        self.mcu = RP2040()
        self.complaints = self.mcu.logger = Complaints()
        self.core = self.mcu.core = Core(self.mcu)
        self.ticks = self.mcu.clock
        self.clock = ChipClock(self.ticks)
        self.mcu.on_break = self._on_break
        self._mend_timer()
        self.buses: dict[str, Bus] = {}
        self.controllers: dict[str, Controller] = {}
        self.lines: dict[str, InterruptLine] = {}
        for name, (block, irq) in _I2C_BLOCKS.items():
            self._place_controller(name, block, irq)
        self.system_pll = Pll(self.mcu, "PLL_SYS")
        self.mcu.peripherals[0x40028] = self.system_pll
        self.mcu.peripherals[0x4002C] = Pll(self.mcu, "PLL_USB")
        self.mcu.peripherals[0x40060] = RingOscillator(self.mcu, "ROSC")
        self._mend_resets()
        self._mend_clear_pending()
        self._load()

    def _place_controller(self, name: str, block: int, irq: int) -> None:
        bus = self.buses[name] = Bus(name, self.clock)
        line = self.lines[name] = InterruptLine(irq, self.mcu.set_interrupt)
        controller = self.controllers[name] = Controller(name, bus, self.clock, line.set)
        peripheral = _I2cBlock(self.mcu, name.upper(), controller)
        self.mcu.peripherals[block] = peripheral

    def _load(self) -> None:
        for segment in self.firmware.segments:
            at = segment.address - FLASH.start
            self.mcu.flash[at : at + len(segment.data)] = segment.data
        at = VECTORS - FLASH.start
        stack, reset = struct.unpack_from("<II", self.mcu.flash, at)
        self.core.vtor = VECTORS
        self.core.sp, self.core.pc = stack, reset & ~1

    def _mend_timer(self) -> None:
        """rp2040py's alarms fire up to a microsecond early: it rounds the time that is left."""
        timer = self.mcu.timer
        write = timer.write_uint32

        def write_uint32(offset: int, value: int) -> None:
            if offset not in _ALARMS:
                write(offset, value)
                return
            alarm = timer.alarms[_ALARMS.index(offset)]
            now = self.ticks.nanos
            micros = int(now // 1000)
            alarm.armed, alarm.target_micros = True, value
            alarm.clock_alarm.schedule((micros + ((value - micros) & 0xFFFF_FFFF)) * 1000 - now)

        timer.write_uint32 = write_uint32  # type: ignore[method-assign]

    def _mend_resets(self) -> None:
        """rp2040py keeps the RESET bits and resets nothing."""
        resets = self.mcu.resets
        write = resets.write_uint32

        def write_uint32(offset: int, value: int) -> None:
            if offset == 0:
                for name, bit in _RESET_BITS.items():
                    if value & bit:
                        self.controllers[name].reset()
            write(offset, value)

        resets.write_uint32 = write_uint32  # type: ignore[method-assign]

    def _mend_clear_pending(self) -> None:
        """rp2040py's ICPR leaves the peripherals' interrupts pending, as it takes them for levels."""
        system = self.mcu.ppb
        write = system.write_uint32

        def write_uint32(offset: int, value: int) -> None:
            if offset == _CLEAR_PENDING:
                for line in self.lines.values():
                    if value >> line.irq & 1:
                        line.cleared()
            write(offset, value)

        system.write_uint32 = write_uint32  # type: ignore[method-assign]

    def _on_break(self, code: int) -> NoReturn:
        raise Halt(f"an undefined instruction or breakpoint (code {code}) was executed: a panic, or an assertion")

    def watch_pin(self, gpio: int, changed: Callable[[int, float], None]) -> None:
        """Call `changed(level, ns)` whenever the firmware changes the level it drives on a pin."""
        clock = self.ticks

        def listener(state: GPIOPinState, _: GPIOPinState) -> None:
            changed(int(state == GPIOPinState.HIGH), clock.nanos)

        self.mcu.gpio[gpio].add_listener(listener)

    def watch_pull(self, gpio: int, pull: Callable[[bool], None]) -> None:
        """Call `pull(low)` whenever the firmware itself begins or ceases to drive a pin low, as to free a held bus."""
        self.mcu.gpio[gpio].add_listener(lambda state, _: pull(state == GPIOPinState.LOW))

    def drive_pin(self, gpio: int, level: int) -> None:
        """What the outside does to a pin; idle pads of rp2040py read 0."""
        self.mcu.gpio[gpio].set_input_value(bool(level))

    def routed(self, bus: str) -> dict[str, list[int]]:
        """The pins the firmware has routed to a bus's controller: `{"sda": [16], "scl": [17]}`."""
        found: dict[str, list[int]] = {"sda": [], "scl": []}
        for gpio, pin in enumerate(self.mcu.gpio):
            if pin.function_select == _I2C_FUNCTION and gpio // 2 % 2 == int(bus[-1]):
                found["scl" if gpio % 2 else "sda"].append(gpio)
        return found

    @property
    def now_ns(self) -> float:
        return float(self.ticks.nanos)
