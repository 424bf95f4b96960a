"""What an Embassy task on the RP2040 does around a transfer: which interrupts come, and when the task is polled.

A plain model of embassy-rp's `i2c.rs` (same code in 0.8 to 0.10): the handler masks itself and wakes the task, so each
arming gives at most one interrupt. The driver arms STOP_DET at the end of a write, TX_EMPTY when the 16-deep FIFO is
full, RX_FULL for each batch of a read; a NACK raises TX_ABRT and the driver does not wait for the STOP. Latencies are
drawn from stated ranges with a seeded generator; none of them was measured on hardware.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from tracecheck.errors import UsageError
from tracecheck.synth.bus import Drawn, Timing
from tracecheck.synth.script import Hold, Transfer

FIFO = 16
_REFILL = FIFO - 1
"""Bytes a TX_EMPTY interrupt makes room for: the FIFO holds one more when it fires."""
_REFILL_HOLD = 8_000
_CHECK = 1_000
"""Ns from the begin of a poll to the driver's look at the STOP_DET flag."""

Cause = Literal["STOP_DET", "RX_FULL", "TX_EMPTY", "TX_ABRT", "none"]


@dataclass(slots=True)
class Interrupt:
    """One interrupt and what follows it, in ns: the handler, the task made ready, the task polled. None: never."""

    cause: Cause
    begin: int
    end: int | None
    ready: int | None
    wake: int | None
    wake_end: int | None

    def shift(self, ns: int) -> None:
        """Moves all of it later."""
        self.begin += ns
        for name in ("end", "ready", "wake", "wake_end"):
            if (at := getattr(self, name)) is not None:
                setattr(self, name, at + ns)


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll of the task that no interrupt of the bus asked for: a timer's. In ns."""

    ready: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Latencies:
    """Shortest and longest of each latency in ns, at 125 MHz with a warm cache (inferred from the code)."""

    entry: tuple[int, int] = (350, 900)
    """Event on the wire to the handler's first marker."""
    ready: tuple[int, int] = (200, 400)
    """The handler's begin to the task made ready, inside it."""
    handler: tuple[int, int] = (900, 1_300)
    wake: tuple[int, int] = (2_400, 3_600)
    """The handler's begin to the task's poll."""
    poll: tuple[int, int] = (2_500, 6_000)


class Firmware:
    """One task that talks to one bus."""

    def __init__(self, seed: int, timing: Timing, latencies: Latencies | None = None) -> None:
        self._random = random.Random(seed)
        self._timing = timing
        self._latencies = latencies or Latencies()

    def draw(self, span: tuple[int, int]) -> int:
        """A whole number of ns within `span`, both ends included."""
        return span[0] + int(self._random.random() * (span[1] - span[0] + 1))

    def paced(self, transfer: Transfer) -> Transfer:
        """The transfer as this driver makes it: SCL is held low after each full batch of a read, awaiting the task."""
        holds = list(transfer.holds)
        octet = 0
        for message in transfer.messages:
            kinds = [is_data for _, is_data, _ in message.octets()]
            head = kinds.count(False)
            if message.read:
                boundaries = range(octet + head + FIFO, octet + len(kinds), FIFO)
                holds += [Hold(boundary, 0, _REFILL_HOLD, "controller") for boundary in boundaries]
            octet += len(kinds)
        return Transfer(transfer.messages, tuple(holds), transfer.stop, transfer.cut)

    def interrupt(self, cause: Cause, wire: int) -> Interrupt:
        """The interrupt that an event on the wire at `wire` ns raises."""
        begin = wire + self.draw(self._latencies.entry)
        wake = begin + self.draw(self._latencies.wake)
        return Interrupt(
            cause,
            begin,
            begin + self.draw(self._latencies.handler),
            begin + self.draw(self._latencies.ready),
            wake,
            wake + self.draw(self._latencies.poll),
        )

    def timer_poll(self, begin: int) -> Poll:
        """A poll that a timer asked for, beginning at `begin` ns."""
        return Poll(begin - self.draw(self._latencies.wake), begin, begin + self.draw(self._latencies.poll))

    def exchange(self, drawn: Drawn) -> list[Interrupt]:
        """The interrupts of a transfer, in order."""
        if drawn.outcome in ("address-nack", "data-nack"):
            refused = next(octet for octet in drawn.octets if not octet.acked)
            return [self.interrupt("TX_ABRT", refused.ninth + self._timing.high)]
        if any(not octet.whole for octet in drawn.octets):
            return [] if drawn.stop is None else [self.interrupt("TX_ABRT", drawn.stop)]
        data = [octet for octet in drawn.octets if octet.is_data]
        read = drawn.transfer.messages[-1].read
        if len(drawn.transfer.messages) > 1 and len(data) > FIFO:
            raise UsageError(f"a combined transfer of {len(data)} bytes: this model knows them up to {FIFO} bytes")
        if read:
            received = [octet for octet in data if drawn.transfer.messages[octet.message].read]
            batches = [received[min(at + FIFO, len(received)) - 1] for at in range(0, len(received), FIFO)]
            told = [self.interrupt("RX_FULL", octet.ninth) for octet in batches]
            woken = told[-1].wake if told else None
            pending = drawn.stop is not None and woken is not None and woken + _CHECK < drawn.stop
        else:
            # The level falls to one when the byte before the last but one of the FIFO was acknowledged.
            refills = range(1, (len(data) - 2) // _REFILL + 1) if len(data) > FIFO else range(0)
            told = [self.interrupt("TX_EMPTY", data[k * _REFILL - 2].ninth + self._timing.high) for k in refills]
            pending = drawn.stop is not None
        if pending and drawn.stop is not None:
            told.append(self.interrupt("STOP_DET", drawn.stop))
        return told
