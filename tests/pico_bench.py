"""A controller on a bus with targets, driven through its registers as a driver would, without a processor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import StepClock
from tracecheck.pico.controller import Controller
from tracecheck.pico.controller.registers import Abort, Command, Con, Enable, Interrupt, Register
from tracecheck.pico.recorder import SETTLE_NS, Line, sample
from tracecheck.pico.targets import Target, attach, parse_target

RATE = 125_000_000
"""A sample a cycle: what is measured in samples is measured in cycles."""


@dataclass
class Rig:
    """`speed` Hz as the driver sets it up: RP2040 data sheet, 4.3.14, and embassy-rp's arithmetic."""

    targets: Sequence[str] = ()
    speed: int = 400_000
    ten_bit: bool = False
    clock: StepClock = field(default_factory=StepClock)
    levels: list[tuple[int, bool]] = field(default_factory=list)
    """The interrupt line: (ns, level)."""

    def __post_init__(self) -> None:
        self.bus = Bus("i2c0", self.clock)
        self.sda, self.scl = (Line(name, 1, settle_ns=SETTLE_NS) for name in ("SDA", "SCL"))
        self.bus.watch(lambda line, level, ns: (self.sda if line == "sda" else self.scl).changed(level, ns))
        self.controller = Controller("i2c0", self.bus, self.clock, self._interrupt)
        self.devices: list[Target] = attach([parse_target(t) for t in self.targets], {"i2c0": self.bus}, self.clock)
        self.configure()
        self.clock.run(20_000)

    def _interrupt(self, level: bool) -> None:
        if level != (self.levels[-1][1] if self.levels else False):
            self.levels.append((round(self.clock.now_ns), level))

    def configure(self) -> None:
        period = (RATE + self.speed // 2) // self.speed
        low = 3 * period // 5
        high = period - low
        hold = RATE * 3 // 25_000_000 + 1 if self.speed >= 1_000_000 else RATE * 3 // 10_000_000 + 1
        self.high, self.low, self.spike, self.hold = high, low, max(1, low // 16), hold
        con = Con.MASTER | 2 << 1 | Con.RESTART | Con.SLAVE_DISABLE
        for register, value in (
            (Register.ENABLE, 0),
            (Register.CON, con | (Con.TEN_BIT if self.ten_bit else 0)),
            (Register.FS_SCL_HCNT, high),
            (Register.FS_SCL_LCNT, low),
            (Register.FS_SPKLEN, self.spike),
            (Register.SDA_HOLD, hold),
            (Register.INTR_MASK, 0),
        ):
            self.controller.write(register, value)

    def open(self, address: int) -> None:
        self.controller.write(Register.ENABLE, 0)
        self.controller.write(Register.TAR, address)
        self.controller.write(Register.ENABLE, Enable.ENABLE)

    def push(self, *commands: int) -> None:
        for command in commands:
            self.controller.write(Register.DATA_CMD, command)

    def until(self, interrupt: Interrupt, patience_ns: float = 1e8) -> bool:
        """Run until a raw interrupt is there; False if patience ends first."""
        end = self.clock.now_ns + patience_ns
        while not self.controller.read(Register.RAW_INTR_STAT) & interrupt:
            if self.clock.now_ns >= end or not self.clock.step():
                return False
        return True

    def transact(self, address: int, *messages: bytes | int) -> tuple[list[bytes], int]:
        """Messages of one transfer, bytes to write or a number to read; what was read, and TX_ABRT_SOURCE."""
        self.open(address)
        parts: list[list[int]] = []
        for k, message in enumerate(messages):
            part = [Command.READ] * message if isinstance(message, int) else list(message)
            if k and isinstance(message, int) == isinstance(messages[k - 1], int):
                part[0] |= Command.RESTART
            parts.append([int(c) for c in part])
        parts[-1][-1] |= Command.STOP
        commands = [command for part in parts for command in part]
        got: list[int] = []
        wanted = sum(m for m in messages if isinstance(m, int))
        while commands or len(got) < wanted:
            while commands and self.controller.read(Register.STATUS) & 2:
                self.push(commands.pop(0))
            while self.controller.read(Register.RXFLR):
                got.append(self.controller.read(Register.DATA_CMD) & 0xFF)
            if self.controller.read(Register.RAW_INTR_STAT) & Interrupt.TX_ABRT or not self.clock.step():
                break
        self.until(Interrupt.STOP_DET)
        while self.controller.read(Register.RXFLR):
            got.append(self.controller.read(Register.DATA_CMD) & 0xFF)
        source = self.controller.read(Register.TX_ABRT_SOURCE)
        self.controller.read(Register.CLR_INTR)
        self.clock.run(self.clock.now_ns + 20_000)
        reads = [m for m in messages if isinstance(m, int)]
        cuts = np.cumsum([0, *reads])
        return [bytes(got[a:b]) for a, b in itertools.pairwise(cuts)], source

    def capture(self) -> ArrayCapture:
        channels, block = sample([self.sda, self.scl], RATE, round(self.clock.now_ns) + 50_000)
        states = np.concatenate((np.array([block.initial], block.words.dtype), block.words))
        bounds = np.concatenate(([block.begin], block.at, [block.end]))
        return ArrayCapture(np.repeat(states, np.diff(bounds)), RATE, [channel.name for channel in channels])

    def decoded(self) -> tracecheck.Trace:
        return tracecheck.decode(self.capture())


def sources(*names: str) -> int:
    """Bits of TX_ABRT_SOURCE by name."""
    return sum(Abort[name] for name in names)
