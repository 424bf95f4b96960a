"""Percentile bounds: `p99 = "10us"`, the time within which 99 of 100 instances stay, by nearest rank.

Of n instances in ascending order, the percentile of the share q is the one at place ceil(q n), counted from 1. Fewer
than 1/(1 - q) instances have the longest of them at that place, so they can show that a bound is broken but not that it
holds. The longest itself, `max` of a response rule, is the percentile of the share 1 and needs one instance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from tracecheck.rules.mistakes import ContradictionError, described
from tracecheck.rules.quantity import Quantity, exceeds, parse_quantity

LONGEST: Final = "max"
NAME: Final = re.compile(r"p(?P<number>-?[0-9.]*)")
"""Keys that are meant as percentiles, whether or not they are any."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Percentile:
    """At least `share` (over 0, up to 1) of all instances stay within `bound`; `name` as the file has it."""

    name: str
    share: Fraction
    bound: Quantity

    def rank(self, count: int) -> int:
        """The nearest rank among so many instances in ascending order, from 1."""
        return ceil(self.share * count)

    @property
    def needed(self) -> int:
        """How many instances there must be before the bound can be said to hold."""
        return 1 if self.share == 1 else ceil(1 / (1 - self.share))

    def __str__(self) -> str:
        return f"{self.name} within {self.bound}"


def share_of(name: str) -> Fraction:
    """The share that a key such as `p99.9` names. Raises ValueError saying what would be right."""
    if name == LONGEST:
        return Fraction(1)
    form = NAME.fullmatch(name)
    number = form["number"] if form else ""
    if not _NUMBER.fullmatch(number):
        raise ValueError(f'"{name}" is no percentile; write for example p50, p99 or p99.9')
    share = Fraction(number) / 100
    if share == 0:
        raise ValueError(f"no instance lies below {name}; write min for the shortest, or for example p50")
    if share == 1:
        raise ValueError(f"{name} is the longest of all; write {LONGEST} for it")
    if share > 1:
        raise ValueError(f"{name} is more than all instances; percentiles lie between p0 and p100, for example p99.9")
    return share


def parse_percentiles(value: object) -> tuple[Percentile, ...]:
    """`{"p50": "5us", "p99": "10us"}` in ascending order. Raises ValueError where a name or a bound makes no sense."""
    if isinstance(value, Mapping):
        return in_order(Percentile(str(k), share_of(str(k)), parse_quantity(bound)) for k, bound in value.items())
    if isinstance(value, (list, tuple)) and all(isinstance(item, Percentile) for item in value):
        return in_order(value)
    raise ValueError(f'percentiles are a table such as {{ p99 = "10us" }}, not {described(value)}')


def in_order(percentiles: Iterable[Percentile]) -> tuple[Percentile, ...]:
    """By share. Raises ContradictionError where the same one is bounded twice, or a higher one tighter."""
    found = tuple(sorted(percentiles, key=lambda p: p.share))
    for i, higher in enumerate(found):
        for lower in found[:i]:
            if lower.share == higher.share:
                raise ContradictionError(higher.name, f"it is the same as {lower.name}; keep one of them")
            if exceeds(lower.bound, higher.bound):
                raise ContradictionError(
                    higher.name,
                    f"{higher.bound} is shorter than {lower.name} = {lower.bound}, and a higher percentile is never "
                    f"the shorter one; give {higher.name} the longer bound",
                )
    return found


def check_against(
    percentiles: Iterable[Percentile], low: Quantity | None, high: Quantity | None, high_key: str
) -> None:
    """Raises ContradictionError for a percentile that the bounds of every single instance rule out, or make idle."""
    for each in percentiles:
        if exceeds(low, each.bound):
            raise ContradictionError(each.name, f"{each.bound} is shorter than min = {low}; no duration satisfies both")
        if exceeds(each.bound, high):
            raise ContradictionError(
                each.name,
                f"{each.bound} is longer than {high_key} = {high}, which holds for every instance, so it says nothing; "
                f"give {each.name} the shorter bound",
            )
