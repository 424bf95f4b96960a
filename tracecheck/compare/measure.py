"""A baseline of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Literal

import numpy as np

from tracecheck.compare.baseline import Baseline, RuleSide, Table
from tracecheck.compare.definition import definition
from tracecheck.rules.counted import Counted
from tracecheck.rules.result import RuleResult
from tracecheck.rules.verdict import Report
from tracecheck.shapes import shapes_of


def baseline_of(report: Report) -> Baseline:
    """Of a report that kept its trace."""
    counts: Counter[str] = Counter()
    lengths: dict[str, list[int]] = {}
    periods: dict[str, list[int]] = {}
    buses = report.trace.wiring.buses
    for bus in buses:
        rows = report.trace.columns(bus.name, "transfers")
        shapes, index = shapes_of(rows, bus.name)
        if len(known := rows["period"][(rows["complete"] != 0) & (rows["period"] > 0)]):
            periods[bus.name] = known.tolist()
        for row in np.flatnonzero(rows["complete"]).tolist():
            name = shapes[index[row]].name(several=len(buses) > 1)
            counts[name] += 1
            if rows["stop"][row] >= 0:
                # Of the very length: a bucket's durations would follow the mix of lengths.
                n = int(rows["n_bytes"][row])
                exact = replace(shapes[index[row]], low=n, high=n).name(several=len(buses) > 1)
                lengths.setdefault(exact, []).append(int(rows["end"][row] - rows["start"][row]))
    return Baseline(
        name=PurePath(str(report.capture["path"])).name,
        rate_hz=report.rate_hz,
        rules={result.rule.id: _side(result) for result in report.rules},
        shapes=dict(sorted(counts.items())),
        durations={name: _table(values) for name, values in sorted(lengths.items())},
        periods={name: _table(values) for name, values in sorted(periods.items())},
    )


def _table(values: Sequence[int]) -> Table:
    return tuple(sorted(Counter(values).items()))


def _side(result: RuleResult) -> RuleSide:
    units: dict[str, Literal["samples", "count"]] = {"time": "samples", "count": "count"}
    unit = units.get(result.measures)
    values: Table = ()
    if unit is not None and (parts := [lane.values for lane in result.lanes if len(lane.values)]):
        found, counts = Counted.joined(parts).table
        values = tuple(zip(found.tolist(), counts.tolist(), strict=True))
    asks = definition(result.rule)
    return RuleSide(result.verdict, result.rule.optional, asks, unit if values else None, values)
