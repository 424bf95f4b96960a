"""Which presets fit a capture that comes without a rule file."""

from __future__ import annotations

from tracecheck.decoding.wiring import Wiring


def fitting_presets(wiring: Wiring) -> list[str]:
    """`i2c` where there is a bus, `embassy-rp` where there is also an interrupt marker."""
    names = ["i2c"] if wiring.buses else []
    if wiring.buses and any(m.role == "irq" for m in wiring.markers):
        names.append("embassy-rp")
    return names
