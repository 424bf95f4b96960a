"""A failed rule explains itself: what an order expected and what came, and by how much a bound was missed."""

from __future__ import annotations

import json
import os
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_lines import lane, result

from tracecheck.report import json as as_json
from tracecheck.report.findings import percent_text
from tracecheck.rules.checks.base import Expectation
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import AnyRule, DurationRule, OrderRule, ResponseRule
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.verdict import Report

LETTERS = {"start": "s", "stop": "p", "restart": "r", "data": "d", "irq.begin": "i"}
PATTERNS = (
    "start data* stop irq",
    "start (data data)* stop",
    "start data{2,3} (stop irq | irq stop)",
    "start (data | restart)* stop (irq irq)?",
    "start data+ (restart data)* stop irq*",
    "start ((data stop) | (data data stop irq))",
)
thorough = settings(max_examples=int(os.environ.get("TRACECHECK_EXAMPLES", "300")), deadline=None)


def finding(line: str, rule: AnyRule, **more: object) -> Finding:
    data = lane(line, **{"settle": 50, "markers": "irq run", **more})  # type: ignore[arg-type]
    (found,) = Report({}, (result(data, rule),), rate_hz=data.rate_hz).findings
    return found


def as_regex(pattern: str) -> re.Pattern[str]:
    """The pattern for an engine that is none of ours; a letter an event."""
    text = re.sub(r"[a-z]+", lambda word: LETTERS.get(word[0]) or LETTERS[f"{word[0]}.begin"], pattern)
    return re.compile(text.replace(" ", ""))


def can_match(regex: re.Pattern[str], prefix: str, longest: int = 4) -> bool:
    """By brute force: whether something of up to `longest` events more makes it match."""
    return any(
        regex.fullmatch(prefix + "".join(more))
        for n in range(longest + 1)
        for more in product("".join(LETTERS.values()), repeat=n)
    )


@thorough
@given(st.sampled_from(PATTERNS), st.lists(st.sampled_from(["restart", "data", "irq.begin"]), max_size=5))
def test_expected_are_exactly_the_events_after_which_a_match_is_possible(pattern: str, middle: list[str]) -> None:
    """Some of the middle's interrupts come after STOP; whatever fails, brute force must agree on what was expected."""
    inside = [name for name in middle if name != "irq.begin"]
    events = ["start", *inside, "stop", *(name for name in middle if name == "irq.begin")]
    line = " ".join(
        f"{name.removesuffix('.begin')}@{10 + 5 * i}" + (f"-{12 + 5 * i}" if name == "irq.begin" else "")
        for i, name in enumerate(events)
    )
    rule = OrderRule(id="o", pattern=pattern)
    data = lane(line, settle=100, markers="irq")
    findings = Report({}, (result(data, rule),), rate_hz=data.rate_hz).findings
    regex = as_regex(pattern)
    seen = [name for name in events if name in rule.dfa.symbols]
    word = "".join(LETTERS[name] for name in seen)
    assert bool(regex.fullmatch(word)) == (not findings)
    if not findings:
        return
    (found,) = findings
    wrong = found.expectation
    assert wrong is not None
    fitting = next(n for n in range(len(word), -1, -1) if can_match(regex, word[:n]))
    prefix = word[:fitting]
    name = seen[fitting - 1]
    places = [10 + 5 * i for i, event in enumerate(events) if event == name]
    assert (wrong.after, wrong.after_at) == (name, places[seen[:fitting].count(name) - 1])
    assert wrong.nth == seen[:fitting].count(name)
    assert wrong.came == (seen[fitting] if fitting < len(seen) else None)
    assert set(wrong.expected) == {n for n in rule.dfa.symbols if can_match(regex, prefix + LETTERS[n])}
    assert wrong.end == bool(regex.fullmatch(prefix))
    for name in wrong.expected:
        assert name in found.message


WRITE = OrderRule(id="o", pattern="start address data* stop irq wake")


def test_an_order_says_after_what_which_events_and_what_came() -> None:
    found = finding("start@10 address@12 irq@14-15 stop@20 run@40-50", WRITE)
    assert found.message == "expected stop or data after address, came irq.begin 2.00 us later"
    assert found.sample == 14 and found.t_ns == 14_000
    assert found.expectation == Expectation("address", 12, 1, ("stop", "data"), end=False, came="irq.begin")


