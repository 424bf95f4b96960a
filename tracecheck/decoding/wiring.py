"""What is connected to what: the buses and markers of a capture, chosen by the user, by name, or by behaviour.

Whatever was not asked for by name says why it was chosen; markers are never found by behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracecheck.capture.model import Channel
from tracecheck.decoding.markers import Coding


@dataclass(frozen=True, slots=True)
class BusWire:
    """One I2C bus: its two channels, and why these (`why` is a phrase: "named", "by name", "by behaviour: ...")."""

    name: str
    scl: Channel
    sda: Channel
    why: str = "named"


@dataclass(frozen=True, slots=True)
class MarkerWire:
    """One marker. `bus` is None when it belongs to no bus; `pulses` is the code of a pulse-count marker, None any."""

    name: str
    channel: Channel
    coding: Coding = "level"
    active: Literal["high", "low"] = "high"
    pulses: int | None = None
    role: str | None = None
    bus: str | None = None
    why: str = "named"


@dataclass(frozen=True, slots=True)
class Wiring:
    """All buses and markers to be decoded; `hints` say what else the capture may hold and how to ask for it."""

    buses: tuple[BusWire, ...] = ()
    markers: tuple[MarkerWire, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def bits(self) -> list[int]:
        """Bits of all channels in use, each once."""
        wires = [c.bit for b in self.buses for c in (b.scl, b.sda)] + [m.channel.bit for m in self.markers]
        return sorted(set(wires))

    def markers_of(self, bus: str | None) -> tuple[MarkerWire, ...]:
        return tuple(m for m in self.markers if m.bus == bus)

    @property
    def lanes(self) -> tuple[str | None, ...]:
        """The buses, and None where markers belong to no bus."""
        names: tuple[str | None, ...] = tuple(b.name for b in self.buses)
        return (*names, None) if any(m.bus is None for m in self.markers) else names

    def facts(self) -> dict[str, list[dict[str, str | None]]]:
        """`buses` and `markers` as reports give them, with why each line was chosen."""
        return {
            "buses": [{"name": b.name, "scl": b.scl.name, "sda": b.sda.name, "chosen": b.why} for b in self.buses],
            "markers": [
                {
                    "name": m.name,
                    "channel": m.channel.name,
                    "coding": m.coding,
                    "role": m.role,
                    "bus": m.bus,
                    "chosen": m.why,
                }
                for m in self.markers
            ],
        }
