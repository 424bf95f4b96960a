"""Marker pins: interrupts and polls drawn as levels on up to three pins, or as pulse counts on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tracecheck.errors import UsageError
from tracecheck.synth.bus import Line
from tracecheck.synth.firmware import Interrupt, Poll

PULSE = 168
"""Width of a pulse, and of the gap between two of one code, in ns: four samples at 24 MS/s."""
_CODE_GAP = 4 * PULSE


def _levels(spans: Iterable[tuple[int, int | None]]) -> Line:
    line = Line(idle=0)
    for begin, end in sorted(spans, key=lambda span: span[0]):
        line.to(begin, 1)
        if end is not None:
            line.to(end, 0)
    return line


def _irq(interrupts: Sequence[Interrupt]) -> Line:
    return _levels((i.begin, i.end) for i in interrupts)


def _run(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> Line:
    woken = [(i.wake, i.wake_end) for i in interrupts if i.wake is not None]
    return _levels([*woken, *((poll.begin, poll.end) for poll in polls)])


def _pending(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> Line:
    # The task's poll takes the mark back, so it lies a store before RUN.
    made = [(i.ready, None if i.wake is None else i.wake - 16) for i in interrupts if i.ready is not None]
    return _levels([*made, *((poll.ready, poll.begin - 16) for poll in polls)])


def _three_pin(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> dict[str, Line]:
    return {"IRQ": _irq(interrupts), "PENDING": _pending(interrupts, polls), "RUN": _run(interrupts, polls)}


def _two_pin(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> dict[str, Line]:
    return {"IRQ": _irq(interrupts), "RUN": _run(interrupts, polls)}


def _irq_only(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> dict[str, Line]:
    return {"IRQ": _irq(interrupts)}


def _one_pin(interrupts: Sequence[Interrupt], polls: Sequence[Poll]) -> dict[str, Line]:
    codes = [(i.begin, 1) for i in interrupts]
    codes += [(i.wake, 2) for i in interrupts if i.wake is not None]
    codes += [(poll.begin, 2) for poll in polls]
    line = Line(idle=0)
    free = 0
    for at, pulses in sorted(codes):
        if at < free:
            raise UsageError(f"the pulse code at {at} ns begins before the gap after the last one has passed")
        for pulse in range(pulses):
            line.to(at + 2 * pulse * PULSE, 1)
            line.to(at + (2 * pulse + 1) * PULSE, 0)
        free = at + (2 * pulses - 1) * PULSE + _CODE_GAP
    return {"MARK": line}


SCHEMES: dict[str, Callable[[Sequence[Interrupt], Sequence[Poll]], dict[str, Line]]] = {
    "three-pin": _three_pin,
    "two-pin": _two_pin,
    "irq-only": _irq_only,
    "one-pin": _one_pin,
}
"""Scheme name -> what it draws, a line for each pin."""
