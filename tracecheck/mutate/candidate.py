"""A place at which a fault can be injected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Exchange


@dataclass(frozen=True, slots=True)
class Candidate:
    """One fault at one place, not yet made.

    `at`: the sample in the capture without the fault; `what`: the fault in words; `make`: the lines with it
    `target`: the id of the rule whose bound a delay is meant for
    `group`: places alike, of which one is as good as another, are of one group
    """

    operator: str
    exchange: Exchange
    at: int
    what: str
    make: Callable[[], Lines]
    target: str | None = None
    place: str = ""

    @property
    def group(self) -> tuple[str, ...]:
        shape = self.exchange.shape
        return (
            self.operator,
            self.target or "",
            self.place,
            shape.bus,
            shape.direction,
            shape.length,
            shape.outcome,
        )
