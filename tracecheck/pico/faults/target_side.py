"""Faults of the device on the bus: it stretches the clock, holds SDA, or does not acknowledge."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf
from typing import Literal

from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import Clock
from tracecheck.pico.faults.spec import FaultLog, FaultSpec


class TargetFaults:
    """What the targets of one bus are made to do; each asks at the moment it would act by itself."""

    def __init__(self, specs: Sequence[FaultSpec], bus: Bus, clock: Clock, log: FaultLog) -> None:
        self._specs = [spec for spec in specs if spec.bus == bus.name]
        self._bus, self._clock, self._log = bus, clock, log

    def ack(self, kind: Literal["address", "data"], index: int) -> bool | None:
        """False where a byte (0: the address) is not to be acknowledged, None where the target decides."""
        for spec in self._striking("nack", index):
            self._note(spec, "the address is not acknowledged" if index == 0 else f"byte {index} is not acknowledged")
            return False
        return None

    def stretch_ns(self, index: int) -> float:
        """How long SCL is held low after byte `index` (0: the address)."""
        for spec in self._striking("stretch", index):
            self._note(spec, f"SCL is held low for {spec.options['duration'] / 1000:g} us after byte {index}")
            return spec.options["duration"]
        return 0.0

    def hold_sda(self, index: int) -> tuple[float, int] | None:
        """For how many ns SDA is held low after byte `index`, and for how many SCL pulses at most (0: any number).

        None where it is not held.
        """
        for spec in self._striking("hang-sda", index):
            duration, clocks = spec.options["duration"], int(spec.options["clocks"])
            time = "for ever" if isinf(duration) else f"for {duration / 1000:g} us"
            most = f", {clocks} clocks at most," if clocks else ""
            self._note(spec, f"SDA is held low {time}{most} after byte {index}")
            return duration, clocks
        return None

    def _striking(self, kind: str, index: int) -> list[FaultSpec]:
        transfer = self._bus.transfers - 1
        return [s for s in self._specs if s.kind == kind and s.options["byte"] == index and s.strikes(transfer)]

    def _note(self, spec: FaultSpec, detail: str) -> None:
        self._log.note(spec, self._bus.transfers - 1, self._clock.now_ns, detail)
