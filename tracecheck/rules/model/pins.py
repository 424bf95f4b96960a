"""How the pins of a capture are to be read: buses and markers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, model_validator

from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model.fields import Channel, Name
from tracecheck.rules.model.frozen import Frozen
from tracecheck.rules.selector import Selector
from tracecheck.rules.vocabulary import RESERVED, ROLES


class BusSpec(Frozen):
    """`[bus.NAME]`: the channels, by name or bit, of one I2C bus; None: to be found by name or behaviour."""

    name: Name
    scl: Channel | None = None
    sda: Channel | None = None


class MarkerSpec(Frozen):
    """`[marker.NAME]`: a pin the firmware drives, and how it is to be read.

    `coding` "level": an interval while the pin is at its `active` level. "pulse-count": each code is a burst of
    pulses to the active level, and this marker's is the burst of `pulses`; by default 1 for the role irq, 2 for run.
    `role`: what the built-in rules take it for; by default its name, where that is a role. `bus`: which bus it
    belongs to, None when there is only one. `where`: the transfers it accompanies; others are not judged against it.
    """

    name: Name
    channel: Channel
    coding: Literal["level", "pulse-count"] = "level"
    active: Literal["high", "low"] = "high"
    pulses: Annotated[StrictInt, Field(ge=1, le=16)] | None = None
    role: Literal["irq", "pending", "run"] | None = None
    bus: str | None = None
    where: Selector | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        role = raw.get("role") or (raw.get("name") if raw.get("name") in ROLES else None)
        filled = {**raw, "role": role} if role else dict(raw)
        if raw.get("coding") == "pulse-count" and raw.get("pulses") is None:
            filled["pulses"] = {"irq": 1, "run": 2}.get(role) if isinstance(role, str) else None
        return filled

    @model_validator(mode="after")
    def _coherent(self) -> MarkerSpec:
        if self.name in RESERVED:
            raise ValueError(f'"{self.name}" is a word of the rule language and cannot name a marker')
        if self.name in ROLES and self.role != self.name:
            raise ContradictionError(
                "role", f'a marker called "{self.name}" cannot be the {self.role}; give it another name'
            )
        if self.coding == "level" and self.pulses is not None:
            raise ContradictionError("pulses", 'a level marker has none; it belongs to coding = "pulse-count"')
        if self.coding == "pulse-count" and self.pulses is None:
            raise ValueError("how many pulses mean it? Add for example pulses = 3 (only irq and run have a default)")
        return self
