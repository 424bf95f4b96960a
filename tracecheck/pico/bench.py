"""The bench: a chip, devices on its buses, and the faults, wired to each other.

Importing this module needs rp2040py; `emulate` does it when a recording is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tracecheck.pico import bus as buses
from tracecheck.pico import chip as chips
from tracecheck.pico import core, recorder, stall, xip
from tracecheck.pico.chip import CYCLE_NS, Chip
from tracecheck.pico.controller import ASSUMPTIONS as CONTROLLER_ASSUMPTIONS
from tracecheck.pico.elf import Firmware
from tracecheck.pico.faults.cpu_side import CpuFaults, miss_cycles
from tracecheck.pico.faults.spec import FaultLog, FaultSpec
from tracecheck.pico.faults.target_side import TargetFaults
from tracecheck.pico.run import Ending, run
from tracecheck.pico.targets import ASSUMPTIONS as TARGET_ASSUMPTIONS
from tracecheck.pico.targets import attach, parse_target

EVERY_ASSUMPTION: Final = (
    *chips.ASSUMPTIONS,
    *core.ASSUMPTIONS,
    *CONTROLLER_ASSUMPTIONS,
    *buses.ASSUMPTIONS,
    *TARGET_ASSUMPTIONS,
    *recorder.ASSUMPTIONS,
    *stall.ASSUMPTIONS,
    *xip.ASSUMPTIONS,
)
"""What every recording takes for granted, a sentence each."""


class Bench:
    """`firmware` on a chip with `targets` (as parse_target takes them) and `faults` on its buses."""

    def __init__(self, firmware: Firmware, targets: Sequence[str], faults: Sequence[FaultSpec]) -> None:
        self.log = FaultLog()
        self.chip = Chip(firmware)
        devices = self._devices = attach([parse_target(text) for text in targets], self.chip.buses, self.chip.clock)
        cycles = miss_cycles(faults, CYCLE_NS)
        self._cache = None if cycles is None else xip.XipCache(cycles)
        self._stall = stall.Stall()
        cpu_side = [
            CpuFaults(faults, bus, self.chip.lines[name], self.chip.clock, self._stall, self._cache, self.log)
            for name, bus in self.chip.buses.items()
        ]
        self.chip.core.entered = _all([side.entered for side in cpu_side])
        self.chip.core.left = _all([side.left for side in cpu_side])
        interference = {
            name: TargetFaults(faults, bus, self.chip.clock, self.log) for name, bus in self.chip.buses.items()
        }
        for device in devices:
            device.interfere = interference[device.spec.bus]

    @property
    def unanswered(self) -> Mapping[str, Sequence[int]]:
        """Per bus the addresses that were called and that no device has."""
        there = {(device.spec.bus, device.spec.address) for device in self._devices}
        return {
            name: [address for address in controller.unanswered if (name, address) not in there]
            for name, controller in self.chip.controllers.items()
        }

    def run(self, until_ns: float, progress: Callable[[float], None] | None = None) -> Ending:
        """Run until `until_ns` after reset."""
        return run(self.chip, until_ns, stall=self._stall, cache=self._cache, progress=progress)


def _all(calls: Sequence[Callable[[int], None]]) -> Callable[[int], None]:
    def call(number: int) -> None:
        for each in calls:
            each(number)

    return call
