"""What a failed instance's neighbours measured: those before and after it, however the instances came in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_lines import lane, result

from tracecheck.report import json as as_json
from tracecheck.report.findings import measured_text
from tracecheck.report.style import Style
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS
from tracecheck.rules.checks.instances import instances
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import DurationRule, OccurrenceRule, ResponseRule
from tracecheck.rules.neighbours import Neighbours
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.verdict import Report

Row = tuple[int, int, int]
"""Sample, value, verdict."""
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-1, 9), st.sampled_from([PASS, PASS, PASS, FAIL, INCONCLUSIVE, CUT])),
    max_size=40,
).map(lambda steps: [(sum(s for s, *_ in steps[: i + 1]) + i, v, k) for i, (_, v, k) in enumerate(steps)])
"""Each at a sample of its own, ascending."""


def told(rows: list[Row], cuts: list[int], limit: int | None) -> dict[int, Any]:
    """The neighbours of each failed one, by its sample, when the rows come cut into pieces."""
    near = Neighbours(limit)
    for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        if low < high:
            at, value, verdict = (np.array(c, np.int64) for c in zip(*rows[low:high], strict=True))
            near.add(instances(at, at, verdict, value=value), failed=bool((verdict == FAIL).any()))
    failed = [row for row in rows if row[2] == FAIL]
    return {at: near.of(at, at, value) for at, value, _ in failed[:limit]}


@settings(deadline=None)
@given(ROWS, st.lists(st.integers(0, 40), max_size=6), st.sampled_from([None, 1, 3]))
def test_neighbours_are_the_nearest_that_were_measured_or_missing(
    rows: list[Row], cuts: list[int], limit: int | None
) -> None:
    said = told(rows, sorted(min(cut, len(rows)) for cut in cuts), limit)
    kept = [row for row in rows if row[2] == FAIL or (row[1] >= 0 and row[2] != CUT)]
    for at, (before, after) in said.items():
        place = next(i for i, row in enumerate(kept) if row[0] == at)
        assert (before and before.at) == (kept[place - 1][0] if place else None)
        assert (before and before.value) == (kept[place - 1][1] if place else None)
        assert (after and after.at) == (kept[place + 1][0] if place + 1 < len(kept) else None)


def test_many_instances_are_not_kept() -> None:
    near = Neighbours(10)
    for k in range(200):
        at = np.arange(k * 1000, (k + 1) * 1000)
        near.add(instances(at, at, np.full(1000, FAIL if k % 2 else PASS, np.uint8), value=at), failed=bool(k % 2))
        assert near._kept <= 2 * 30 + 64 + 1002 + 64
    assert near.of(1000, 1000, 1000) == ((999, 999, 999), (1001, 1001, 1001))
    assert near.of(1005, 1005, 1005) == ((1004, 1004, 1004), (1006, 1006, 1006))


WAKE = ResponseRule(id="w", trigger="irq.begin", response="wake", within=parse_quantity("20us"))
LINE = "start@10 stop@20 irq@100-101 run@110-111 irq@200-201 run@250-251 irq@300-301 run@312-313 irq@400-401"


def findings(line: str, rule: Any, **settings: Any) -> tuple[Finding, ...]:
    return Report({}, (result(lane(line, **settings), rule),), rate_hz=1_000_000).findings


def test_a_failed_bound_says_what_came_before_and_after_it() -> None:
    late = findings(LINE, WAKE)[0]
    assert measured_text(late, Style(200, colour=False, unicode=False)) == (
        "wake came 50.0 us after irq.begin; measured 50.0 us +- 1.00 us, allowed at most 20.0 us: "
        "150 % over (before 10.0 us, after 12.0 us, median 12.0 us)"
    )
    assert late.before is not None and late.after is not None
    assert (late.before.sample, late.after.sample, late.before.t_ns) == (100, 300, 100_000)


def test_one_that_never_came_has_neighbours_and_is_one() -> None:
    text = "start@10 stop@20 irq@100-101 run@110-111 irq@200-201 irq@300-301 run@340-341"
    missing, late = findings(text, WAKE)
    assert measured_text(missing, Style(200, colour=False, unicode=False)).endswith(
        "; allowed: at most 20.0 us (before 10.0 us, after 40.0 us)"
    )
    assert ": 100 % over (before none, median " in measured_text(late, Style(200, colour=False, unicode=False))


def test_counts_have_neighbours_too() -> None:
    rule = OccurrenceRule(id="o", event="irq", max=1)
    text = "start@10 stop@20 irq@25-26 start@100 stop@110 irq@115-116 irq@118-119 start@200 stop@210"
    (found,) = findings(text, rule, settle=50)
    assert measured_text(found, Style(200, colour=False, unicode=False)) == (
        "2 x irq.begin, expected 0 to 1; before 1, after 0"
    )
    assert found.before is not None and (found.before.transfer, found.before.count) == (0, 1)


def test_the_first_and_the_only_one() -> None:
    rule = DurationRule(id="d", of="irq", max=parse_quantity("5us"))
    (only,) = findings("start@10 stop@20 irq@100-120", rule)
    assert (only.before, only.after) == (None, None)
    first, second = findings("start@10 stop@20 irq@100-120 irq@200-230", rule)
    assert (first.before, second.after) == (None, None)
    assert first.after is not None and first.after.value_ns == 30_000
    assert second.before is not None and second.before.value_ns == 20_000


@pytest.mark.parametrize("rate", [1_000_000, None])
def test_json_carries_them(rate: int | None) -> None:
    rule = OccurrenceRule(id="o", event="irq", max=0)
    data = lane("start@10 stop@20 start@100 stop@110 irq@115-116", settle=50, rate_hz=rate)
    report = Report({"path": "x"}, (result(data, rule),), rate_hz=rate)
    (found,) = json.loads(as_json.render([as_json.verdict(report)]))["findings"]
    assert found["before"] == {
        "transfer": 0,
        "sample": 10,
        "t_ns": 10_000 if rate else None,
        "value_ns": None,
        "count": 0,
    }
    assert found["after"] is None
