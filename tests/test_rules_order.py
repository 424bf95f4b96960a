"""order: the events of every scope match a pattern from the first to the last."""

from __future__ import annotations

from typing import Any

import pytest
from rule_lines import judge, messages, verdicts

from tracecheck.rules.model import OrderRule
from tracecheck.rules.selector import Selector

WRITE = "start address data* stop irq wake"
CLEAN = "start@10 address@12 data@15 stop@20 irq@25-30 run@40-50"


def order(pattern: str = WRITE, **keys: Any) -> OrderRule:
    return OrderRule(id="o", pattern=pattern, **keys)


def test_a_match_from_the_first_to_the_last() -> None:
    assert judge(CLEAN, order(), settle=50) == [(10, "pass")]


@pytest.mark.parametrize(
    ("line", "at", "message"),
    [
        ("start@10 address@12 stop@20 run@22-23 irq@25-30 run@40-50", 10, None),
        (
            "start@10 address@12 irq@14-15 stop@20 run@40-50",
            14,
            "expected stop or data after address, came irq.begin 2.00 us later",
        ),
        (
            "start@10 address@12 stop@20 irq@25-30",
            10,
            "expected wake after irq.begin, which came 15.0 us into the exchange, but nothing more came",
        ),
        (
            "start@10 address@12 stop@20 irq@25-26 irq@30-31 run@40-50",
            30,
            "expected wake after irq.begin, came irq.begin 5.00 us later",
        ),
        ("start@10 address@12 restart@14 address@16 stop@20 irq@25-26 run@40-50", 14, None),
    ],
)
def test_what_does_not_match_says_what_was_expected(line: str, at: int, message: str | None) -> None:
    found = judge(line, order(), settle=50, markers="irq run")
    if message is None and "restart" not in line:
        assert found == [(10, "pass")]  # a run without an interrupt is not in the alphabet
        return
    assert found == [(at, "fail")]
    (said,) = messages(line, order(), settle=50, markers="irq run")
    assert said == (message or "expected stop or data after address, came restart 2.00 us later")


def test_start_restart_and_stop_always_count() -> None:
    line = "start@10 address@12 restart@14 address@16 stop@20"
    assert verdicts(line, order("start address+ stop"), settle=5) == ["fail"]
    assert verdicts(line, order("start address (restart address)? stop"), settle=5) == ["pass"]


def test_a_void_in_between_is_not_seen() -> None:
    assert verdicts(CLEAN.replace("irq@25-30", "void@22-23 irq@25-30"), order(), settle=50) == ["pass"]


def test_orders_of_coincident_events() -> None:
    assert verdicts("start@10 address@12 stop@20 irq@20-22 run@30-31", order(), settle=50) == ["inconclusive"]
    assert messages("start@10 address@12 stop@20 irq@20-22 run@30-31", order(), settle=50) == [
        "events in one sample match in some orders and not in others"
    ]
    either = "start address (stop irq | irq stop) wake"
    assert verdicts("start@10 address@12 stop@20 irq@20-22 run@30-31", order(either), settle=50) == ["pass"]
    assert verdicts("start@10 stop@20 irq@20-22 run@30-31", order(), settle=50) == ["fail"]


def test_ready_at_once_comes_after_its_interrupt() -> None:
    line = "pending@5-30 start@10 stop@20 irq@25-26"
    assert verdicts(line, order("start stop irq ready"), settle=50) == ["pass"]


def test_an_event_in_the_sample_of_the_next_start_may_lie_on_either_side() -> None:
    line = "start@10 stop@20 irq@30-31 start@30 stop@40"
    assert verdicts(line, order("start stop irq?"), settle=50) == ["pass", "inconclusive"]
    assert verdicts(line, order("start stop (irq irq)?"), settle=50) == ["inconclusive", "inconclusive"]


def test_the_other_exchange_need_not_be_chosen() -> None:
    line = "start@10:0x50 stop@20 irq@30-31 start@30:0x3C stop@40"
    rule = order("start stop irq", where=Selector(address=frozenset({0x50})))
    assert judge(line, rule, settle=50) == [(10, "inconclusive")]


def test_a_transfer_scope_ends_with_its_stop() -> None:
    line = "start@10 stop@20 irq@20-21"
    assert verdicts(line, order("start stop irq?", scope="transfer")) == ["inconclusive"]
    assert verdicts(line, order("start irq stop", scope="transfer")) == ["inconclusive"]
    assert verdicts("start@10 stop@20 irq@25-26", order("start stop irq?", scope="transfer")) == ["pass"]


def test_a_cut_scope_fails_only_if_no_continuation_could_match() -> None:
    assert verdicts("start@10 address@12 stop@990", order(), settle=50, markers="irq run") == ["cut"]
    assert verdicts("start@10 address@12 ends-inside@1000", order(), settle=50, markers="irq run") == ["cut"]
    assert verdicts("start@10 address@12 address@14 ends-inside@1000", order(), settle=50, markers="irq run") == [
        "fail"
    ]
    # What is left of one that began before the capture begins with a START that may have been a repeated one.
    tail = "begins-inside@0 start@10 address@12 data@14 stop@20"
    assert verdicts(tail, order("start address data restart address data stop"), settle=5) == ["cut"]
    assert verdicts(tail, order("start address data+ stop"), settle=5) == ["cut"]
    assert verdicts(tail, order("start address stop data?"), settle=5) == ["fail"]
    # Where that START was not even seen, its bytes are no more sure.
    assert verdicts(tail, order("start address stop data?"), settle=5, assumed=True) == ["cut"]
    assert messages(tail, order("start address stop data?"), settle=5) == [
        "the capture cuts the exchange, and what it shows of it fits nowhere in the pattern"
    ]


def test_the_whole_capture() -> None:
    line = "start@10 stop@20 start@30 stop@40"
    assert judge(line, order("(start stop)*", scope="capture")) == [(0, "pass")]
    assert judge(line, order("(start stop){3}", scope="capture")) == [(0, "fail")]
    assert messages(line, order("(start stop){3}", scope="capture")) == [
        "expected start after stop, which came 40.0 us into the capture, but nothing more came"
    ]
    assert judge(line, order("start stop", scope="capture")) == [(30, "fail")]
    assert messages(line, order("start stop", scope="capture")) == [
        "expected nothing more after stop, came start 10.0 us later"
    ]
    assert judge("start@10 irq@20-21 stop@20", order("start stop irq", scope="capture")) == [(0, "inconclusive")]


def test_too_many_coincident_events_are_not_tried() -> None:
    line = "start@10 glitch@10 irq@10-11 run@10-12 pending@10-12 stop@20 start@30 stop@40"
    assert verdicts(line, order("start (irq|run|wake|ready|pending|glitch|stop)*"), settle=5) == [
        "inconclusive",
        "pass",
    ]
