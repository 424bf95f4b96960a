"""`--expect`: the rules it makes, and where the caret stands when it does not understand."""

from __future__ import annotations

import pytest

from tracecheck.errors import RuleError
from tracecheck.rules.consistency import checked
from tracecheck.rules.describe import describe
from tracecheck.rules.expect import expect
from tracecheck.rules.model import AbsenceRule, OrderRule, PrecedenceRule, ResponseRule, RuleSet
from tracecheck.rules.quantity import parse_quantity


def test_response() -> None:
    assert expect("irq.begin -> wake < 20us") == ResponseRule(
        id="expect-1",
        source="--expect",
        trigger="irq.begin",
        response="wake",
        within=parse_quantity("20us"),
    )


def test_bounds_in_any_order_and_spelling() -> None:
    full = expect("stop -> irq <= 20us > 1us", 3)
    assert isinstance(full, ResponseRule)
    assert (full.id, full.trigger, full.response) == ("expect-3", "stop", "irq.begin")
    assert full.min == parse_quantity("1us") and full.within == parse_quantity("20us")
    assert expect("stop->irq>=1us within 20us", 3) == full
    assert expect("stop->irq>1us<20us", 3) == full


def test_no_bounds() -> None:
    rule = expect("irq -> wake")
    assert isinstance(rule, ResponseRule) and rule.min is None and rule.within is None


def test_precedence() -> None:
    assert expect("irq.begin <- stop within 5us") == PrecedenceRule(
        id="expect-1",
        source="--expect",
        event="irq.begin",
        cause="stop",
        within=parse_quantity("5us"),
    )


def test_names_with_hyphens() -> None:
    rule = expect("missing-stop->bus-recovery < 10 ms")
    assert isinstance(rule, ResponseRule)
    assert (rule.trigger, rule.response, str(rule.within)) == ("missing-stop", "bus-recovery", "10 ms")


def test_never_means_in_the_whole_capture() -> None:
    assert expect("never nack") == AbsenceRule(id="expect-1", source="--expect", event="nack", scope="capture")


def test_order() -> None:
    expected = OrderRule(id="expect-1", source="--expect", pattern="start address data* stop irq wake")
    assert expect("order: start address data* stop irq wake") == expected
    assert expect(" order : start address data* stop irq wake ") == expected


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("irq -> wake", "after irq.begin, wake follows"),
        ("stop -> irq < 20us > 1us", "after stop, irq.begin not before 1us and within 20us"),
        ("irq <- stop", "before irq.begin, stop"),
        ("irq <- stop > 18scl", "before irq.begin, stop not before 18scl"),
        ("irq -> wake < 20us p99 < 10us", "after irq.begin, wake within 20us, p99 within 10us"),
        ("irq -> wake p99.9 within 10us max<1ms", "after irq.begin, wake follows, p99.9 within 10us, max within 1ms"),
        (
            "every start > 9ms < 11ms jitter < 500us",
            "in the capture, period of start: at least 9ms and at most 11ms, jitter within 500us",
        ),
        ("every irq p90 < 3ms", "in the capture, period of irq.begin: p90 within 3ms"),
        ("every -> wake < 5us", "after every.begin, wake within 5us"),
        ("never stuck-low", "no stuck-low in the capture"),
        ("order: start  data*\tstop", "in each exchange: start data* stop"),
    ],
)
def test_in_a_sentence(line: str, sentence: str) -> None:
    assert describe(expect(line)) == sentence


