"""A rule's verdict, what it measured, and the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rule_lines import judge, lane, result
from rule_strategies import batches_of, whole, wiring_of

import tracecheck
from tracecheck.decoding import lane as lanes
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import (
    AbsenceRule,
    AnyRule,
    BusSpec,
    DurationRule,
    IntegrityRule,
    MarkerSpec,
    OccurrenceRule,
    OrderRule,
    RecurrenceRule,
    ResponseRule,
    RuleSet,
    Severity,
)
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.verdict import Report

PASSES = "start@10 stop@20 irq@25-30"
FAILS = "start@10 stop@20"


def asked(severity: Severity = "error", **keys: Any) -> OccurrenceRule:
    return OccurrenceRule(id="irq-comes", event="irq", min=1, severity=severity, **keys)


def report(line: str, *rules: AnyRule, **settings: Any) -> Report:
    data = lane(line, **{"settle": 50, "markers": "irq", **settings})
    return Report({}, tuple(result(data, rule) for rule in rules), rate_hz=data.rate_hz)


def test_the_three_verdicts_of_a_rule() -> None:
    assert report(PASSES, asked()).rules[0].verdict == "pass"
    assert report(FAILS + " start@100 stop@110 irq@115-120", asked()).rules[0].verdict == "fail"
    assert report("start@10 stop@990", asked()).rules[0].verdict == "inconclusive"


def test_judged_is_passed_and_failed_and_the_others_stand_beside() -> None:
    line = "start@10 stop@20 irq@25-30 start@100 stop@110 start@200 stop@210 irq@230-231 start@230 stop@240"
    line += " start@980 stop@990"
    rule = report(line, asked()).rules[0]
    assert (rule.judged, rule.passed, rule.failed, rule.inconclusive, rule.cut) == (2, 1, 1, 2, 1)


@pytest.mark.parametrize(
    ("line", "rules", "fail_on", "strict", "code"),
    [
        (PASSES, [asked()], "error", False, 0),
        (FAILS, [asked()], "error", False, 1),
        (FAILS, [asked("warning")], "error", False, 0),
        (FAILS, [asked("warning")], "warning", False, 1),
        (FAILS, [asked("note")], "warning", False, 0),
        (FAILS, [asked("note")], "note", False, 1),
        # An error rule that judged nothing could not be checked, unless it is optional.
        ("start@990 stop@995", [asked(), IntegrityRule(id="i", kinds=frozenset({"glitch"}))], "error", False, 2),
        (
            "start@990 stop@995",
            [asked(optional=True), IntegrityRule(id="i", kinds=frozenset({"glitch"}))],
            "error",
            False,
            0,
        ),
        (
            "start@990 stop@995",
            [asked("warning"), IntegrityRule(id="i", kinds=frozenset({"glitch"}))],
            "error",
            False,
            0,
        ),
        # Where nothing at all was judged, nothing is clean.
        ("start@990 stop@995", [asked(optional=True)], "error", False, 2),
        # Inconclusive instances matter to the strict; those that the capture cuts do not.
        ("start@10 stop@20 irq@25-26 start@100 irq@100-101 stop@110 irq@115-116", [asked()], "error", True, 0),
        ("start@10 stop@20 irq@25-26 start@100 irq@100-101 stop@110", [asked()], "error", False, 0),
        ("start@10 stop@20 irq@25-26 start@100 irq@100-101 stop@110", [asked()], "error", True, 2),
        ("start@10 stop@20 irq@25-26 start@990 stop@995", [asked()], "error", True, 0),
        # A fail weighs more than what could not be checked.
        (FAILS, [asked(), AbsenceRule(id="a", event="run", scope="transfer")], "error", False, 1),
    ],
)
def test_exit_codes(line: str, rules: list[AnyRule], fail_on: str, strict: bool, code: int) -> None:
    found = report(line, *rules)
    assert found.exit_code(fail_on, strict=strict) == code
    if fail_on == "error" and not strict:
        assert found.verdict == ("pass", "fail", "inconclusive")[code]


def test_a_missing_marker_is_named_and_judges_nothing() -> None:
    rule = ResponseRule(id="wakes", trigger="irq", response="wake")
    found = report(PASSES, rule)
    assert (found.rules[0].missing, found.rules[0].verdict, found.exit_code()) == (("wake",), "inconclusive", 2)
    optional = rule.model_copy(update={"optional": True})
    assert report(PASSES, asked(), optional).exit_code() == 0


def test_findings_stand_failures_first_then_by_severity() -> None:
    line = "start@10 stop@20 start@100 irq@100-101 stop@110 start@200 stop@210 irq@215-220"
    found = report(line, asked("warning"), OccurrenceRule(id="one", event="irq", min=2)).findings
    assert [(f.verdict, f.severity, f.sample, f.rule) for f in found] == [
        ("fail", "error", 10, "one"),
        ("fail", "error", 100, "one"),
        ("fail", "error", 200, "one"),
        ("fail", "warning", 10, "irq-comes"),
        ("inconclusive", "warning", 100, "irq-comes"),
    ]


def test_a_finding_says_where_and_what() -> None:
    rule = DurationRule(id="short", of="irq", max=parse_quantity("20us"), why="it blocks")
    (finding,) = report("start@10 stop@20 irq@25-75", rule).findings
    assert (finding.bus, finding.transfer, finding.sample, finding.t_ns) == ("i2c0", 0, 25, 25_000)
    assert (finding.value_ns, finding.lower_ns, finding.upper_ns, finding.uncertainty_ns) == (
        50_000,
        None,
        20_000,
        1000,
    )
    assert (finding.message, finding.why) == ("irq lasted 50.0 us", "it blocks")


def test_stats_are_nearest_rank() -> None:
    line = " ".join(f"irq@{100 * k}-{100 * k + k}" for k in range(1, 101))
    rule = DurationRule(id="short", of="irq", max=parse_quantity("90us"))
    data = lane(line, end=20_000)
    found = result(data, rule)
    stats = found.stats
    assert stats is not None
    assert (stats.count, stats.min, stats.p50, stats.p99, stats.max) == (100, 1000, 50_000, 99_000, 100_000)
    assert (stats.headroom, stats.unit) == (-10_000, "ns")
    assert found.closest == ("i2c0", -1, 10_000)


# Too much to hold -----------------------------------------------------------------------------------------------------

STORM = " ".join(f"irq@{100 + 2 * k}-{101 + 2 * k}" for k in range(60))
KINDS: list[tuple[AnyRule, bool]] = [
    (ResponseRule(id="r", trigger="irq", response="stop", scope="exchange"), True),
    (AbsenceRule(id="r", event="nack"), True),
    (OccurrenceRule(id="r", event="irq", min=1, max=1000), True),
    (OrderRule(id="r", pattern="start stop irq*"), True),
    (IntegrityRule(id="r", kinds=frozenset({"glitch"})), True),
    (RecurrenceRule(id="r", event="irq", scope="exchange", max=parse_quantity("5us")), True),
    (DurationRule(id="r", of="irq", max=parse_quantity("5us")), False),
]


@pytest.mark.parametrize(("rule", "given_up"), KINDS, ids=[rule.kind for rule, _ in KINDS])
def test_an_exchange_too_big_to_hold_is_inconclusive_and_says_so(
    monkeypatch: pytest.MonkeyPatch, rule: AnyRule, given_up: bool
) -> None:
    monkeypatch.setattr(lanes, "MAX_HELD", 40)
    line = f"start@10 stop@20 {STORM} start@400 stop@410"
    data = lane(line, end=1000, settle=500)
    engine = Engine(RuleSet(rules=(rule,), settle=parse_quantity("500us")), wiring_of(data), data.rate_hz)
    for batch in batches_of(data, [(at, 0) for at in range(20, 400, 20)]):
        engine.feed(batch)
    (found,) = engine.results()
    said = {f.message for f in Report({}, (found,), rate_hz=data.rate_hz).findings if f.transfer == 0}
    if given_up:
        assert said == {
            "more events in one exchange than are held: it was given up, and what it would have shown is not known"
        }
        assert found.inconclusive >= 1
    else:
        assert (said, found.passed) == (set(), 60)


def test_what_does_not_need_the_exchange_is_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"start@10 stop@20 {STORM} start@400 stop@410"
    rule = ResponseRule(id="r", trigger="start", response="stop")
    before = judge(line, rule)
    monkeypatch.setattr(lanes, "MAX_HELD", 40)
    assert judge(line, rule) == before == [(10, "pass"), (400, "pass")]
    assert len(whole(lane(line)).buses["i2c0"]["transfers"]["start"]) == 2


def test_a_bus_without_the_marker_is_said_to_be_unjudged() -> None:
    source = Path(__file__).parent.parent / "captures" / "synthetic" / "synthetic-clean-two-buses.sr"
    rules = RuleSet(
        buses={f"i2c{i}": BusSpec(name=f"i2c{i}", scl=f"SCL{i}", sda=f"SDA{i}") for i in range(2)},
        markers={"mine": MarkerSpec(name="mine", channel="IRQ0", bus="i2c0")},
        rules=(OccurrenceRule(id="few", event="mine", max=9),),
    )
    report = tracecheck.analyze(source, rules)
    assert "bus i2c1 has no mine.begin: rule few was judged on other buses only" in report.notes
    assert {lane.bus for lane in report.rules[0].lanes} == {"i2c0"}
