"""Bounds learned from the times there were: from bus to interrupt to task, and in the handler."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, log10
from typing import Final

from tracecheck.learn.draft import Block, Draft, counted, quoted
from tracecheck.learn.kept import judged
from tracecheck.timebase import NS, ns_text
from tracecheck.trace import Trace

_ENDLESS: Final = '"1000000s"'


def bounds(draft: Draft, trace: Trace, margin: Fraction, ppm: int) -> None:
    """The times from bus to interrupt to task, each measured without a bound and then given one."""
    asked: list[tuple[Block, str, str]] = []
    for wire in trace.wiring.buses:
        several = len(trace.wiring.buses) > 1
        suffix = f"-{wire.name}" if several else ""
        extra = {"where": f"{{ bus = {quoted(wire.name)} }}"} if several else {}
        roles = {m.role: m for m in trace.wiring.markers_of(wire.name) if m.role}
        if "irq" in roles:
            keys = {"kind": '"precedence"', "scope": '"exchange"', "event": '"irq.begin"', "cause": '"wire"', **extra}
            asked.append((Block(f"interrupt-after-bus{suffix}", keys, "from the bus to the interrupt"), "within", ""))
        if {"irq", "run"} <= roles.keys():
            keys = {"kind": '"response"', "trigger": '"irq.begin"', "response": '"wake"', **extra}
            asked.append((Block(f"wake-after-interrupt{suffix}", keys, "from interrupt to task"), "within", ""))
        if "irq" in roles and roles["irq"].coding == "level":
            keys = {"kind": '"duration"', "marker": '"irq"', **extra}
            asked.append((Block(f"handler{suffix}", keys, "the interrupt handler"), "max", _ENDLESS))
    free = [Block(b.id, b.keys | ({key: endless} if endless else {}), b.said) for b, key, endless in asked]
    found = judged(Draft([], draft.pins, [], {}, free), trace) if free else {}
    for block, key, _ in asked:
        result = found[block.id]
        stats = result.stats
        if result.failed:
            draft.left_out[block.id] = (
                f"of {counted(result.judged, 'instance')} {result.failed} failed without any bound"
            )
        elif stats is None or stats.unit != "ns" or not trace.rate_hz:
            draft.left_out[block.id] = "no time could be measured"
        else:
            # The longest may have been one sample, and the clock's error, longer than it looks.
            most = (Fraction(stats.max) + Fraction(NS, trace.rate_hz)) * (1 + Fraction(ppm, 10**6)) * (1 + margin)
            figures = f"median {ns_text(stats.p50)}, longest {ns_text(stats.max)}"
            said = f"Of {counted(stats.count, 'instance')} {block.said}: {figures}."
            draft.blocks.append(Block(block.id, block.keys | {key: quoted(rounded(most))}, said))


def rounded(ns: Fraction) -> str:
    """Rounded up to three figures, so that the margin is never less than what was asked for."""
    step = 10 ** max(floor(log10(max(float(ns), 1))) - 2, 0)
    whole = ceil(ns / step) * step
    for size, unit in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if whole >= size:
            return f"{whole / size:g}{unit}"
    return f"{whole}ns"
