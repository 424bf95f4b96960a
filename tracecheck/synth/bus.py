"""Draws SCL and SDA: scripts in, edges at exact nanoseconds out, with the timing of the RP2040's I2C controller.

Phases follow the datasheet's register formulas as Embassy's driver uses them (RP2040 datasheet, 4.3 I2C; embassy-rp
`i2c.rs`): period = clk / f, LCNT = 3 period / 5, HCNT the rest; on the wire tHIGH is HCNT + SPKLEN + 7 cycles, tLOW is
LCNT + 1. Rise and fall times are nought. What was drawn is returned as the ground truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tracecheck.errors import UsageError
from tracecheck.synth.script import Driver, Hold, Transfer

_NS = 10**9
_FAST_PLUS = 1_000_000
_ACK = 8

Outcome = Literal["acked", "address-nack", "data-nack", "unfinished"]


@dataclass(frozen=True, slots=True)
class Timing:
    """A controller's phases, in ns: SCL high and low, SDA after the fall of SCL, and those around START and STOP."""

    high: int
    low: int
    hold: int
    hd_sta: int
    su_sta: int
    su_sto: int
    buf: int


def rp2040(scl_hz: int, clk_hz: int = 125_000_000) -> Timing:
    """The phases of the RP2040 at a nominal SCL frequency and a system clock."""
    period = (clk_hz + scl_hz // 2) // scl_hz
    low = 3 * period // 5
    high = period - low
    spike = max(1, low // 16)
    hold = clk_hz * 3 // (25 * 10**6) + 1 if scl_hz >= _FAST_PLUS else clk_hz * 3 // 10**7 + 1

    def ns(cycles: int) -> int:
        return cycles * _NS // clk_hz

    return Timing(
        high=ns(high + spike + 7),
        low=ns(low + 1),
        hold=ns(hold),
        hd_sta=ns(high),
        su_sta=ns(high),
        su_sto=ns(high),
        buf=ns(low + 1),
    )


@dataclass(slots=True)
class Line:
    """One line's edges: (ns, level from then on), ascending. Setting the level it already has draws nothing."""

    idle: int = 1
    edges: list[tuple[int, int]] = field(default_factory=list)

    def to(self, at: int, level: int) -> None:
        if self.edges and at < self.edges[-1][0]:
            raise UsageError(f"an edge at {at} ns cannot follow one at {self.edges[-1][0]} ns")
        if level != (self.edges[-1][1] if self.edges else self.idle):
            self.edges.append((at, level))

    def pulse(self, begin: int, end: int) -> None:
        """The other level from `begin` to `end`, anywhere between two edges already drawn."""
        if any(begin <= at <= end for at, _ in self.edges):
            raise UsageError(f"a pulse from {begin} to {end} ns would swallow an edge of the line")
        now = next((level for at, level in reversed(self.edges) if at < begin), self.idle)
        self.edges += [(begin, 1 - now), (end, now)]
        self.edges.sort()


@dataclass(frozen=True, slots=True)
class Octet:
    """A byte as drawn: `rises` are its SCL rises in ns, 9 of them, or fewer where it was cut."""

    message: int
    is_data: bool
    value: int
    acked: bool
    rises: tuple[int, ...]

    @property
    def whole(self) -> bool:
        return len(self.rises) > _ACK

    @property
    def ninth(self) -> int:
        return self.rises[_ACK]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A transfer as drawn; `stop` is None without a STOP, `end` its last edge. All in ns."""

    transfer: Transfer
    start: int
    stop: int | None
    end: int
    octets: tuple[Octet, ...]

    @property
    def outcome(self) -> Outcome:
        if self.stop is None or not all(octet.whole for octet in self.octets):
            return "unfinished"
        if any(not octet.acked and not octet.is_data for octet in self.octets):
            return "address-nack"
        messages = self.transfer.messages
        if any(not octet.acked and not messages[octet.message].read for octet in self.octets):
            return "data-nack"
        return "acked"


class Bus:
    """Two lines and the controller that drives them."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.scl, self.sda = Line(), Line()

    def draw(self, start: int, transfer: Transfer) -> Drawn:
        """Draws a transfer whose START falls at `start` ns, and says where everything came to lie."""
        t = self.timing
        holds = {(hold.octet, hold.bit): hold for hold in transfer.holds}
        plan = [(number, *octet) for number, message in enumerate(transfer.messages) for octet in message.octets()]
        octets: list[Octet] = []
        self.sda.to(start, 0)
        fall = start + t.hd_sta
        for index, (number, value, is_data, acked) in enumerate(plan):
            if octets and number != octets[-1].message:
                if not octets[-1].acked and not transfer.messages[octets[-1].message].read:
                    break  # a NACK in the write of a combined transfer ends it; its read is never tried
                fall = self._restart(fall)
            bits = [value >> bit & 1 for bit in range(7, -1, -1)] + [int(not acked)]
            if transfer.cut is not None and transfer.cut[0] == index:
                bits = bits[: transfer.cut[1]]
            rises = []
            for bit, level in enumerate(bits):
                incoming = is_data and transfer.messages[number].read
                driver: Driver = "target" if incoming == (bit < _ACK) else "controller"
                rises.append(self._clock(fall, level, driver, holds.get((index, bit))))
                fall = rises[-1] + t.high
            octets.append(Octet(number, is_data, value, acked, tuple(rises)))
            if len(bits) <= _ACK:
                break
        rise = self._clock(fall, 0 if transfer.stop else 1)
        if not transfer.stop:
            return Drawn(transfer, start, None, rise, tuple(octets))
        stop = rise + t.su_sto
        self.sda.to(stop, 1)
        return Drawn(transfer, start, stop, stop, tuple(octets))

    def _clock(self, fall: int, level: int, driver: Driver = "controller", hold: Hold | None = None) -> int:
        """One low phase in which `driver` sets SDA to `level`; returns the rise that ends it."""
        held = hold.ns if hold else 0
        late = held if hold and hold.who == driver else 0
        self.scl.to(fall, 0)
        self.sda.to(fall + self.timing.hold + late, level)
        rise = fall + self.timing.low + held
        self.scl.to(rise, 1)
        return rise

    def _restart(self, fall: int) -> int:
        """A repeated START; returns the fall of SCL after it."""
        start = self._clock(fall, 1) + self.timing.su_sta
        self.sda.to(start, 0)
        return start + self.timing.hd_sta
