"""response: after every TRIGGER a RESPONSE, one for each, in time."""

from __future__ import annotations

from typing import Any

import pytest
from rule_lines import judge, messages, verdicts

from tracecheck.rules.model import ResponseRule
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector


def response(trigger: str, answer: str, low: str | None = None, within: str | None = None, **keys: Any) -> ResponseRule:
    bounds: dict[str, Any] = {key: parse_quantity(text) for key, text in (("min", low), ("within", within)) if text}
    return ResponseRule(id="r", trigger=trigger, response=answer, **bounds, **keys)


WAKE = response("irq", "wake", within="20us")


def test_the_first_response_decides() -> None:
    assert judge("irq@100-105 run@110-120 run@200-210", WAKE) == [(100, "pass")]
    assert judge("irq@100-105 run@140-150", WAKE) == [(100, "fail")]


def test_earlier_than_min_is_a_fail() -> None:
    rule = response("stop", "irq", low="5us", within="20us")
    assert verdicts("start@10 stop@20 irq@22-23", rule) == ["fail"]
    assert verdicts("start@10 stop@20 irq@30-31", rule) == ["pass"]


def test_a_late_response_says_how_late() -> None:
    assert messages("irq@100-105 run@140-150", WAKE) == ["wake came 40.0 us after irq.begin"]


def test_none_before_the_next_trigger_is_a_fail() -> None:
    assert judge("irq@100-105 irq@110-112 run@115-120", WAKE) == [(100, "fail"), (110, "pass")]
    assert messages("irq@100-105 irq@110-112 run@115-120", WAKE) == [
        "no wake after irq.begin, within the 10.0 us until the next irq.begin"
    ]


def test_shared_responses_serve_every_trigger() -> None:
    rule = response("irq", "run", within="20us", shared=True)
    assert verdicts("irq@100-105 irq@110-112 run@115-120", rule) == ["pass", "pass"]


def test_for_a_bus_trigger_the_next_start_ends_the_turn() -> None:
    rule = response("stop", "irq")
    line = "start@10 stop@20 start@30 stop@40 irq@50-51"
    assert judge(line, rule) == [(20, "fail"), (40, "pass")]
    assert messages(line, rule) == ["no irq.begin after stop, within the 10.0 us until the next stop or the next start"]
    assert verdicts("start@10 stop@20 void@30-31 irq@50-51", response("start", "irq", shared=True)) == ["pass", "pass"]


def test_a_void_ends_no_turn() -> None:
    assert verdicts("start@10 ack@12 void@20-21 irq@50-51", response("ack", "irq"), markers="irq") == ["pass"]


def test_a_response_that_is_start_answers_stop() -> None:
    rule = response("stop", "start", within="15us")
    assert verdicts("start@10 stop@20 start@30 stop@40 start@60 stop@70", rule) == ["pass", "fail", "fail"]


def test_the_scope_ends_the_turn() -> None:
    rule = response("irq", "wake", scope="exchange")
    line = "start@10 stop@20 irq@30-31 start@50 stop@60 run@70-71"
    assert judge(line, rule) == [(30, "fail")]
    assert messages(line, rule) == [
        "no wake after irq.begin, within the 20.0 us until the next irq.begin or the exchange's end"
    ]
    assert judge(line, response("irq", "wake")) == [(30, "pass")]


def test_settle_closes_the_scope() -> None:
    rule = response("irq", "wake", scope="exchange")
    assert verdicts("start@10 stop@20 irq@22-23 run@30-31", rule, settle=10) == ["pass"]
    assert verdicts("start@10 stop@20 irq@22-23 run@31-32", rule, settle=10) == ["fail"]


def test_a_transfer_scope_asks_only_for_triggers_inside() -> None:
    rule = response("irq", "wake", scope="transfer")
    assert judge("start@10 irq@12-13 run@15-16 stop@20 irq@25-26", rule) == [(12, "pass")]


