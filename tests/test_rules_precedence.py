"""precedence: before every EVENT a CAUSE, recent enough."""

from __future__ import annotations

from typing import Any

from rule_lines import judge, messages, verdicts

from tracecheck.rules.model import PrecedenceRule
from tracecheck.rules.quantity import parse_quantity


def precedence(
    event: str, cause: str, low: str | None = None, within: str | None = None, **keys: Any
) -> PrecedenceRule:
    bounds: dict[str, Any] = {key: parse_quantity(text) for key, text in (("min", low), ("within", within)) if text}
    return PrecedenceRule(id="p", event=event, cause=cause, **bounds, **keys)


IRQ = precedence("irq", "start", within="50us")


def test_the_latest_cause_decides() -> None:
    assert judge("start@10 stop@20 start@100 stop@110 irq@120-121", IRQ) == [(120, "pass")]
    assert judge("start@100 stop@110 irq@160-161", IRQ) == [(160, "fail")]
    assert messages("start@100 stop@110 irq@160-161", IRQ) == ["irq.begin came 60.0 us after the latest start"]


def test_sooner_than_min_is_a_fail() -> None:
    assert verdicts("start@100 stop@110 irq@105-106", precedence("irq", "start", low="10us")) == ["fail"]


def test_one_cause_may_serve_many() -> None:
    assert verdicts("start@100 stop@110 irq@112-113 irq@115-116", IRQ) == ["pass", "pass"]


def test_unless_exclusive() -> None:
    rule = precedence("wake", "ready", exclusive=True)
    line = "irq@100-101 pending@102-105 run@105-108 irq@120-121 run@125-126"
    assert judge(line, rule, end=1000) == [(105, "pass"), (125, "fail")]
    rule = precedence("wake", "ready", within="50us", exclusive=True)
    assert judge(line.replace("irq@120-121 run@125-126", "irq@220-221 run@225-226"), rule) == [
        (105, "pass"),
        (225, "fail"),
    ]


def test_what_an_earlier_event_took_is_gone_wherever_it_came_from() -> None:
    """The latest cause decides. Whatever the first event took may lie before the capture: so it is cut. The second
    one's latest cause is the same, seen or not, and served: no history before the capture could make it pass.
    """
    rule = precedence("wake", "ready", within="50us", exclusive=True)
    line = "irq@10-11 run@12-13 irq@20-21 run@25-26"
    assert judge(line, rule, markers="pending") == [(12, "cut"), (25, "fail")]
    shared = precedence("wake", "ready", within="50us")
    assert judge(line, shared, markers="pending") == [(12, "cut"), (25, "cut")]


def test_the_cause_must_lie_in_the_scope() -> None:
    rule = precedence("irq", "stop", scope="exchange")
    assert judge("start@10 stop@20 start@30 irq@35-36 stop@40", rule) == [(35, "fail")]
    assert messages("start@10 stop@20 start@30 irq@35-36 stop@40", rule) == ["irq.begin without a stop before it"]
    assert verdicts("start@10 stop@20 irq@25-26 start@30 stop@40", rule) == ["pass"]


def test_an_event_outside_every_exchange_has_no_cause() -> None:
    rule = precedence("irq", "stop", scope="exchange")
    text = "irq@60-61 start@100 stop@120 irq@200-201"
    assert judge(text, rule, settle=50) == [(60, "fail"), (200, "fail")]
    said = "irq.begin outside any exchange: no transfer that could have a stop for it"
    assert messages(text, rule, settle=50) == [said, said]


def test_the_exchange_around_it_may_have_begun_before_the_capture() -> None:
    rule = precedence("irq", "stop", scope="exchange")
    assert judge("irq@5-6 start@100 stop@120", rule, settle=50) == [(5, "cut")]


def test_with_a_selector_an_event_outside_every_exchange_is_no_instance() -> None:
    rule = precedence("irq", "stop", scope="exchange", where={"outcome": "acked"})
    assert judge("start@100 stop@120 irq@200-201", rule, settle=50) == []


def test_a_window_that_reaches_before_the_capture_is_cut() -> None:
    assert verdicts("irq@30-31", IRQ) == ["cut"]
    assert verdicts("irq@60-61", IRQ) == ["fail"]
    assert verdicts("irq@60-61", precedence("irq", "start")) == ["cut"]
    in_exchange = precedence("irq", "address", scope="exchange")
    assert verdicts("begins-inside@0 start@10 irq@12-13 stop@20", in_exchange) == ["cut"]
    assert verdicts("start@10 irq@12-13 stop@20", in_exchange) == ["fail"]


def test_coincident_is_inconclusive_unless_both_orders_agree() -> None:
    assert verdicts("start@100 irq@100-101 stop@110", IRQ) == ["inconclusive"]
    assert verdicts("start@90 stop@95 start@100 irq@100-101 stop@110", IRQ) == ["pass"]
    assert messages("start@100 irq@100-101 stop@110", IRQ) == [
        "irq.begin or start coincides with another event: which was first cannot be told"
    ]


def test_ready_never_precedes_its_interrupt() -> None:
    assert verdicts("pending@90-110 irq@100-105", precedence("ready", "irq", within="5us")) == ["pass"]
