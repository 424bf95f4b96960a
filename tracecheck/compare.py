"""What changed between two captures of one firmware: times of each rule, and of each shape of transfer.

A baseline is what is compared, written down: every distribution whole, so that nothing is lost by keeping the file in
place of the capture. A shift counts where it is beyond the tolerance and beyond what the two sample periods leave open.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Final, Literal

import numpy as np

from tracecheck.errors import CaptureError
from tracecheck.rules.counted import Counted
from tracecheck.rules.verdict import Report
from tracecheck.shapes import shapes_of
from tracecheck.timebase import NS

SCHEMA: Final = 1
FEWEST: Final = 5
"""Instances on each side that it takes to say anything of a tail."""
_P99: Final = 100
"""From so many on the tail is the 99th percentile, below it the longest."""

Table = tuple[tuple[int, int], ...]
"""(samples, how often), ascending."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """One capture's distributions. `verdicts` by rule; `times` by rule or shape, in samples; `shapes`: how many."""

    name: str
    rate_hz: int | None
    verdicts: Mapping[str, str]
    rules: Mapping[str, Table]
    shapes: Mapping[str, int]
    durations: Mapping[str, Table]

    def as_object(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "capture": self.name,
            "rate_hz": self.rate_hz,
            "verdicts": dict(self.verdicts),
            "rules": {name: [list(pair) for pair in table] for name, table in self.rules.items()},
            "shapes": dict(self.shapes),
            "durations": {name: [list(pair) for pair in table] for name, table in self.durations.items()},
        }


def baseline_of(report: Report) -> Baseline:
    """Of a report that kept its trace."""
    rules: dict[str, Table] = {}
    for result in report.rules:
        if result.measures == "time" and (parts := [lane.values for lane in result.lanes if len(lane.values)]):
            rules[result.rule.id] = _table(Counted.joined(parts))
    counts: Counter[str] = Counter()
    lengths: dict[str, list[int]] = {}
    buses = report.trace.wiring.buses
    for bus in buses:
        rows = report.trace.columns(bus.name, "transfers")
        shapes, index = shapes_of(rows, bus.name)
        for row in np.flatnonzero(rows["complete"]).tolist():
            name = shapes[index[row]].name(several=len(buses) > 1)
            counts[name] += 1
            if rows["stop"][row] >= 0:
                # Of the very length: a bucket's durations would follow the mix of lengths.
                n = int(rows["n_bytes"][row])
                exact = replace(shapes[index[row]], low=n, high=n).name(several=len(buses) > 1)
                lengths.setdefault(exact, []).append(int(rows["end"][row] - rows["start"][row]))
    durations = {name: tuple(sorted(Counter(values).items())) for name, values in sorted(lengths.items())}
    verdicts = {result.rule.id: result.verdict for result in report.rules}
    name = PurePath(str(report.capture["path"])).name
    return Baseline(name, report.rate_hz, verdicts, rules, dict(sorted(counts.items())), durations)


def _table(counted: Counted) -> Table:
    values, counts = counted.table
    return tuple(zip(values.tolist(), counts.tolist(), strict=True))


def read_baseline(path: str, text: str) -> Baseline:
    """Raises CaptureError where it is none, or of another schema."""
    again = "write it anew: tracecheck compare CAPTURE --save-baseline FILE"
    try:
        found = json.loads(text)
        schema = found["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CaptureError(path, f"is no baseline: JSON with the key schema; {again}") from None
    if schema != SCHEMA:
        raise CaptureError(path, f"is a baseline of schema {schema!r}, this version reads schema {SCHEMA}; {again}")
    try:
        return Baseline(
            str(found["capture"]),
            None if found["rate_hz"] is None else _whole(found["rate_hz"], 1),
            {str(k): str(v) for k, v in found["verdicts"].items()},
            {str(k): _read_table(v) for k, v in found["rules"].items()},
            {str(k): _whole(v, 1) for k, v in found["shapes"].items()},
            {str(k): _read_table(v) for k, v in found["durations"].items()},
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CaptureError(path, f"is a damaged baseline ({type(error).__name__}: {error}); {again}") from None


def _whole(value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{value!r} is no whole number of {least} or more")
    return value


def _read_table(rows: Any) -> Table:
    table = tuple((_whole(value, 0), _whole(count, 1)) for value, count in rows)
    if not table or list(table) != sorted({value: (value, count) for value, count in table}.values()):
        raise ValueError("a distribution is a list of [samples, count], ascending")
    return table


@dataclass(frozen=True, slots=True)
class Shift:
    """One figure on both sides, ns. `regression`: longer beyond the tolerance and what the sampling leaves open."""

    of: Literal["rule", "shape"]
    name: str
    figure: str
    base_ns: float
    new_ns: float
    uncertainty_ns: float
    verdict: Literal["regression", "improvement", "same"]


def shifts(base: Baseline, new: Baseline, tolerance: Fraction) -> tuple[list[Shift], list[str]]:
    """Every figure that both have, and what could not be said."""
    found: list[Shift] = []
    silent: list[str] = []
    sides: tuple[tuple[Literal["rule", "shape"], Mapping[str, Table], Mapping[str, Table]], ...] = (
        ("rule", base.rules, new.rules),
        ("shape", base.durations, new.durations),
    )
    if not base.rate_hz or not new.rate_hz:
        return [], ["a capture without a samplerate has no times to compare"]
    slack = Fraction(NS, base.rate_hz) + Fraction(NS, new.rate_hz)
    for of, before, after in sides:
        for name in before.keys() & after.keys():
            n = min(sum(count for _, count in table) for table in (before[name], after[name]))
            figures = {"median": Fraction(1, 2)}
            if n >= FEWEST:
                figures |= {"p99": Fraction(99, 100)} if n >= _P99 else {"max": Fraction(1)}
            else:
                silent.append(f"{of} {name}: {n} on one side, too few to say anything of its tail (it takes {FEWEST})")
            for figure, q in figures.items():
                a = Fraction(_ranked(before[name], q) * NS, base.rate_hz)
                b = Fraction(_ranked(after[name], q) * NS, new.rate_hz)
                verdict: Literal["regression", "improvement", "same"] = "same"
                if b - a > max(a * tolerance, slack):
                    verdict = "regression"
                elif a - b > max(a * tolerance, slack):
                    verdict = "improvement"
                found.append(Shift(of, name, figure, float(a), float(b), float(slack), verdict))
    return sorted(found, key=lambda s: (s.of, s.name, s.figure)), sorted(silent)


def _ranked(table: Table, q: Fraction) -> int:
    """Nearest rank."""
    rank = max(1, -(-q * sum(count for _, count in table) // 1))
    for value, count in table:
        rank -= count
        if rank <= 0:
            return value
    return table[-1][0]