FORMS = (
    '"irq.begin -> wake < 20us", "irq.begin <- stop within 5us", "every start < 11ms", "never glitch", '
    '"order: start data* stop"'
)
EVENTS = "start, restart, stop, address, data, ack, nack, wake, ready, irq, pending, run"
UNITS = "units: ns, us, ms, s, scl"


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("", 0, f"nothing is expected; forms: {FORMS}"),
        ("irq wake", 4, f'"wake" instead of "->" or "<-"; forms: {FORMS}'),
        ("irq", 3, f'the end instead of "->" or "<-"; forms: {FORMS}'),
        ("irq => wake", 4, f'"=" instead of "->" or "<-"; forms: {FORMS}'),
        ("-> wake", 0, '"->" instead of an event to begin with'),
        ("irq ->", 6, 'the end instead of an event after "->"'),
        ("irq -> 20us", 7, '"20us" instead of an event after "->"'),
        ("irq.up -> wake", 0, 'a marker has "irq.begin" and "irq.end", not "irq.up"'),
        ("irq -> stop.end", 7, '"stop" is an instant and has no ".end"; write "stop"'),
        ("irq -> wake 20us", 12, '"20us" instead of "<", ">" or "within"'),
        (
            "irq -> wake whithin 5us",
            12,
            '"whithin" instead of "<", ">" or "within"; did you mean "within"?',
        ),
        ("irq -> wake <", 13, 'the end instead of a duration after "<", such as 20us'),
        (
            "irq -> wake < 20",
            14,
            f'"20" has no unit; write for example "20us" ({UNITS})',
        ),
        ("irq -> wake <20u", 13, '"20u" has the unknown unit "u"; did you mean "us"?'),
        ("irq -> wake < -5us", 14, "a duration is 0 or more"),
        (
            "irq -> wake < wake",
            14,
            f'"wake" is not a duration; write a number and a unit, for example "20us" ({UNITS})',
        ),
        ("irq -> wake < 5us < 6us", 18, "a second upper bound"),
        ("irq -> wake > 5us >= 6us", 18, "a second lower bound"),
        ("irq -> wake < 5us > 6us", 18, "no duration is both above 6us and below 5us"),
        ("irq <- stop p99 < 5us", 12, 'a cause has no percentiles; ask from the cause on, with "->"'),
        ("irq -> wake p99 > 5us", 16, '">" instead of "<" or "within" after p99'),
        ("irq -> wake p99", 15, 'the end instead of "<" or "within" after p99'),
        ("irq -> wake p100 < 5us", 12, "p100 is the longest of all; write max for it"),
        ("irq -> wake p < 5us", 12, '"p" is no percentile; write for example p50, p99 or p99.9'),
        (
            "irq -> wake p99 < 5us p50 < 7us",
            12,
            (
                "p99: 5us is shorter than p50 = 7us, and a higher percentile is never the shorter one; "
                "give p99 the longer bound"
            ),
        ),
        (
            "irq -> wake < 5us p99 < 7us",
            18,
            (
                "p99: 7us is longer than within = 5us, which holds for every instance, so it says nothing; "
                "give p99 the shorter bound"
            ),
        ),
        ("irq -> wake p99 < 5us p99 < 6us", 22, "a second bound for p99"),
        ("irq -> wake jitter < 5us", 12, '"jitter" instead of "<", ">" or "within"'),
        ("every", 5, "the end instead of an event after every"),
        ("every start", 11, 'the end instead of a bound, such as "< 11ms", "jitter < 500us" or "p99 < 10ms"'),
        ("every start jitter < 3scl", 21, 'a jitter counts no SCL periods; write a time such as "500us"'),
        (
            "every start > 9ms < 11ms jitter < 3ms",
            25,
            (
                "jitter: 3ms is no less than what min = 9ms and max = 11ms leave, so it says nothing; "
                "give jitter the shorter bound, or leave it out"
            ),
        ),
        ("every irq <5us max < 3us", 15, '"max" instead of "<", ">" or "within"'),
        ("never", 5, "the end instead of an event after never"),
        ("never nack 5us", 11, '"5us" is too much; the line was complete before it'),
        ("order: start (data stop", 13, 'this "(" is never closed'),
        ("order:", 6, "the pattern is empty"),
        (
            "order: stop irq wake",
            7,
            "it can never match: every exchange begins with start, the pattern does not",
        ),
    ],
)
def test_what_is_not_understood(line: str, column: int, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        expect(line)
    assert str(caught.value) == f"--expect: {reason}\n  {line}\n  {' ' * column}^"


def test_one_line_only() -> None:
    with pytest.raises(RuleError) as caught:
        expect("irq -> wake\nstop -> irq")
    assert str(caught.value) == "--expect: one line only; put longer rules into a rule file"


def test_its_markers_are_checked_with_the_set_it_joins() -> None:
    assert checked(RuleSet().with_rules([expect("irq -> wake")])).rules[0].id == "expect-1"
    with pytest.raises(RuleError) as caught:
        checked(RuleSet().with_rules([expect("irq -> wke"), expect("order: start led stop", 2)]))
    assert caught.value.mistakes == (
        '--expect: rule "expect-1", response: unknown event or marker "wke"; did you mean "wake"?',
        f'--expect: rule "expect-2", pattern: unknown event or marker "led" (known: {EVENTS})',
    )
