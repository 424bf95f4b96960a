"""One fault each: what goes wrong in one exchange of an otherwise clean capture.

A fault touches the script before it is drawn, the firmware's answer after it, the lines, or the ends of the capture.
Where a task would sleep for good, its timer polls it 6 ms later and work goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from tracecheck.synth.bus import Bus, Drawn, Line
from tracecheck.synth.firmware import Firmware, Interrupt
from tracecheck.synth.sampling import to_sample
from tracecheck.synth.script import Hold, Transfer

_NS = 10**9
TIMEOUT = 6_000_000
"""Ns after which the task's own timeout polls it, longer than the 5 ms an exchange stays open after its STOP."""
_STORM, _AGAIN = 5, 1_400
"""Interrupts more than there should be, and ns from one to the next: a handler returns and is entered again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the places where it is made; `hangs` says that the task sleeps until its timeout."""

    name: str
    what: str
    script: Callable[[Transfer], Transfer] | None = None
    answer: Callable[[list[Interrupt], Drawn, Firmware], None] | None = None
    lines: Callable[[Bus, Drawn, int], None] | None = None
    begin: Callable[[Drawn], int] | None = None
    end: Callable[[Drawn], int] | None = None
    hangs: bool = False


def _lose_interrupt(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told.clear()


def _delay_interrupt(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told[-1].shift(60_000)


def _swap(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    last = told[-1]
    began = last.begin
    poll = 0 if last.wake is None or last.wake_end is None else last.wake_end - last.wake
    last.shift(poll + 2_000)
    last.ready, last.wake, last.wake_end = began - 300, began, began + poll


def _spurious(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told.append(firmware.interrupt("none", drawn.end + TIMEOUT))


def _extra(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told.append(firmware.interrupt("none", (told[-1].wake_end or drawn.end) + 3_000))


def _storm(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    last = told[-1]
    wake, wake_end = last.wake, last.wake_end
    for number in range(_STORM):
        again = replace(last, begin=last.begin + (number + 1) * _AGAIN)
        again.end, again.ready = again.begin + _AGAIN // 2, None
        again.wake = again.wake_end = None
        told.append(again)
    last.end, last.wake, last.wake_end = last.begin + _AGAIN // 2, None, None
    told[-1].wake, told[-1].wake_end = wake, wake_end
    if wake is not None and wake_end is not None:
        told[-1].wake, told[-1].wake_end = wake + _STORM * _AGAIN, wake_end + _STORM * _AGAIN


def _early(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    third = [octet for octet in drawn.octets if octet.is_data][:3][-1]  # of fewer the last
    told.insert(0, firmware.interrupt("none", third.ninth + 1_000))
    for before, after in pairwise(told):  # those of the bus wait until it has been dealt with
        free = (before.wake_end or before.end or before.begin) + 1_000
        after.shift(max(0, free - after.begin))


def _lose_wake(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told[-1].ready = told[-1].wake = told[-1].wake_end = None


def _delay_wake(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    last = told[-1]
    if last.wake is not None and last.wake_end is not None:
        last.wake, last.wake_end = last.wake + 150_000, last.wake_end + 150_000


def _lengthen_handler(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    last = told[-1]
    last.end = last.begin + 35_000
    last.wake = last.end + 2_000
    last.wake_end = last.wake + 4_000


def _never_return(told: list[Interrupt], drawn: Drawn, firmware: Firmware) -> None:
    told[-1].end = told[-1].wake = told[-1].wake_end = None


def _pulse(line: Line, at: int, rate_hz: int) -> None:
    """A pulse that exactly one sample shows."""
    sample = to_sample(at, rate_hz)
    line.pulse(sample * _NS // rate_hz, (sample + 1) * _NS // rate_hz)


def _spike_on_scl(bus: Bus, drawn: Drawn, rate_hz: int) -> None:
    _pulse(bus.scl, drawn.octets[1].rises[4] - bus.timing.low // 2, rate_hz)


def _spike_on_sda(bus: Bus, drawn: Drawn, rate_hz: int) -> None:
    _pulse(bus.sda, drawn.octets[1].rises[4] + bus.timing.high // 2, rate_hz)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "lost-interrupt",
            "no interrupt follows the STOP; the task sleeps until its timeout",
            answer=_lose_interrupt,
            hangs=True,
        ),
        Fault("late-interrupt", "the interrupt comes 60 us late, the wake follows it", answer=_delay_interrupt),
        Fault(
            "swapped-interrupt",
            "the task runs before the interrupt, and not after it until its timeout",
            answer=_swap,
            hangs=True,
        ),
        Fault("spurious-interrupt", "an interrupt 6 ms after the STOP, with nothing on the bus", answer=_spurious),
        Fault("extra-interrupt", "a second interrupt and wake after the first wake", answer=_extra),
        Fault(
            "interrupt-storm",
            "the last interrupt is left unmasked: its handler is entered six times before the task runs",
            answer=_storm,
        ),
        Fault(
            "early-interrupt",
            "an interrupt and a wake after the third data byte, for nothing",
            answer=_early,
        ),
        Fault(
            "lost-wake",
            "the interrupt does not make the task ready; it sleeps until its timeout",
            answer=_lose_wake,
            hangs=True,
        ),
        Fault("late-wake", "another task keeps the executor for 150 us before ours is polled", answer=_delay_wake),
        Fault("long-handler", "the interrupt handler takes 35 us", answer=_lengthen_handler),
        Fault("irq-stuck-high", "the interrupt handler never returns", answer=_never_return),
        Fault(
            "missing-stop",
            "both lines are let go without a STOP; the task sleeps until its timeout",
            script=lambda transfer: replace(transfer, stop=False),
            hangs=True,
        ),
        Fault(
            "nack",
            "the target does not acknowledge its address",
            script=lambda transfer: replace(
                transfer, messages=(replace(transfer.messages[0], nack=0), *transfer.messages[1:])
            ),
        ),
        Fault(
            "partial-byte",
            "STOP after three bits of the first data byte",
            script=lambda transfer: replace(transfer, cut=(1, 3)),
        ),
        Fault(
            "stretch",
            "the target holds SCL low for 2 ms before a data bit",
            script=lambda transfer: replace(transfer, holds=(*transfer.holds, Hold(2, 2, 2_000_000, "target"))),
        ),
        Fault("glitch-scl", "SCL is high for one sample in a low phase", lines=_spike_on_scl),
        Fault("glitch-sda", "SDA changes for one sample while SCL is high", lines=_spike_on_sda),
        Fault(
            "cut-off",
            "the capture ends after the first data byte",
            end=lambda drawn: (drawn.octets[1].ninth + drawn.octets[2].rises[0]) // 2,
        ),
        Fault(
            "cut-begin",
            "the capture begins inside a byte",
            begin=lambda drawn: (drawn.octets[1].rises[2] + drawn.octets[1].rises[3]) // 2,
        ),
    )
}
