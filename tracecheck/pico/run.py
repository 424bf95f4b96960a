"""Runs a chip until its time is up or it can go no further, and says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tracecheck.pico import standstill
from tracecheck.pico.chip import CYCLE_NS, Chip, Halt
from tracecheck.pico.stall import Stall
from tracecheck.pico.xip import XipCache

_EVERY_NS = 1e6
"""How often progress is told, and panic handlers that wait instead of standing still are looked for."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `time` (all of it was run), `deadlock`, `fault`; at `time_ns`, at `address`, and why."""

    kind: Literal["time", "deadlock", "fault"]
    time_ns: int
    where: str
    reason: str
    busy_cycles: int
    """Cycles in which the core did not sleep."""


def run(
    chip: Chip,
    until_ns: float,
    *,
    stall: Stall | None = None,
    cache: XipCache | None = None,
    progress: Callable[[float], None] | None = None,
) -> Ending:
    """Run until `until_ns` of emulated time. `progress` is told the time, every now and then."""
    core, clock = chip.core, chip.ticks
    execute, tick = core.execute_instruction, clock.tick
    accounted = core.cycles
    told = 0.0
    idle = 0
    stall = stall or Stall()
    address = core.pc
    try:
        while (now := clock.nanos) < until_ns:
            if core.waiting:
                if not clock.has_scheduled_alarm:
                    standstill.check_function(chip)
                    return Ending(
                        "deadlock",
                        round(now),
                        chip.firmware.where(core.pc),
                        "every task waits and no timer, interrupt or transfer is left that could wake one",
                        core.cycles - idle,
                    )
                cycles = _cycles(min(clock.nanos_to_next_alarm, until_ns - now))
                idle += cycles
                core.cycles += cycles
            elif stall.until_ns and core.ipsr == 0:
                # Another task's time: interrupts are served, nothing else runs.
                if now >= stall.until_ns:
                    stall.until_ns = 0.0
                elif not (core.interrupts_updated and core.check_for_interrupts()):
                    left = stall.until_ns - now
                    if clock.has_scheduled_alarm:
                        left = min(left, clock.nanos_to_next_alarm)
                    core.cycles += _cycles(left)
            else:
                address = core.pc
                if cache is not None:
                    core.cycles += cache.fetch(address)
                execute()
                if core.pc == address:
                    standstill.check(chip)
            cycles = core.cycles
            tick((cycles - accounted) * CYCLE_NS)
            accounted = cycles
            if now - told > _EVERY_NS:
                told = now
                standstill.check_function(chip)
                if progress is not None:
                    progress(now)
    except Halt as halt:
        return Ending("fault", round(clock.nanos), chip.firmware.where(address), halt.reason, core.cycles - idle)
    return Ending("time", round(until_ns), "", "", core.cycles - idle)


def _cycles(ns: float) -> int:
    """Whole cycles that last at least `ns`, and at least one."""
    return max(1, -int(-ns // CYCLE_NS))
