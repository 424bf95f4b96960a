"""Faults of interrupts and tasks: what a marker's line shows is left out, comes twice, or in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.delays import FACTOR, upper
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Exchange, Interrupt, Interval, Scene
from tracecheck.mutate.waiting import idle
from tracecheck.rules.model import PrecedenceRule

_FAR_S = 100e-6
"""How long after everything else a spurious interrupt comes where no rule says how long is too long."""


def marker_faults(scene: Scene) -> Iterator[Candidate]:
    """All of them, at every interrupt of every exchange that the capture holds whole."""
    for exchange in scene.exchanges:
        for i, interrupt in enumerate(exchange.interrupts):
            which = f"interrupt {i + 1} of {len(exchange.interrupts)}"
            yield from _dropped(scene, exchange, interrupt, which)
            yield from _again(scene, exchange, interrupt, which)
            yield from _swapped(scene, exchange, interrupt, which)
        if exchange.interrupts:
            yield _spurious(scene, exchange)


def _dropped(scene: Scene, exchange: Exchange, interrupt: Interrupt, which: str) -> Iterator[Candidate]:
    ends_write = exchange.shape.direction == "write" and interrupt.irq.begin >= exchange.stop
    alone = ends_write or len(exchange.interrupts) == 1
    several = "interrupt-dropped-of-fewest" if scene.has_fewest(exchange) else "interrupt-dropped-of-several"
    for operator, of, what in (
        ("interrupt-dropped" if alone else several, interrupt.irq, which),
        ("wake-dropped", interrupt.wake, f"the wake after {which}"),
        ("ready-dropped", interrupt.ready, f"ready after {which}"),
    ):
        if of is not None:
            make = partial(scene.lines.erased, of.bit, of.begin, of.end)
            yield Candidate(operator, exchange, of.begin, f"{what} is missing", make, place=which)


def _again(scene: Scene, exchange: Exchange, interrupt: Interrupt, which: str) -> Iterator[Candidate]:
    for operator, of, what in (
        ("interrupt-duplicated", interrupt.irq, f"{which} comes twice"),
        ("wake-duplicated", interrupt.wake, f"the task is polled twice after {which}"),
    ):
        if of is None:
            continue
        at = interrupt.end + scene.clearance + 1
        free = at + of.width + scene.clearance < exchange.close
        if free and scene.quiet(of.bit, at, at + of.width):
            yield Candidate(operator, exchange, of.begin, what, partial(_copied, scene.lines, of, at))


def _swapped(scene: Scene, exchange: Exchange, interrupt: Interrupt, which: str) -> Iterator[Candidate]:
    shape, irq, wake, ready = exchange.shape, interrupt.irq, interrupt.wake, interrupt.ready
    if shape.direction == "write" and shape.outcome == "acked" and irq.begin > exchange.stop:
        by = exchange.stop - scene.clearance - interrupt.end
        lines = moved(scene, interrupt.intervals, by)
        if lines is not None:
            what = f"{which} comes before STOP"
            yield Candidate("interrupt-before-stop", exchange, irq.begin, what, partial(_given, lines))
    if wake is not None and wake.begin > irq.begin:
        lines = moved(scene, (wake,), irq.begin - scene.clearance - 1 - wake.end)
        if lines is not None:
            what = f"the task is polled before {which}"
            yield Candidate("wake-before-interrupt", exchange, wake.begin, what, partial(_given, lines))
    # Before the first wake of a capture there may have been another ready.
    first = irq.begin == min(i.irq.begin for e in scene.exchanges[:1] for i in e.interrupts or exchange.interrupts)
    if wake is not None and ready is not None and ready.begin < wake.begin and not first:
        lines = moved(scene, (ready,), wake.begin + scene.clearance + 1 - ready.begin)
        if lines is not None:
            what = f"the task is polled before it is made ready, after {which}"
            yield Candidate("ready-after-wake", exchange, ready.begin, what, partial(_given, lines))


def _spurious(scene: Scene, exchange: Exchange) -> Candidate:
    """An interrupt on the idle bus: 1.5 times the longest time that a rule allows after anything."""
    last = exchange.interrupts[-1]
    after = max(exchange.stop, last.end) + 2 * scene.clearance
    after = min(after, exchange.close - 1)
    bounds = [
        exact
        for rule in scene.rules.rules
        if isinstance(rule, PrecedenceRule) and rule.event == "irq.begin" and (bound := upper(rule)) is not None
        if (exact := bound.samples(scene.rate_hz, int(scene.window.transfers["period"][exchange.row]) or None))
    ]
    gap = int(max(bounds, default=int(_FAR_S * (scene.rate_hz or 0))) * FACTOR) + 2 * scene.clearance
    at = after + gap

    def make() -> Lines:
        waiting = idle(scene, after, gap + last.irq.width + 2 * scene.clearance)
        return _copied(waiting, last.irq, at, source=scene.lines)

    return Candidate("interrupt-spurious", exchange, after, "an interrupt comes on the idle bus", make)


def _copied(lines: Lines, of: Interval, at: int, source: Lines | None = None) -> Lines:
    """With the same pulses again, from sample `at` on."""
    pulses = (source or lines).within(of.bit, of.begin, of.end)
    return lines.toggled(of.bit, (pulses + (at - of.begin)).tolist())


def moved(scene: Scene, intervals: tuple[Interval, ...], by: int, *, apart: int | None = None) -> Lines | None:
    """With these intervals so much later, or earlier; None where others are in the way.

    `apart`: samples that keep them apart from others, where they need not be as far as codes of pulses are.
    """
    lines = scene.lines
    for each in intervals:
        lines = lines.erased(each.bit, each.begin, each.end)
    if not all(scene.quiet(each.bit, each.begin + by, each.end + by, lines, apart) for each in intervals):
        return None
    for each in intervals:
        lines = _copied(lines, each, each.begin + by, source=scene.lines)
    return lines


def _given(lines: Lines) -> Lines:
    return lines
