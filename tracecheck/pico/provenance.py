"""Where an emulated capture comes from, for its metadata: enough to make it again, and what the emulation assumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import tracecheck
from tracecheck.pico.faults.spec import FaultSpec


@dataclass(frozen=True, slots=True)
class Provenance:
    """The arguments of a recording and the versions of what made it."""

    firmware: str
    sha256: str
    duration_ns: int
    rate_hz: int
    targets: tuple[str, ...]
    faults: tuple[FaultSpec, ...]
    emulator: str
    assumptions: Sequence[str]
    ending: str

    def remarks(self) -> dict[str, str]:
        """Keys and values for the `[global]` section of a .sr file: no path, no wall time, so it can be compared."""
        said = {
            "origin": "emulated",
            "firmware": PurePath(self.firmware).name,
            "firmware-sha256": self.sha256,
            "emulated-ns": str(self.duration_ns),
            "emulator": f"tracecheck {tracecheck.__version__} on {self.emulator}",
        }
        said |= {f"target-{k}": text for k, text in enumerate(self.targets)}
        said |= {f"fault-{k}": fault.text for k, fault in enumerate(self.faults)}
        if self.ending:
            said["ended"] = self.ending
        return said | {f"assumption-{k}": sentence for k, sentence in enumerate(self.assumptions)}