def test_the_stop_itself_lies_in_its_transfer() -> None:
    assert verdicts("start@10 stop@20", response("start", "stop", scope="transfer", within="12us")) == ["pass"]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("irq@100-101 run@100-105", "inconclusive"),  # the run may have come before its interrupt
        ("irq@100-101 run@100-105 irq@150-151 run@155-160", "inconclusive"),
        ("irq@100-101 irq@110-111 run@110-115", "inconclusive"),  # whose is it?
    ],
)
def test_coincident_is_inconclusive(line: str, verdict: str) -> None:
    assert verdicts(line, response("irq", "run", within="20us"))[0] == verdict
    assert messages(line, response("irq", "run", within="20us"))[-1] == (
        "irq.begin or run.begin coincides with another event: which was first cannot be told"
    )


def test_coincident_where_both_orders_agree() -> None:
    rule = response("irq", "run", within="20us", shared=True)
    assert verdicts("irq@100-101 run@100-105 run@110-112", rule) == ["pass"]
    assert verdicts("irq@100-101 irq@110-111 run@110-115", response("irq", "run", within="5us"))[0] == "fail"


def test_a_marker_in_the_sample_of_the_next_start_may_have_come_before_it() -> None:
    assert verdicts("start@10 stop@20 irq@30-31 start@30 stop@40", response("stop", "irq"))[0] == "inconclusive"


def test_a_trigger_in_the_sample_of_its_scopes_start_is_inconclusive() -> None:
    rule = response("irq", "run", scope="exchange")
    assert verdicts("start@10 stop@20 irq@30-31 start@30 stop@40 run@45-46", rule) == ["inconclusive"]


def test_what_the_capture_cuts_can_only_fail() -> None:
    assert verdicts("irq@990-995", WAKE, markers="irq run") == ["cut"]
    assert verdicts("irq@900-905", WAKE, markers="irq run") == ["fail"]
    assert messages("irq@900-905", WAKE, markers="irq run") == [
        "the capture ends before wake came; at least 100 us had passed"
    ]
    assert verdicts("irq@900-905", response("irq", "wake"), markers="irq run") == ["cut"]


def test_pending_already_high_is_ready() -> None:
    rule = response("irq", "ready", within="5us")
    assert verdicts("pending@90-110 irq@100-105", rule) == ["pass"]
    assert verdicts("pending@-110 irq@100-105", rule) == ["pass"]
    assert verdicts("pending@100-110 irq@100-105", rule) == ["pass"]
    assert verdicts("pending@103-110 irq@100-105", rule) == ["pass"]
    assert verdicts("pending@90-99 irq@100-105", rule) == ["fail"]


def test_one_wake_an_interrupt() -> None:
    # The second run of the task is nobody's wake: a timer polled it.
    rule = response("wake", "irq")
    assert judge("irq@100-105 run@110-112 run@120-122", rule) == [(110, "cut")]
    assert judge("irq@100-105 irq@106-107 run@110-112 run@120-122", rule) == [(110, "cut")]


def test_where_chooses_transfers() -> None:
    line = "start@10:0x50 stop@20 start@30:0x3C stop@40 irq@45-46"
    rule = response("stop", "irq", where=Selector(address=frozenset({0x3C})))
    assert judge(line, rule) == [(40, "pass")]


def test_a_markers_where_leaves_other_transfers_out() -> None:
    line = "start@10:0x50 stop@20 start@30:0x3C stop@40 irq@45-46"
    only = {"irq": Selector(address=frozenset({0x3C}))}
    assert judge(line, response("stop", "irq"), marker_where=only) == [(40, "pass")]


def test_nothing_is_judged_until_both_lines_were_high() -> None:
    assert judge("irq@100-105 irq@300-305 run@310-312", WAKE, synced=200) == [(300, "pass")]
    assert judge("irq@100-105", WAKE, synced=-1, markers="run") == []
