"""What is kept of a rule's instances: exact counts, exact percentiles, so many findings, and all of them on request."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_lines import lane, wiring_of
from rule_strategies import CUTS, batches_of, lanes, rule_sets, whole
from test_rules_cuts import results, thorough, told
from typer.testing import CliRunner

import tracecheck
from tracecheck import schemas
from tracecheck.cli.app import app
from tracecheck.cli.commands.analyze import analyze
from tracecheck.errors import UsageError
from tracecheck.report import json as as_json
from tracecheck.report import text
from tracecheck.report.style import Style
from tracecheck.rules import counted
from tracecheck.rules.counted import Counted
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import DurationRule, RuleSet
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.tally import MAX_FINDINGS
from tracecheck.rules.verdict import Report

ROOT = Path(__file__).parent.parent / "captures"
LATE = ROOT / "synthetic" / "synthetic-late-wake.sr"
RULES = str(ROOT / "synthetic" / "three-pin.rules.toml")

# Counting values ------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(0, 10**12), max_size=40), min_size=1), st.data())
def test_counted_values_are_the_sorted_list(parts: list[list[int]], data: st.DataObject) -> None:
    table = Counted()
    for part in parts:
        table.add(np.array(part, np.int64))
    every = sorted(value for part in parts for value in part)
    assert len(table) == len(every)
    if every:
        rank = data.draw(st.integers(1, len(every)))
        assert table.ranked(rank) == every[rank - 1]
        assert (table.least, table.most, table.step) == (every[0], every[-1], 1)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=400), st.integers(1, 50), st.data())
def test_too_many_different_values_are_rounded_down_to_a_step(
    values: list[int], size: int, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counted, "MAX_DISTINCT", 32)
        patch.setattr(counted, "_BUFFERED", size)
        table = Counted()
        for first in range(0, len(values), size):
            table.add(np.array(values[first : first + size], np.int64))
        rank = data.draw(st.integers(1, len(values)))
        true = sorted(values)[rank - 1]
        assert true - table.step < table.ranked(rank) <= true
        assert len(table.table[0]) <= 32
        assert table.step == 1 or table.step <= max(values) / 16
        assert (len(table), table.least, table.most) == (len(values), min(values), max(values))


def test_two_tables_in_one() -> None:
    first, second, none = Counted(), Counted(), Counted()
    first.add(np.array([5, 1, 5], np.int64))
    second.add(np.array([4, 9], np.int64))
    both = Counted.joined([first, none, second])
    assert [both.ranked(rank) for rank in range(1, 6)] == [1, 4, 5, 5, 9]
    assert (len(both), both.least, both.most) == (5, 1, 9)
    assert len(first) == 3


# Findings -------------------------------------------------------------------------------------------------------------

SHORT = DurationRule(id="short", of="irq", max=parse_quantity("20us"), percentiles={"p50": "10us"})


def storm(count: int, **kept: Any) -> Report:
    """So many interrupts, every second one too long; and one at the very end of the bound."""
    line = " ".join(f"irq@{100 * k}-{100 * k + (40 if k % 2 else 5)}" for k in range(1, count + 1))
    data = lane(f"{line} irq@{100 * count + 100}-{100 * count + 120}", end=100 * count + 1000)
    found = results([whole(data)], RuleSet(rules=(SHORT,)), wiring_of(data), data.rate_hz, **kept)
    return Report({"path": "x.sr", "buses": [], "markers": []}, found, rate_hz=data.rate_hz)


def test_findings_beyond_the_limit_are_counted_and_said() -> None:
    report = storm(2001, max_findings=10)
    (rule,) = report.rules
    # The median of the 2002 is the one at 20 us, a finding of its own.
    assert (rule.failed, rule.passed, rule.inconclusive) == (1001 + 1, 1000, 1)
    assert rule.verdict == "fail"
    failed = [f for f in report.findings if f.verdict == "fail"]
    assert [f.sample for f in failed] == [0, *range(100, 2100, 200)]
    assert (report.unlisted, rule.unlisted, rule.unlisted_of(1)) == (991, 991, 991)
    said = text.render(report, Style(100, False, True), verbose=True)
    assert "    and 991 more, 991 of them only counted; --max-findings 0 keeps them all\n" in said
    said = text.render(report, Style(100, False, True))
    assert "    and 992 more, 991 of them only counted; --max-findings 0 keeps them all\n" in said
    told = as_json.verdict(report)
    assert (told["rules"][0]["failed"], told["rules"][0]["unlisted"], len(told["findings"])) == (1002, 991, 12)


def test_what_is_measured_does_not_depend_on_what_is_kept() -> None:
    few, every, none = storm(301, max_findings=3), storm(301, keep=True), storm(301, max_findings=None)
    for report in (few, none):
        assert [r.stats for r in report.rules] == [r.stats for r in every.rules]
        assert [r.closest for r in report.rules] == [r.closest for r in every.rules]
        assert [list(r.statistics) for r in report.rules] == [list(r.statistics) for r in every.rules]
    assert none.findings == every.findings
    assert every.unlisted == none.unlisted == 0


@thorough
@given(st.data())
def test_the_first_findings_are_kept_however_the_capture_is_cut(data: st.DataObject) -> None:
    one = data.draw(lanes())
    rules, one = data.draw(rule_sets(one))
    limit = data.draw(st.integers(1, 3))
    every = results([whole(one)], rules, wiring_of(one), one.rate_hz)
    cut = results(batches_of(one, data.draw(CUTS)), rules, wiring_of(one), one.rate_hz, max_findings=limit)
    for kept, whole_ in zip(cut[0].lanes, every[0].lanes, strict=True):
        for verdict in (1, 2):
            all_of_them = whole_.found.where(whole_.found.verdict == verdict)
            of_it = kept.found.where(kept.found.verdict == verdict)
            assert of_it.at.tolist() == all_of_them.at[:limit].tolist()
            assert of_it.extra.tolist() == all_of_them.extra[:limit].tolist()
        assert kept.counts == whole_.counts
    # All but the findings themselves.
    assert told(cut, one)[0:2] + told(cut, one)[3:] == told(every, one)[0:2] + told(every, one)[3:]


def test_memory_is_bounded_by_the_limits() -> None:
    """Ten times the capture, and not a row more is held."""
    held = []
    for times in (1, 10):
        data = lane(" ".join(f"irq@{100 * k}-{100 * k + 5 + k % 40}" for k in range(1, 301 * times)), end=10**6)
        engine = Engine(RuleSet(rules=(SHORT,)), wiring_of(data), data.rate_hz, max_findings=20)
        for batch in batches_of(data, [(at, 0) for at in range(1000, 10**6, 100_000)]):
            engine.feed(batch)
        (result,) = engine.results()
        (part,) = result.lanes
        held.append((len(part.found), len(part.values.table[0])))
        assert result.stats is not None and result.stats.count == 301 * times - 1
    assert held[0] == held[1]


# All instances --------------------------------------------------------------------------------------------------------


def test_checks_are_every_rule_on_every_instance() -> None:
    report = tracecheck.analyze(LATE, RULES, keep_checks=True)
    table = report.checks
    assert table.schema.equals(schemas.CHECKS, check_metadata=True)
    table.validate(full=True)
    rows = table.to_pylist()
    assert tracecheck.check(tracecheck.decode(LATE, rules=RULES), RULES, keep_checks=True).checks == table
    for result in report.rules:
        mine = [row for row in rows if row["rule"] == result.rule.id]
        for verdict in ("pass", "fail", "inconclusive", "cut"):
            attribute = {"pass": "passed", "fail": "failed"}.get(verdict, verdict)
            assert sum(row["verdict"] == verdict for row in mine) == getattr(result, attribute)
        assert {row["kind"] for row in mine} <= {result.rule.kind}
    failed = [row for row in rows if row["verdict"] == "fail"]
    (finding,) = report.findings
    assert len(failed) == 1
    shared = set(failed[0]) & set(as_json.verdict(report)["findings"][0])
    for name in shared - {"value_ns", "uncertainty_ns"}:
        assert failed[0][name] == getattr(finding, name), name
    assert failed[0]["value_ns"] == finding.value_ns
    assert all(row["message"] is None for row in rows if row["verdict"] == "pass")
    assert len(rows) == sum(r.judged + r.inconclusive + r.cut for r in report.rules)


def test_percentiles_are_rows_of_checks_too() -> None:
    report = storm(301, keep=True)
    rows = Report({}, report.rules, rate_hz=report.rate_hz, complete=True).checks.to_pylist()
    assert (rows[0]["verdict"], rows[0]["upper_ns"], rows[0]["transfer"]) == ("fail", 10_000, None)
    assert rows[0]["message"] == "p50 of 302 instances is 20.0 us"
    assert [row["verdict"] for row in rows[1:4]] == ["fail", "pass", "fail"]


def test_without_a_rate_checks_have_no_times() -> None:
    data = lane("irq@100-140 irq@200-205", end=300, rate_hz=None)
    found = results([whole(data)], RuleSet(rules=(SHORT,)), wiring_of(data), None, keep=True)
    table = Report({}, found, complete=True).checks
    for name in ("t_ns", "value_ns", "lower_ns", "upper_ns", "uncertainty_ns"):
        assert table[name].null_count == len(table), name
    assert isinstance(table, pa.Table)


def test_checks_that_were_not_kept_are_an_error_that_says_how() -> None:
    with pytest.raises(UsageError) as error:
        _ = tracecheck.analyze(LATE, RULES).checks
    assert str(error.value) == (
        "the instances were not kept, only counts and findings; judge with keep_checks=True: "
        "tracecheck.analyze(path, rules, keep_checks=True).checks"
    )


def test_max_findings_on_the_command_line() -> None:
    assert inspect.signature(analyze).parameters["max_findings"].default == MAX_FINDINGS
    args = ["analyze", str(LATE), "--expect", "never data", "--format", "json"]
    few = json.loads(CliRunner().invoke(app, [*args, "--max-findings", "2"]).stdout)
    every = json.loads(CliRunner().invoke(app, [*args, "--max-findings", "0"]).stdout)
    assert len(few["findings"]) == 2
    assert few["rules"][0]["unlisted"] == len(every["findings"]) - 2 > 0
    assert few["findings"] == every["findings"][:2]
    assert every["rules"][0]["unlisted"] == 0
