"""Which keys of a rule's table are percentile bounds, and what is wrong with them.

`p99.9 = "10us"` is a dotted key to TOML, a table `p99` with the key `9`; it means the same as `"p99.9" = "10us"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.percentile import LONGEST, NAME, Percentile, in_order, share_of
from tracecheck.rules.positions import Path
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.vocabulary import TIMED_KINDS


@dataclass(frozen=True, slots=True)
class KeyMistake:
    """One mistake at a percentile: its path in the rule's table, whether the key or its value is meant, its name."""

    path: Path
    at_key: bool
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PercentileKeys:
    """The percentiles of one rule. `keys`: of its table, that are taken; `places`: name to path of each percentile."""

    found: tuple[Percentile, ...]
    mistakes: tuple[KeyMistake, ...]
    keys: frozenset[str]
    places: dict[str, Path]

    @staticmethod
    def of(kind: str, raw: Mapping[str, Any]) -> PercentileKeys:
        """The percentile keys in the table of a rule of this kind."""
        given = list(_given(kind, raw))
        places = {name: path for name, path, _ in given}
        found: list[Percentile] = []
        mistakes: list[KeyMistake] = []
        for name, path, value in given:
            if kind not in TIMED_KINDS:
                mistakes.append(KeyMistake(path, True, name, _untimed(kind)))
                continue
            try:
                share = share_of(name)
            except ValueError as error:
                mistakes.append(KeyMistake(path, True, name, str(error)))
                continue
            try:
                each = Percentile(name, share, parse_quantity(value))
                in_order([*found, each])
                found.append(each)
            except ContradictionError as error:
                mistakes.append(KeyMistake(places[error.key], False, error.key, str(error)))
            except ValueError as error:
                mistakes.append(KeyMistake(path, False, name, str(error)))
        taken = frozenset(str(path[0]) for path in places.values())
        return PercentileKeys(in_order(found), tuple(mistakes), taken, places)


def _untimed(kind: str) -> str:
    if kind == "precedence":
        return 'precedence rules have no percentiles; ask from the cause on, with kind = "response"'
    return f"percentiles are of times, which {kind} rules do not measure (kinds that do: {', '.join(TIMED_KINDS)})"


def _given(kind: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, Path, object]]:
    """Name, path and value of each key that is meant as a percentile."""
    for key, value in raw.items():
        if key == LONGEST and kind == "response":
            yield key, (key,), value
        elif NAME.fullmatch(key) and (key != "p" or kind in TIMED_KINDS):
            if isinstance(value, Mapping) and value:
                yield from ((f"{key}.{part}", (key, part), bound) for part, bound in value.items())
            else:
                yield key, (key,), value
