"""Figures of two distributions side by side: a median and a tail, and whether what changed may be chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from tracecheck.compare.baseline import Table, quantile, ranked, size
from tracecheck.compare.chance import needed, ranks

MEDIAN: Final = Fraction(1, 2)
TAILS: Final = (("p99.9", Fraction(999, 1000)), ("p99", Fraction(99, 100)), ("p90", Fraction(9, 10)))
"""The tail is the first of these that both sides have the instances for."""

Change = Literal["regression", "improvement", "unclear", "same"]
Of = Literal["rule", "shape", "SCL period of"]


@dataclass(frozen=True, slots=True)
class Shift:
    """One figure on both sides, in ns or a count.

    `figure`     median, p90, p99, p99.9; or max, of too few instances to say more
    `intervals`  of base and new: between what the figure lies, chance taken into account; None: not bounded there
    `doubt`      what the sampling of both sides leaves open
    `verdict`    regression: more, beyond the tolerance, the doubt and chance; improvement: less; unclear: beyond the
                 tolerance, and so few instances may show that by chance
    """

    of: Of
    name: str
    figure: str
    unit: Literal["ns", "count"]
    base: float
    new: float
    base_count: int
    new_count: int
    base_interval: tuple[float | None, float | None]
    new_interval: tuple[float | None, float | None]
    doubt: float
    verdict: Change


@dataclass(frozen=True, slots=True)
class Few:
    """What has fewer instances than a `figure` (median or tail) takes, on the side with the fewer of them."""

    of: Of
    name: str
    figure: Literal["median", "tail"]
    count: int


@dataclass(frozen=True, slots=True)
class Side:
    """One side's distribution; `scale`: ns a sample, 1 for counts."""

    table: Table
    scale: Fraction

    @property
    def count(self) -> int:
        return size(self.table)

    def figure(self, q: Fraction) -> Fraction:
        return quantile(self.table, q) * self.scale

    def interval(self, q: Fraction) -> tuple[Fraction | None, Fraction | None]:
        """Between what the quantile lies."""
        low, high = ranks(self.count, q)
        return (
            None if low is None else ranked(self.table, low) * self.scale,
            None if high is None else ranked(self.table, high) * self.scale,
        )


def shifts(of: Of, name: str, base: Side, new: Side, tolerance: Fraction, doubt: Fraction) -> Iterator[Shift | Few]:
    """The figures that both sides have instances for, and those they have too few for.

    `doubt`: what the sampling leaves open, in the unit of the sides' scale; 0 of counts.
    """
    unit: Literal["ns", "count"] = "ns" if doubt else "count"
    fewer = min(base.count, new.count)
    figures = [("median", MEDIAN)] if fewer >= needed(MEDIAN) else []
    figures += [(tail, q) for tail, q in TAILS if fewer >= needed(q)][:1]
    for figure, q in figures:
        a, b = base.figure(q), new.figure(q)
        before, after = base.interval(q), new.interval(q)
        verdict: Change = "same"
        if b - a > max(a * tolerance, doubt):
            verdict = "regression" if _apart(before[1], after[0], doubt) else "unclear"
        elif a - b > max(a * tolerance, doubt):
            verdict = "improvement" if _apart(after[1], before[0], doubt) else "unclear"
        yield _shift(of, name, figure, unit, (base, new), (a, b), (before, after), doubt, verdict)
    if len(figures) == 2:
        return
    yield Few(of, name, "tail" if figures else "median", fewer)
    a, b = base.figure(Fraction(1)), new.figure(Fraction(1))
    far = abs(b - a) > max(a * tolerance, doubt)
    none = (None, None)
    yield _shift(of, name, "max", unit, (base, new), (a, b), (none, none), doubt, "unclear" if far else "same")


def _apart(below: Fraction | None, above: Fraction | None, doubt: Fraction) -> bool:
    """Whether what lies up to `below` surely differs from what lies from `above` on."""
    return below is not None and above is not None and above - below > doubt


def _shift(
    of: Of,
    name: str,
    figure: str,
    unit: Literal["ns", "count"],
    sides: tuple[Side, Side],
    values: tuple[Fraction, Fraction],
    intervals: tuple[tuple[Fraction | None, Fraction | None], tuple[Fraction | None, Fraction | None]],
    doubt: Fraction,
    verdict: Change,
) -> Shift:
    (base, new), (a, b) = sides, values
    before, after = ((_float(low), _float(high)) for low, high in intervals)
    return Shift(
        of, name, figure, unit, float(a), float(b), base.count, new.count, before, after, float(doubt), verdict
    )


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
