"""Puts bus, firmware, markers and a fault together into a recording, with the truth beside the samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.errors import UsageError
from tracecheck.export.sr import write_sr
from tracecheck.synth.bus import Bus, Drawn, Line, rp2040
from tracecheck.synth.faults import FAULTS, TIMEOUT, Fault
from tracecheck.synth.firmware import Firmware, Interrupt, Poll
from tracecheck.synth.markers import SCHEMES
from tracecheck.synth.sampling import crop, sample_lines, to_sample
from tracecheck.synth.script import Transfer

_PAUSE = (300_000, 400_000)
"""Ns between an exchange and the next START."""
_BEFORE_START = (2_000, 2_400)
"""Ns between the begin of the poll that starts a transfer and its START."""
_SETTLE = 5_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One bus with the task that uses it.

    `suffix` is added to the names of its channels ("SCL0"); `begin` ns is when its first pause begins; `polls` are
    timer polls, in ns after every START.
    """

    transfers: tuple[Transfer, ...]
    scl_hz: int = 400_000
    scheme: str = "three-pin"
    bus: str = "i2c0"
    suffix: str = ""
    begin: int = 100_000
    polls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything a synthetic capture is made from. The fault, if any, is made in transfer `at` of the first task."""

    tasks: tuple[Task, ...]
    seed: int
    fault: str | None = None
    at: int = 0
    rate_hz: int = 24_000_000
    tail: int = TIMEOUT


@dataclass(frozen=True, slots=True)
class Recording:
    """A capture as an analyzer would have recorded it, and what was really there: `truth` holds samples, for JSON."""

    block: EdgeBlock
    channels: tuple[Channel, ...]
    rate_hz: int
    truth: dict[str, Any]

    def write(self, path: str | os.PathLike[str], remark: str) -> None:
        """Writes the capture as a .sr file whose metadata says that it is synthetic, and `remark`."""
        write_sr(
            path,
            [self.block],
            rate_hz=self.rate_hz,
            channels=self.channels,
            remarks={"origin": "synthetic", "scenario": remark},
        )


@dataclass(slots=True)
class _Lived:
    """What one task lived through, in ns."""

    task: Task
    bus: Bus
    drawn: list[Drawn]
    interrupts: list[Interrupt]
    polls: list[Poll]
    end: int


def record(scenario: Scenario) -> Recording:
    """Draws a scenario. Raises UsageError for a fault or a marker scheme that does not exist."""
    if scenario.fault is not None and scenario.fault not in FAULTS:
        raise UsageError(f'no fault "{scenario.fault}" (faults: {", ".join(FAULTS)})')
    fault = FAULTS[scenario.fault] if scenario.fault is not None else None
    lives = [
        _live(task, scenario.seed + number, fault if number == 0 else None, scenario)
        for number, task in enumerate(scenario.tasks)
    ]
    lines: dict[str, Line] = {}
    for life in lives:
        pins = {"SCL": life.bus.scl, "SDA": life.bus.sda}
        pins |= SCHEMES[life.task.scheme](life.interrupts, life.polls)
        lines |= {name + life.task.suffix: line for name, line in pins.items()}
    struck = lives[0].drawn[scenario.at]
    end = max(life.end for life in lives) + scenario.tail
    whole = sample_lines(list(lines.values()), scenario.rate_hz, end)
    first = to_sample(fault.begin(struck), scenario.rate_hz) if fault and fault.begin else 0
    last = to_sample(fault.end(struck), scenario.rate_hz) if fault and fault.end else whole.end
    return Recording(
        crop(whole, first, last),
        tuple(Channel(name, bit) for bit, name in enumerate(lines)),
        scenario.rate_hz,
        {life.task.bus: _truth(life, scenario.rate_hz, first, last) for life in lives},
    )


def _live(task: Task, seed: int, fault: Fault | None, scenario: Scenario) -> _Lived:
    if task.scheme not in SCHEMES:
        raise UsageError(f'no marker scheme "{task.scheme}" (schemes: {", ".join(SCHEMES)})')
    bus = Bus(rp2040(task.scl_hz))
    firmware = Firmware(seed, bus.timing)
    life = _Lived(task, bus, [], [], [], task.begin)
    for number, scripted in enumerate(task.transfers):
        struck = fault if number == scenario.at else None
        transfer = struck.script(scripted) if struck and struck.script else scripted
        start = life.end + firmware.draw(_PAUSE)
        life.polls.append(firmware.timer_poll(start - firmware.draw(_BEFORE_START)))
        drawn = bus.draw(start, firmware.paced(transfer))
        told = firmware.exchange(drawn)
        if struck and struck.answer:
            struck.answer(told, drawn, firmware)
        life.polls += [firmware.timer_poll(start + after) for after in task.polls]
        life.drawn.append(drawn)
        life.interrupts += told
        life.end = max([drawn.end, *(i.wake_end for i in told if i.wake_end is not None)])
        if struck and struck.hangs:
            life.end = drawn.end + TIMEOUT
        if struck and struck.lines:
            struck.lines(bus, drawn, scenario.rate_hz)
    return life


def _truth(life: _Lived, rate_hz: int, first: int, last: int) -> dict[str, Any]:
    """What lies in samples [first, last), counted from `first`; a transfer whose START is not there is left out."""

    def seen(at: int | None) -> int | None:
        if at is None:
            return None
        sample = to_sample(at, rate_hz) - first
        return sample if 0 <= sample < last - first else None

    there = [drawn for drawn in life.drawn if seen(drawn.start) is not None]
    return {
        "scl_hz": life.task.scl_hz,
        "markers": life.task.scheme,
        "transfers": [
            {
                "transfer": number,
                "start": seen(drawn.start),
                "stop": seen(drawn.stop),
                "outcome": "unfinished" if seen(drawn.end) is None else drawn.outcome,
                "messages": _messages(drawn, lambda at: seen(at) is not None),
            }
            for number, drawn in enumerate(there)
        ],
        "interrupts": [
            {
                "transfer": _exchange(there, told.begin),
                "cause": told.cause,
                "begin": seen(told.begin),
                "end": seen(told.end),
                "ready": seen(told.ready),
                "wake": seen(told.wake),
                "wake_end": seen(told.wake_end),
            }
            for told in life.interrupts
            if seen(told.begin) is not None
        ],
        "timer_polls": [seen(poll.begin) for poll in sorted(life.polls, key=lambda p: p.begin) if seen(poll.begin)],
    }


def _messages(drawn: Drawn, seen: Callable[[int], bool]) -> list[dict[str, Any]]:
    """The messages whose address was sent, with the data bytes that had all eight bits."""
    messages = []
    for number, message in enumerate(drawn.transfer.messages):
        octets = [o for o in drawn.octets if o.message == number and len(o.rises) > 7 and seen(o.rises[7])]
        if octets:
            messages.append(
                {
                    "address": message.address,
                    "ten_bit": message.ten_bit,
                    "direction": message.direction,
                    "data": bytes(o.value for o in octets if o.is_data).hex(),
                }
            )
    return messages


def _exchange(drawn: Sequence[Drawn], at: int) -> int | None:
    """The transfer whose exchange holds the instant `at`: from its START to the next one, or 5 ms after its STOP."""
    holding = None
    for number, transfer in enumerate(drawn):
        if transfer.start <= at:
            open_until = transfer.end if transfer.stop is None else transfer.stop
            holding = number if at < open_until + _SETTLE else None
    return holding
