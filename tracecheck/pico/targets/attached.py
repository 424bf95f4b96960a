"""Declared targets become devices on their buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracecheck.errors import UsageError
from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import Clock
from tracecheck.pico.targets.declared import TargetSpec
from tracecheck.pico.targets.devices import make
from tracecheck.pico.targets.target import Target


def attach(specs: Sequence[TargetSpec], buses: Mapping[str, Bus], clock: Clock) -> list[Target]:
    """The targets on their buses. Raises UsageError for two at one address."""
    taken: dict[tuple[str, int], str] = {}
    for spec in specs:
        place = (spec.bus, spec.address)
        if place in taken:
            raise UsageError(
                f'two targets at 0x{spec.address:02X} on {spec.bus}: "{taken[place]}" and "{spec.text}"; both would '
                "answer at once. Give one another address"
            )
        taken[place] = spec.text
    return [Target(spec, make(spec), buses[spec.bus], clock) for spec in specs]
