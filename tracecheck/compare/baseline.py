"""A baseline: all that is compared of one capture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal

SCHEMA: Final = 2

Table = tuple[tuple[int, int], ...]
"""(value, how often), ascending by value."""


@dataclass(frozen=True, slots=True)
class RuleSide:
    """What one rule came to.

    `asks`: its definition, key by key; `unit` of `values`, None where nothing was measured.
    """

    verdict: str
    optional: bool
    asks: Mapping[str, Any]
    unit: Literal["samples", "count"] | None = None
    values: Table = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """One capture's distributions.

    `rules`: by id; `shapes`: how many transfers of each; `durations` of each shape of one length, and
    `periods` of SCL, the median of each transfer, by bus: both in samples.
    """

    name: str
    rate_hz: int | None
    rules: Mapping[str, RuleSide]
    shapes: Mapping[str, int]
    durations: Mapping[str, Table]
    periods: Mapping[str, Table] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """As docs/schema/baseline-2.json describes."""
        return {
            "schema": SCHEMA,
            "capture": self.name,
            "rate_hz": self.rate_hz,
            "rules": {name: _rule(side) for name, side in self.rules.items()},
            "shapes": dict(self.shapes),
            "durations": {name: _pairs(table) for name, table in self.durations.items()},
            "periods": {name: _pairs(table) for name, table in self.periods.items()},
        }

    def text(self) -> str:
        """The file: one line for each [value, count], so that a change of it can be read."""
        lines = json.dumps(self.as_object(), indent=1, ensure_ascii=False)
        return re.sub(r"\[\n *(\d+),\n *(\d+)\n *\]", r"[\1, \2]", lines) + "\n"


def _rule(side: RuleSide) -> dict[str, Any]:
    return {
        "verdict": side.verdict,
        "optional": side.optional,
        "asks": dict(side.asks),
        "unit": side.unit,
        "values": _pairs(side.values),
    }


def _pairs(table: Table) -> list[list[int]]:
    return [list(pair) for pair in table]


def size(table: Table) -> int:
    """How many instances."""
    return sum(count for _, count in table)


def ranked(table: Table, rank: int) -> int:
    """The value at a place, from 1, in ascending order."""
    for value, count in table:
        rank -= count
        if rank <= 0:
            return value
    return table[-1][0]


def quantile(table: Table, q: Fraction) -> int:
    """By nearest rank."""
    return ranked(table, max(1, -(-q * size(table) // 1)))