def test_of_several_events_of_a_name_it_says_which() -> None:
    line = "start@5 stop@7 start@10 address@12 data@14 data@16 irq@18-19 stop@20 run@40-50"
    rule = OrderRule(id="o", pattern="start (address data* stop irq wake | stop)")
    found = finding(line, rule)
    assert found.message == "expected stop or data after data number 2, came irq.begin 2.00 us later"
    assert found.expectation is not None and found.expectation.nth == 2


def test_a_scope_that_ended_too_early() -> None:
    found = finding("start@10 address@12 stop@20 irq@25-30", WRITE)
    assert found.expectation == Expectation("irq.begin", 25, 1, ("wake",), end=False, came=None)
    whole = OrderRule(id="o", pattern="start stop", scope="capture")
    assert finding("irq@5-6", whole).expectation == Expectation(None, None, None, ("start",), end=False, came=None)
    assert finding("irq@5-6", whole).message == "expected start, but nothing came"


def test_what_may_end_or_go_on_says_so() -> None:
    either = finding("start@10 restart@15 stop@20", OrderRule(id="o", pattern="start stop? (irq irq)?"))
    assert either.message == (
        "expected stop or irq.begin or the end of the exchange after start, came restart 5.00 us later"
    )
    both = OrderRule(id="o", pattern="start stop (irq irq)?")
    assert finding("start@10 stop@20 irq@25-26", both).message == (
        "expected irq.begin after irq.begin, which came 15.0 us into the exchange, but nothing more came"
    )


def test_the_first_event_of_a_capture_may_be_wrong_already() -> None:
    rule = OrderRule(id="o", pattern="irq start stop", scope="capture")
    assert finding("start@10 stop@20", rule).message == "expected irq.begin at first, came start"


WAKE = ResponseRule(id="w", trigger="irq.begin", response="wake", within=parse_quantity("20us"))
LINE = "start@10 stop@20 irq@100-101 run@110-111 irq@200-201 run@250-251 irq@300-301 run@312-313"


def test_a_bound_says_by_how_much_it_was_missed_and_what_is_usual() -> None:
    found = finding(LINE, WAKE)
    assert found.value_ns == 50_000 and found.upper_ns == 20_000
    assert found.beyond_percent == pytest.approx(150) and found.median_ns == 12_000


def test_one_that_is_too_short_says_so_as_well() -> None:
    rule = DurationRule(id="d", of="irq", min=parse_quantity("10us"))
    found = finding("start@10 stop@20 irq@100-104 irq@200-220", rule)
    assert found.beyond_percent == pytest.approx(60) and found.median_ns == 4_000


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("start@10 stop@20 irq@100-101", WAKE),  # nothing came
        ("start@10 stop@20 irq@100-101 run@120-121", WAKE),  # cannot be decided
    ],
)
def test_where_nothing_is_beyond_a_bound_there_are_no_percents(line: str, rule: AnyRule) -> None:
    assert [f.beyond_percent for f in Report({}, (result(lane(line), rule),), rate_hz=10**6).findings] in ([None], [])


def test_percents_have_the_figures_that_matter() -> None:
    assert [percent_text(x) for x in (0.01, 0.1, 3.14, 10.4, 207.6, 31_400)] == [
        "under 0.1 %",
        "0.1 %",
        "3.1 %",
        "10 %",
        "208 %",
        "31,400 %",
    ]


def test_json_carries_it() -> None:
    data = lane("start@10 address@12 irq@14-15 stop@20 run@40-50", settle=50)
    report = Report({"path": "x"}, (result(data, WRITE), result(lane(LINE), WAKE)), rate_hz=10**6)
    findings = json.loads(as_json.render([as_json.verdict(report)]))["findings"]
    assert findings[0]["expectation"] == {
        "after": "address",
        "after_sample": 12,
        "after_t_ns": 12_000,
        "nth": 1,
        "expected": ["stop", "data"],
        "end": False,
        "came": "irq.begin",
    }
    assert (findings[0]["beyond_percent"], findings[0]["median_ns"]) == (None, None)
    assert findings[1]["expectation"] is None
    assert (findings[1]["beyond_percent"], findings[1]["median_ns"]) == (150, 12_000)
