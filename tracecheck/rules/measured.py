"""What a rule measured, over all its instances: how often each value came, and the percentiles of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck.rules.counted import Counted
from tracecheck.rules.result import RuleResult
from tracecheck.timebase import NS, ns_text


class Percentile(NamedTuple):
    """One that a report lists: its name, and its value as a person reads it."""

    name: str
    value: str


_LISTED = (("p50", 50_000), ("p90", 90_000), ("p99", 99_000), ("p99.9", 99_900))
"""Name, and share in thousandths of a per cent."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`values`, ascending, and `counts`, how often each came; both int64[n], n > 0.

    Values in samples, or counts. `scale`: ns a sample; None for counts and where no rate is known. `lower`,
    `upper`: the bounds, where they are the same for all instances.
    """

    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    scale: float | None
    lower: float | None
    upper: float | None
    unit: str

    def text(self, value: float) -> str:
        """A value as a person reads it."""
        if self.scale is not None:
            return ns_text(value * self.scale)
        return f"{value:.0f}{' sa' if self.unit == 'samples' else ''}"

    def ranked(self, thousandths: int) -> int:
        """A percentile by nearest rank."""
        rank = -(-thousandths * self.total // 100_000)
        return int(self.values[np.searchsorted(np.cumsum(self.counts), max(rank, 1))])

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def percentiles(self) -> list[Percentile]:
        """From the least to the most; none that so few instances cannot have apart from the greatest."""
        told = [(name, self.ranked(share)) for name, share in _LISTED if self.total * (100_000 - share) >= 100_000]
        return [Percentile(n, self.text(v)) for n, v in [("min", self.values[0]), *told, ("max", self.values[-1])]]


def measured_by(result: RuleResult) -> Measured | None:
    """What a rule measured; None where that was nothing."""
    if result.measures not in ("time", "count"):
        return None
    parts = [lane.values for lane in result.lanes if len(lane.values)]
    if not parts:
        return None
    values, counts = Counted.joined(parts).table
    times = result.measures == "time"
    lower, upper = _bounds(result)
    return Measured(
        values,
        counts,
        NS / result.rate_hz if times and result.rate_hz else None,
        lower,
        upper,
        "count" if not times else "ns" if result.rate_hz else "samples",
    )


def _bounds(result: RuleResult) -> tuple[float | None, float | None]:
    """In samples or counts. Bounds in SCL periods differ from one transfer to the next: they are left out."""
    checker = result.lanes[0].checker
    some, other = checker.lower_upper(100), checker.lower_upper(1000)
    low, high = (a if a == b else None for a, b in zip(some, other, strict=True))
    return low or None, high
