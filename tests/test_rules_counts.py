"""absence, occurrence and integrity: what must not come, or so many times, in every scope."""

from __future__ import annotations

from dataclasses import replace

from reference_rules import Event
from rule_lines import judge, lane, messages, verdicts

from tracecheck.rules.model import AbsenceRule, IntegrityRule, OccurrenceRule, Scope
from tracecheck.rules.selector import Selector

NO_NACK = AbsenceRule(id="a", event="nack")


def once(event: str = "irq", low: int = 1, high: int | None = 1, scope: Scope = "exchange") -> OccurrenceRule:
    return OccurrenceRule(id="o", event=event, min=low, max=high, scope=scope)


# absence --------------------------------------------------------------------------------------------------------------


def test_absence_passes_for_every_clean_scope_and_fails_for_every_event() -> None:
    line = "start@10 ack@15 stop@20 start@30 nack@35 nack@38 stop@40"
    assert judge(line, NO_NACK) == [(10, "pass"), (35, "fail"), (38, "fail")]
    assert messages(line, NO_NACK) == ["nack came", "nack came"]


def test_absence_over_the_capture_is_one_instance() -> None:
    rule = AbsenceRule(id="a", event="nack", scope="capture")
    assert judge("start@10 stop@20 start@30 stop@40", rule) == [(0, "pass")]
    assert judge("start@10 nack@15 stop@20 start@30 stop@40", rule) == [(15, "fail")]


def test_absence_in_the_boundary_is_inconclusive() -> None:
    rule = AbsenceRule(id="a", event="irq", scope="transfer")
    assert judge("start@10 stop@20 irq@20-21", rule) == [(10, "inconclusive")]
    assert messages("start@10 stop@20 irq@20-21", rule) == [
        "irq.begin coincides with the transfer's boundary: which side cannot be told"
    ]
    assert judge("start@10 stop@20 irq@21-22", rule) == [(10, "pass")]
    rule = AbsenceRule(id="a", event="irq", scope="exchange")
    line = "start@10 stop@20 irq@30-31 start@30 stop@40"
    assert judge(line, rule, settle=50) == [(10, "inconclusive"), (30, "inconclusive")]


def test_absence_cut_can_only_fail() -> None:
    assert verdicts("start@10 ends-inside@1000", NO_NACK) == ["cut"]
    assert verdicts("start@10 nack@15 ends-inside@1000", NO_NACK) == ["fail"]


def test_a_void_opens_no_exchange_and_is_seen_in_the_one_it_lies_in() -> None:
    line = "start@10 stop@20 void@30-31 start@50 stop@60"
    # START and STOP of a void are its own, so that a spike does not change what the transfer before it looks like.
    assert judge(line, once("stop"), settle=20) == [(10, "pass"), (50, "pass")]
    assert judge(line, AbsenceRule(id="a", event="stop", scope="transfer")) == [
        (20, "fail"),
        (31, "fail"),
        (60, "fail"),
    ]


def test_the_anomaly_of_a_void_lies_in_the_exchange_around_it() -> None:
    data = lane("start@10 stop@20 void@30-31 start@50 stop@60", settle=20)
    data = replace(data, anomalies=(Event(31, "void", 1),))
    assert judge(data, AbsenceRule(id="a", event="void")) == [(31, "fail"), (50, "pass")]


# occurrence -----------------------------------------------------------------------------------------------------------


def test_occurrence_counts_in_every_scope() -> None:
    line = "start@10 stop@20 irq@25-26 start@100 stop@110 start@200 stop@210 irq@211-212 irq@215-216"
    assert judge(line, once(), settle=50) == [(10, "pass"), (100, "fail"), (200, "fail")]
    assert messages(line, once(), settle=50) == ["0 x irq.begin, expected 1", "2 x irq.begin, expected 1"]


def test_occurrence_outside_every_exchange_does_not_count() -> None:
    assert verdicts("start@10 stop@20 irq@25-26 irq@90-91", once(), settle=50) == ["pass"]


def test_occurrence_judges_the_interval_by_inclusion() -> None:
    line = "start@10 stop@20 irq@30-31 start@30 stop@40"
    assert verdicts(line, once(), settle=50) == ["inconclusive", "inconclusive"]
    assert verdicts(line, once(low=0, high=1), settle=50) == ["pass", "pass"]
    assert verdicts(line, once(low=2, high=3), settle=50) == ["fail", "fail"]
    assert messages(line, once(), settle=50)[0] == "0 to 1 x irq.begin (coincident with the boundary), expected 1"


def test_occurrence_is_open_above_when_cut() -> None:
    assert verdicts("start@10 stop@990", once(), markers="irq", settle=50) == ["cut"]
    assert verdicts("start@10 irq@12-13 irq@15-16 stop@990", once(), settle=50) == ["fail"]
    assert verdicts("begins-inside@0 start@10 stop@20", once(), markers="irq", settle=50) == ["cut"]


def test_occurrence_over_the_capture() -> None:
    rule = once("start", low=2, high=None, scope="capture")
    assert judge("start@10 stop@20 start@30 stop@40", rule) == [(0, "pass")]
    assert messages("start@10 stop@20", rule) == ["1 x start, expected 2 or more"]


def test_occurrence_where() -> None:
    rule = OccurrenceRule(id="o", event="irq", min=1, where=Selector(length=((1, 2),)))
    assert judge("start@10:n1 stop@20 irq@25-26 start@40:n5 stop@60", rule, settle=50) == [(10, "pass")]


# integrity ------------------------------------------------------------------------------------------------------------

FRAMING = IntegrityRule(id="i", kinds=frozenset({"partial-byte", "missing-stop", "stray-stop"}))


def test_integrity_has_one_instance_for_each_anomaly_and_each_clean_transfer() -> None:
    line = "start@10 partial-byte@15 stop@20 start@30 stop@40 stray-stop@50"
    assert judge(line, FRAMING) == [(15, "fail"), (30, "pass"), (50, "fail")]


def test_integrity_of_other_kinds_passes() -> None:
    assert judge("start@10 glitch@15 stop@20", FRAMING) == [(10, "pass")]


def test_integrity_of_a_cut_transfer() -> None:
    assert judge("start@10 ends-inside@1000", FRAMING) == [(10, "cut")]


def test_integrity_with_a_selector_leaves_out_what_lies_in_no_transfer() -> None:
    rule = FRAMING.model_copy(update={"where": Selector(address=frozenset({0x3C}))})
    assert judge("start@10:0x3C stop@20 stray-stop@25 start@30:0x50 partial-byte@35 stop@40", rule) == [(10, "pass")]
