"""recurrence: from each EVENT to the next, and how steady that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from reference_rules import Event
from rule_lines import judge, lane, messages, result, said_together, verdicts

from tracecheck.rules.model import RecurrenceRule
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector


def every(event: str, low: str | None = None, high: str | None = None, **keys: Any) -> RecurrenceRule:
    bounds: dict[str, Any] = {key: parse_quantity(text) for key, text in (("min", low), ("max", high)) if text}
    if "jitter" in keys:
        bounds["jitter"] = parse_quantity(keys.pop("jitter"))
    return RecurrenceRule(id="t", event=event, **bounds, **keys)


def steadiness(line: str, rule: RecurrenceRule, **settings: Any) -> list[tuple[str, int, int, int]]:
    """(verdict, periods, least, most) of the jitter, after checking that the slow twin agrees."""
    data = lane(line, **settings)
    judge(data, rule)
    return [(t.verdict, t.count, t.low, t.high) for t in said_together(result(data, rule)) if t.name == "jitter"]


TICK = every("irq", "90us", "110us")


def test_every_pair_is_an_instance_at_its_earlier_event() -> None:
    line = "irq@100-105 irq@200-205 irq@320-325 irq@400-405"
    assert judge(line, TICK, end=450) == [(100, "pass"), (200, "fail"), (320, "fail"), (400, "cut")]
    assert messages(line, TICK, end=450) == [
        "the next irq.begin came 120 us later",
        "the next irq.begin came 80.0 us later",
    ]


@pytest.mark.parametrize(
    ("samples", "verdict"), [(108, "pass"), (109, "pass"), (110, "inconclusive"), (111, "fail"), (112, "fail")]
)
def test_a_period_is_known_to_one_sample(samples: int, verdict: str) -> None:
    assert verdicts(f"irq@100-105 irq@{100 + samples}-300", TICK, end=310)[0] == verdict


def test_the_gap_to_the_captures_end_can_only_fail_max() -> None:
    assert verdicts("irq@100-105", TICK, end=150) == ["cut"]
    assert verdicts("irq@100-105", TICK, end=210) == ["cut"]  # 110 samples are not surely too long
    assert verdicts("irq@100-105", TICK, end=250) == ["fail"]
    assert verdicts("irq@100-105", every("irq", "90us"), end=250) == ["cut"]
    assert messages("irq@100-105", TICK, end=250) == [
        "the capture ends before the next irq.begin came; at least 150 us had passed"
    ]


def test_what_came_before_the_first_event_is_no_period() -> None:
    assert verdicts("irq@900-905 irq@1000-1005", TICK, end=1010) == ["pass", "cut"]
    assert judge("start@10 stop@20", TICK, markers="irq") == []


def test_in_each_scope() -> None:
    line = "start@10 data@20 data@30 stop@40 start@100 data@110 data@135 stop@140"
    rule = every("data", high="12us", scope="transfer")
    assert judge(line, rule) == [(20, "pass"), (110, "fail")]
    assert judge(line, every("data", high="12us")) == [(20, "pass"), (30, "fail"), (110, "fail"), (135, "fail")]


def test_the_gap_to_the_scopes_end_fails_or_is_no_instance() -> None:
    rule = every("data", high="12us", scope="transfer")
    assert judge("start@10 data@20 stop@30", rule) == []
    assert judge("start@10 data@20 stop@50", rule) == [(20, "fail")]
    assert messages("start@10 data@20 stop@50", rule) == ["no other data in the 30.0 us until the transfer's end"]
    assert judge("start@10 data@20 ends-inside@25", rule, end=25) == [(20, "cut")]
    assert judge("start@10 data@20 ends-inside@90", rule, end=90) == [(20, "fail")]


def test_settle_ends_the_gap_of_an_exchange() -> None:
    rule = every("irq", high="30us", scope="exchange")
    assert judge("start@10 stop@20 irq@25-26", rule, settle=20) == []
    assert judge("start@10 stop@20 irq@25-26", rule, settle=50) == [(25, "fail")]
    assert judge("start@10 stop@20 irq@25-26 start@40 stop@50", rule, settle=50) == []


def test_an_event_in_the_sample_of_a_boundary_may_lie_on_either_side() -> None:
    rule = every("irq", high="12us", scope="exchange")
    line = "start@10 stop@20 irq@22-23 irq@{at}-{end} start@30 stop@40 irq@45-46"
    inside = judge(line.format(at=28, end=29), rule, settle=50, end=50)
    assert inside == [(22, "pass"), (45, "cut")]
    doubtful = judge(line.format(at=30, end=31), rule, settle=50, end=50)
    assert doubtful == [(22, "inconclusive"), (30, "inconclusive"), (45, "cut")]
    assert (
        messages(line.format(at=30, end=31), rule, settle=50, end=50)
        == ["irq.begin coincides with the exchange's boundary: which side cannot be told"] * 2
    )
    # On either side it takes too long: the next interrupt, or the exchange's end.
    assert judge(line.format(at=30, end=31), every("irq", high="3us", scope="exchange"), settle=50, end=49)[0] == (
        22,
        "fail",
    )


def test_where_takes_the_events_of_the_selected_transfers() -> None:
    line = "start@100:0x48 stop@110 start@150:0x3C stop@160 start@200:0x48 stop@210 start@400:0x48 stop@410"
    rule = every("start", "90us", "110us", where=Selector(address=frozenset({0x48})))
    assert judge(line, rule, end=430) == [(100, "pass"), (200, "fail"), (400, "cut")]


def test_nothing_is_judged_until_both_lines_were_high() -> None:
    assert judge("irq@100-105 irq@200-205 irq@300-305", TICK, end=310, synced=150) == [(200, "pass"), (300, "cut")]


def test_anomalies_recur_too() -> None:
    data = replace(lane("start@10 stop@90", end=95), anomalies=tuple(Event(at, "glitch", 0) for at in (20, 30, 60)))
    assert judge(data, every("glitch", "15us", scope="transfer")) == [(20, "fail"), (30, "pass")]


def test_bounds_in_scl_periods_are_those_of_the_earlier_event() -> None:
    line = "start@10:p4 data@20 data@60 stop@70 start@100:p2 data@110 data@150 stop@160"
    assert judge(line, every("data", high="12scl", scope="transfer")) == [(20, "inconclusive"), (110, "fail")]


def test_without_a_rate_periods_are_inconclusive() -> None:
    rule = every("irq", "90us", "110us", jitter="5us")
    assert judge("irq@100-105 irq@200-205 irq@300-305", rule, rate_hz=None) == [
        (100, "inconclusive"),
        (200, "inconclusive"),
        (300, "cut"),
    ]
    assert steadiness("irq@100-105 irq@200-205 irq@300-305", rule, rate_hz=None) == [("inconclusive", 2, 0, 0)]


# Jitter ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "verdict"), [("8us", "fail"), ("9us", "inconclusive"), ("11us", "inconclusive"), ("12us", "pass")]
)
def test_jitter_is_the_longest_period_less_the_shortest_each_known_to_a_sample(bound: str, verdict: str) -> None:
    # Periods of 100, 110 and 105 samples differ by 8 to 12.
    line = "irq@100-105 irq@200-205 irq@310-315 irq@415-420"
    assert steadiness(line, every("irq", jitter=bound), end=430) == [(verdict, 3, 10, 10)]


def test_with_jitter_alone_a_period_is_measured_and_passes_nothing() -> None:
    line = "irq@100-105 irq@200-205 irq@310-315"
    rule = every("irq", jitter="20us")
    assert verdicts(line, rule, end=320) == ["measured", "measured", "cut"]
    found = result(lane(line, end=320), rule)
    assert (found.judged, found.passed, found.cut, found.verdict) == (1, 1, 1, "pass")
    assert found.stats is not None and (found.stats.count, found.stats.max) == (2, 110_000)


def test_one_period_has_no_jitter() -> None:
    rule = every("irq", jitter="20us")
    assert steadiness("irq@100-105 irq@200-205", rule, end=210) == [("inconclusive", 1, 0, 0)]
    assert messages("irq@100-105 irq@200-205", rule, end=210) == ["jitter of 1 period is 0.00 ns; it needs 2 to pass"]
    assert steadiness("irq@100-105", rule, end=210) == []


def test_the_gap_to_the_end_is_no_period() -> None:
    assert steadiness("irq@100-105 irq@200-205 irq@300-305", every("irq", jitter="5us"), end=900) == [("pass", 2, 0, 0)]


def test_jitter_is_taken_over_all_scopes() -> None:
    line = "start@10 data@20 data@30 stop@40 start@100 data@110 data@135 stop@140"
    assert steadiness(line, every("data", jitter="10us", scope="transfer")) == [("fail", 2, 15, 15)]
    assert messages(line, every("data", jitter="10us", scope="transfer")) == ["jitter of 2 periods is 15.0 us"]


def test_jitter_with_a_period_that_may_be_none() -> None:
    line = "start@10 stop@20 irq@22-23 irq@24-25 irq@30-31 start@30 stop@40"
    rule = every("irq", jitter="20us", scope="exchange")
    assert steadiness(line, rule, settle=50, end=200) == [("inconclusive", 1, 0, 4)]
    assert messages(line, rule, settle=50, end=200)[0] == (
        "jitter of 1 period lies between 0.00 ns and 4.00 us; it needs 2 to pass"
    )
