"""Time that another task takes from the one under test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ASSUMPTIONS: Final = ("a task that hogs the executor is time in which interrupts are served and no other code runs",)


@dataclass(slots=True)
class Stall:
    """Until `until_ns` nothing runs in thread mode; 0 when nothing stalls."""

    until_ns: float = 0.0
