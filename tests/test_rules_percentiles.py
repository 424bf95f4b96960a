"""Percentile bounds: nearest rank of what is surely shorter and of what is surely longer, and how many it takes."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError
from rule_lines import judge, lane, messages, result, said_together, verdicts

from tracecheck.report import json as as_json
from tracecheck.report import text
from tracecheck.report.style import Style
from tracecheck.rules.model import DurationRule, RecurrenceRule, ResponseRule
from tracecheck.rules.percentile import Percentile, parse_percentiles, share_of
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.verdict import Report


def wakes(*delays: int | None, apart: int = 1000, **keys: Any) -> str:
    """An interrupt every so often, each with a wake so many samples later; None: without one."""
    words = []
    for number, delay in enumerate(delays, 1):
        at = number * apart
        words.append(f"irq@{at}-{at + 1}")
        if delay is not None:
            words.append(f"run@{at + delay}-{at + delay + 1}")
    return " ".join(words)


def woken(within: str | None = None, low: str | None = None, **percentiles: str) -> ResponseRule:
    bounds: dict[str, Any] = {key: parse_quantity(text) for key, text in (("min", low), ("within", within)) if text}
    named = {name.replace("_", "."): bound for name, bound in percentiles.items()}
    return ResponseRule(id="w", trigger="irq", response="run", percentiles=named, **bounds)


def together(line: str, rule: Any, **settings: Any) -> list[tuple[str, str]]:
    """(name, verdict) of each percentile, after checking that the slow twin agrees."""
    data = lane(line, **{"end": 1_000_000, "markers": "irq run", **settings})
    judge(data, rule)
    return [(t.name, t.verdict) for t in said_together(result(data, rule))]


# Which one it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "rank"),
    [
        ("p50", 1, 1),
        ("p50", 2, 1),
        ("p50", 3, 2),
        ("p99", 99, 99),
        ("p99", 100, 99),
        ("p99", 101, 100),
        ("p99.9", 1000, 999),
        ("p0.1", 1000, 1),
        ("p33.3", 1000, 333),
        ("max", 7, 7),
    ],
)
def test_nearest_rank(name: str, count: int, rank: int) -> None:
    assert Percentile(name, share_of(name), parse_quantity("1us")).rank(count) == rank


@pytest.mark.parametrize(
    ("name", "needed"),
    [("p50", 2), ("p66", 3), ("p75", 4), ("p90", 10), ("p99", 100), ("p99.9", 1000), ("p0.1", 2), ("max", 1)],
)
def test_how_many_it_takes(name: str, needed: int) -> None:
    assert Percentile(name, share_of(name), parse_quantity("1us")).needed == needed


def test_percentiles_stand_in_ascending_order() -> None:
    found = parse_percentiles({"max": "9us", "p99.9": "5us", "p5": "1us"})
    assert [(p.name, p.share) for p in found] == [
        ("p5", Fraction(1, 20)),
        ("p99.9", Fraction(999, 1000)),
        ("max", Fraction(1)),
    ]
    with pytest.raises(ValidationError, match="p50 within"):
        ResponseRule(id="w", trigger="irq", response="run", percentiles="p50 within 5us")


# Verdicts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "verdict"), [("19us", "fail"), ("20us", "inconclusive"), ("21us", "pass"), ("22us", "pass")]
)
def test_the_uncertainty_of_one_sample_is_judged(bound: str, verdict: str) -> None:
    assert together(wakes(10, 20, 30), woken(p50=bound)) == [("p50", verdict)]


def test_a_percentile_lets_the_longest_go() -> None:
    assert together(wakes(10, 10, 10, 500), woken(p75="20us", p50="20us")) == [("p50", "pass"), ("p75", "pass")]
    assert together(wakes(10, 10, 500, 500), woken(p75="20us", p50="20us")) == [("p50", "pass"), ("p75", "fail")]


def test_too_few_turn_a_pass_into_inconclusive_and_leave_a_fail() -> None:
    rule = woken(p90="20us")
    assert together(wakes(*[10] * 9), rule) == [("p90", "inconclusive")]
    assert together(wakes(*[10] * 10), rule) == [("p90", "pass")]
    assert together(wakes(*[10] * 8, 90), rule) == [("p90", "fail")]
    assert messages(wakes(*[10] * 9), rule, end=20_000) == ["p90 of 9 instances is 10.0 us; it needs 10 to pass"]
    assert messages(wakes(*[10] * 8, 90), rule, end=20_000) == ["p90 of 9 instances is 90.0 us"]


def test_a_missing_response_is_infinitely_late() -> None:
    assert together(wakes(10, 10, 10, None, 10), woken(p75="20us")) == [("p75", "pass")]
    rule = woken(p75="20us", p50="20us")
    assert together(wakes(10, None, 10, None, 10), rule) == [("p50", "pass"), ("p75", "fail")]
    assert messages(wakes(10, None, 10, None, 10), rule, end=20_000)[0] == (
        "p75 of 5 instances is longer than any time: 2 without a response"
    )


def test_it_is_so_without_a_rate_too() -> None:
    line = wakes(None, None, None, 10)
    assert together(line, woken(p50="20us"), rate_hz=None) == [("p50", "fail")]
    assert together(wakes(10, 10, 10), woken(p50="20us"), rate_hz=None) == [("p50", "inconclusive")]
    assert messages(wakes(10, 10, 10), woken(p50="20us"), rate_hz=None, end=5000) == [
        "p50 of 3 instances is 10 samples"
    ]


def test_one_that_the_capture_cuts_lasts_at_least_as_long_as_was_seen() -> None:
    rule = woken(p50="20us", p75="20us")
    assert together(wakes(10, 10, 10, None), rule, end=4010) == [("p50", "pass"), ("p75", "pass")]
    # The third lies between 5 samples and forever.
    assert together(wakes(10, 10, None), rule, end=3005) == [("p50", "pass"), ("p75", "inconclusive")]
    assert messages(wakes(10, 10, None), rule, end=3005) == [
        "p75 of 3 instances is at least 10.0 us: 1 cut or undecided; it needs 4 to pass"
    ]
    assert together(wakes(10, 10, None), rule, end=3500) == [("p50", "pass"), ("p75", "fail")]


def test_coincident_events_leave_it_between_two_values() -> None:
    # The first run may have come before its interrupt; then the one 30 samples later is the response.
    line = "irq@1000-1001 run@1000-1001 run@1030-1031 irq@2000-2001 run@2020-2021 irq@3000-3001 run@3040-3041"
    shared = woken(p50="50us").model_copy(update={"shared": True})
    assert together(line, shared) == [("p50", "pass")]
    tight = woken(p50="25us").model_copy(update={"shared": True})
    assert together(line, tight) == [("p50", "inconclusive")]
    assert messages(line, tight, end=5000)[0] == "p50 of 3 instances lies between 20.0 us and 30.0 us"


def test_an_instance_that_may_be_none_does_not_count_to_those_it_takes() -> None:
    line = "start@10 stop@20 irq@30-31 start@30 stop@40 run@45-46 start@100 stop@110 irq@120-121 run@125-126"
    rule = ResponseRule(id="w", trigger="irq", response="run", scope="exchange", percentiles={"p50": "90us"})
    assert together(line, rule, end=500, settle=50) == [("p50", "inconclusive")]
    more = line + " irq@130-131 run@135-136"
    assert together(more, rule, end=500, settle=50) == [("p50", "pass")]


def test_the_longest_of_all_needs_one() -> None:
    assert together(wakes(10), woken(max="20us")) == [("max", "pass")]
    assert together(wakes(10, 30), woken(max="20us")) == [("max", "fail")]
    assert together(wakes(10, None), woken(max="20us")) == [("max", "fail")]


def test_of_nothing_there_is_none() -> None:
    assert together("start@10 stop@20", woken(p50="20us")) == []
    found = result(lane("start@10 stop@20", markers="irq run"), woken(p50="20us"))
    assert (found.verdict, found.judged, found.stats) == ("inconclusive", 0, None)


def test_bounds_in_scl_periods_are_each_instances_own() -> None:
    line = "start@10:p10 irq@20-21 run@40-41 stop@60 start@100:p20 irq@120-121 run@160-161 stop@200"
    line += " start@300:p10 irq@320-321 run@400-401 stop@410"
    rule = woken(p50="3scl")
    assert together(line, rule) == [("p50", "pass")]
    assert messages(line, woken(p50="1.5scl"), end=1000)[0] == "p50 of 3 instances is 2.0 scl"
    # Without a transfer around them their SCL period is not known, and so they may be of any length in it.
    assert together(wakes(10, 10), rule) == [("p50", "inconclusive")]
    assert messages(wakes(10, 10), rule, end=5000) == [
        "p50 of 2 instances is at least 0.0 scl: the SCL period is not known"
    ]


# On durations and periods ---------------------------------------------------------------------------------------------


def test_on_durations() -> None:
    line = "irq@100-110 irq@200-220 irq@300-400 irq@500-"
    rule = DurationRule(id="d", of="irq", percentiles={"p50": "30us", "p75": "60us"})
    # The last one lasts from 20 samples, or 100, to forever.
    assert together(line, rule, end=520) == [("p50", "pass"), ("p75", "inconclusive")]
    assert together(line, rule, end=600) == [("p50", "pass"), ("p75", "fail")]
    assert together("irq@100-110 irq@200-220 irq@300-320 irq@500-", rule, end=520) == [("p50", "pass"), ("p75", "pass")]
    assert together("irq@100-110 irq@200-220 irq@300-320 irq@500-", rule, end=600) == [("p50", "pass"), ("p75", "pass")]
    # It may be the second shortest, or the longest: p50 is 20 samples or 90.
    late = "irq@100-110 irq@200-290 irq@300-390 irq@500-"
    assert together(late, rule, end=520) == [("p50", "inconclusive"), ("p75", "fail")]
    assert together(late, rule, end=600) == [("p50", "fail"), ("p75", "fail")]


def test_transfers_that_nobody_stretched_are_no_stretches() -> None:
    rule = DurationRule(id="d", of="stretch", percentiles={"p50": "30us"})
    assert together("start@10 stop@100", rule) == []
    assert verdicts("start@10 stop@100", rule) == []


def test_on_periods_the_gap_to_the_end_is_cut() -> None:
    rule = RecurrenceRule(id="t", event="irq", percentiles={"p50": "110us", "p75": "110us"})
    line = "irq@100-101 irq@200-201 irq@300-301 irq@400-401"
    assert together(line, rule, end=450) == [("p50", "pass"), ("p75", "pass")]
    assert together(line, rule, end=900) == [("p50", "pass"), ("p75", "pass")]
    assert together("irq@100-101 irq@200-201 irq@300-301", rule, end=350) == [("p50", "pass"), ("p75", "inconclusive")]


def test_the_gap_to_a_scopes_own_end_is_no_period() -> None:
    rule = RecurrenceRule(id="t", event="data", scope="transfer", percentiles={"max": "15us"})
    assert together("start@10 data@20 data@30 stop@90", rule) == [("max", "pass")]
    assert together("start@10 data@20 stop@90", rule) == []


# A rule with percentiles ----------------------------------------------------------------------------------------------


def test_each_percentile_is_one_instance_of_the_rule() -> None:
    found = result(lane(wakes(10, 10, 30), end=20_000), woken("50us", p50="20us", p99="40us"))
    assert (found.judged, found.passed, found.failed, found.inconclusive, found.verdict) == (4, 4, 0, 1, "pass")
    found = result(lane(wakes(10, 30, 30), end=20_000), woken("50us", p50="20us"))
    assert (found.judged, found.passed, found.failed, found.verdict) == (4, 3, 1, "fail")


def test_with_percentiles_alone_an_instance_is_measured_and_passes_nothing() -> None:
    rule = woken(p90="20us")
    found = result(lane(wakes(10, 10, 12), end=20_000), rule)
    assert verdicts(wakes(10, 10, 12), rule, end=20_000) == ["measured"] * 3
    assert (found.judged, found.inconclusive, found.verdict) == (0, 1, "inconclusive")
    assert Report({}, (found,), rate_hz=1_000_000).exit_code() == 2
    assert found.stats is not None and (found.stats.count, found.stats.max, found.stats.headroom) == (3, 12_000, None)


def test_a_response_that_never_came_fails_all_the_same() -> None:
    rule = woken(p50="20us")
    assert verdicts(wakes(10, None, 10, 10), rule, end=20_000) == ["measured", "fail", "measured", "measured"]
    assert together(wakes(10, None, 10, 10), rule) == [("p50", "pass")]


def test_buses_are_judged_apart() -> None:
    """The statistics of a result name the lane they are of."""
    found = result(lane(wakes(10, 10), end=5000), woken(p50="20us"))
    assert [(bus, statistic.name) for bus, statistic in found.statistics] == [("i2c0", "p50")]


# The report -----------------------------------------------------------------------------------------------------------


def report(line: str, rule: Any, **settings: Any) -> Report:
    data = lane(line, **{"end": 20_000, "synced": 40, **settings})
    facts = {"path": "x.sr", "rate_hz": data.rate_hz, "buses": [], "markers": []}
    return Report(facts, (result(data, rule),), rate_hz=data.rate_hz)


def test_a_finding_of_all_instances_names_no_transfer() -> None:
    rule = woken(p50="20us").model_copy(update={"why": "It is slow."})
    (finding,) = report(wakes(30, 30, 30), rule).findings
    assert (finding.bus, finding.transfer, finding.sample, finding.t_ns) == ("i2c0", None, 40, 40_000)
    assert (finding.value_ns, finding.lower_ns, finding.upper_ns, finding.uncertainty_ns) == (
        30_000,
        None,
        20_000,
        1000,
    )
    assert (finding.verdict, finding.message, finding.why) == ("fail", "p50 of 3 instances is 30.0 us", "It is slow.")


def test_the_uncertainty_of_a_jitter_is_two_samples() -> None:
    rule = RecurrenceRule(id="t", event="irq", jitter=parse_quantity("5us"))
    (finding,) = report("irq@100-101 irq@200-201 irq@320-321", rule).findings
    assert (finding.value_ns, finding.uncertainty_ns, finding.message) == (
        20_000,
        2000,
        "jitter of 2 periods is 20.0 us",
    )


def test_json() -> None:
    rule = woken("50us", p50="20us", p99="40us")
    found = as_json.verdict(report(wakes(10, 30, 30, None), rule))
    (said,) = json.loads(as_json.render([found]))["rules"]
    assert list(said["stats"])[-2:] == ["closest", "bounds"]
    common = {"bus": "i2c0", "count": 4, "missing": 0, "open": 1, "unit": "ns"}
    common |= {"missing": 0, "open": 1}
    low, high = said["stats"]["bounds"]
    assert low == common | {
        "name": "p50",
        "verdict": "fail",
        "needed": 2,
        "low_ns": 30_000,
        "high_ns": 30_000,
        "bound_ns": 20_000,
    }
    assert high == common | {
        "name": "p99",
        "verdict": "fail",
        "needed": 100,
        "low_ns": 16_000_000,
        "high_ns": None,
        "bound_ns": 40_000,
    }


def test_json_where_nothing_was_measured_or_no_rate_is_known() -> None:
    line = wakes(None, None, 10)
    (said,) = as_json.verdict(report(line, woken(p50="20us"), rate_hz=None))["rules"]
    (bound,) = said["stats"]["bounds"]
    assert (bound["unit"], bound["low"], bound["high"], bound["bound"]) == ("samples", None, None, None)
    (said,) = as_json.verdict(report(wakes(None, None), woken(p50="20us"), end=2010, markers="irq run"))["rules"]
    assert {key: said["stats"][key] for key in ("unit", "count")} == {"unit": "ns", "count": 0}
    (bound,) = said["stats"]["bounds"]
    assert (bound["missing"], bound["open"], bound["low_ns"], bound["high_ns"]) == (1, 1, 10_000, None)


def test_json_without_percentiles_is_as_it_was() -> None:
    (said,) = as_json.verdict(report(wakes(10), woken("20us")))["rules"]
    assert list(said["stats"]) == ["unit", "count", "min_ns", "p50_ns", "p99_ns", "max_ns", "headroom_ns", "closest"]


def test_the_text_has_a_row_for_each() -> None:
    shown = text.render(report(wakes(10, 30, 30, 30), woken("50us", p50="20us", p75="40us", p99="45us")), Style())
    assert shown.split("\n\n")[3].splitlines() == [
        "      of all    value  at most  headroom  of  needs",
        "FAIL  w p50   30.0 us     20us  -10.0 us   4",
        "pass  w p75   30.0 us     40us   10.0 us   4",
        "?     w p99   30.0 us     45us   15.0 us   4    100",
    ]
    assert "\n? w" in shown and "p99 of 4 instances is 30.0 us; it needs 100 to pass" in shown


def test_the_text_says_what_is_not_known() -> None:
    shown = text.render(report(wakes(10, None, None), woken(p50="20us", p75="30us")), Style(unicode=False))
    assert shown.isascii()
    assert shown.split("\n\n")[3].splitlines() == [
        "      of all       value  at most  headroom  of  needs",
        "FAIL  w p50   >= 17.0 ms     20us             3",
        "FAIL  w p75          inf     30us             3      4",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_the_rows_fit_the_width(width: int) -> None:
    rule = woken("50us", p50="20us", p75="40us", p99_99="45us").model_copy(
        update={"id": "a-rule-of-quite-a-long-name-p"}
    )
    lines = text.render(report(wakes(10, 30, 30, 30), rule), Style(width)).splitlines()
    assert max(map(len, lines[1:-1])) <= width
