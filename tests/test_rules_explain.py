"""`rules explain`: what a rule or a kind means; its examples are held to the automaton, the model and the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rule_lines import lane, result

from tracecheck.cli import main
from tracecheck.rules.explain import Example, explain, explain_kind, matching, spoilt
from tracecheck.rules.file import load
from tracecheck.rules.library import preset_names
from tracecheck.rules.model import (
    RULE_CLASSES,
    AbsenceRule,
    DurationRule,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    Rule,
)
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector

SHIPPED = [rule for name in preset_names() for rule in load(name).rules]


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_every_shipped_rule_says_what_why_and_where_it_is_from(rule: Rule) -> None:
    text = explain(rule)
    assert text.what and text.why == rule.why and text.source == rule.source and text.line == rule.line > 0
    assert text.kind_what and text.scope


@pytest.mark.parametrize("rule", [r for r in SHIPPED if isinstance(r, OrderRule)], ids=lambda rule: rule.id)
def test_examples_of_an_order_match_and_do_not(rule: OrderRule) -> None:
    text = explain(rule)
    assert text.passes and len(text.passes) == len(text.fails)
    patterns = [rule.pattern] if rule.driver is None else [order.pattern for order in rule.driver.orders]
    for good, bad in zip(text.passes, text.fails, strict=True):
        fits = [compile_pattern(p) for p in patterns if compile_pattern(p).matches(good.text.split())]
        assert fits
        assert any(not dfa.matches(bad.text.split()) for dfa in fits)
        assert "expected" in bad.note


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        ("start address data* stop irq wake", "start address data stop irq.begin wake"),
        ("start (address data | restart)* stop", "start restart address data stop"),
        ("start stop?", "start stop"),
        ("start data{3} stop | start stop", "start data data data stop"),
    ],
)
def test_a_match_shows_all_that_the_pattern_can_show(pattern: str, good: str) -> None:
    dfa = compile_pattern(pattern)
    assert " ".join(matching(dfa)) == good
    assert not dfa.matches(spoilt(dfa, matching(dfa)))


def test_a_pattern_that_nothing_spoils_has_no_failing_example() -> None:
    dfa = compile_pattern("(start|stop|restart)*")
    assert dfa.matches(matching(dfa)) and spoilt(dfa, matching(dfa)) == []


def test_a_big_alphabet_is_shown_by_a_short_match() -> None:
    dfa = compile_pattern(f"start ({'|'.join(f'm{i}' for i in range(40))})* stop")
    assert matching(dfa) == ["start", "stop"]


def test_examples_judged_by_the_engine() -> None:
    rule = next(r for r in SHIPPED if r.id == "embassy-short-write-order")
    text = explain(rule)
    for examples, verdict in ((text.passes, "pass"), (text.fails, "fail")):
        (example,) = examples
        names = {"irq.begin": "irq", "wake": "run"}
        events = [names.get(event, event) for event in example.text.split()]
        line = " ".join(
            f"{e}@{10 * i + 10}" + (f"-{10 * i + 12}" if e in ("irq", "run") else ":write,n1" if e == "start" else "")
            for i, e in enumerate(events)
        )
        found = result(lane(line, settle=100, markers="irq run"), rule)
        # a run before its interrupt is no wake: what fails here is that the wake does not come
        assert (found.verdict, example.text.split()[-1]) == (verdict, "wake" if verdict == "pass" else "irq.begin")


def test_counts_come_from_the_model() -> None:
    reads = Selector(direction=frozenset({"read"}), outcome=frozenset({"acked"}))
    rule = OccurrenceRule(id="c", event="irq.begin", model="embassy-rp", where=reads)
    text = explain(rule)
    assert Example("2 x irq.begin", "read of 20 bytes") in text.passes
    assert {e.text for e in text.fails if e.note == "read of 20 bytes"} == {"1 x irq.begin", "4 x irq.begin"}
    assert text.bounds == (("model", "embassy-rp"),)


US = parse_quantity("10us")


@pytest.mark.parametrize(
    ("rule", "passes", "fails"),
    [
        (
            ResponseRule(id="r", trigger="irq", response="wake", within=US),
            [("irq.begin wake", "at most 10us later")],
            [("irq.begin (no wake)", ""), ("irq.begin wake", "more than 10us later")],
        ),
        (
            ResponseRule(id="r", trigger="irq", response="wake", min=US),
            [("irq.begin wake", "at least 10us later")],
            [("irq.begin (no wake)", ""), ("irq.begin wake", "less than 10us later")],
        ),
        (
            PrecedenceRule(id="r", event="irq", cause="stop", within=US),
            [("stop irq.begin", "at most 10us before")],
            [("irq.begin (no stop before it)", ""), ("stop irq.begin", "more than 10us before")],
        ),
        (
            AbsenceRule(id="r", event="nack"),
            [("start ... stop", "")],
            [("start ... nack ... stop", "one failure for each nack")],
        ),
        (
            OccurrenceRule(id="r", event="irq", min=1, max=2),
            [("1 x irq.begin", "")],
            [("3 x irq.begin", ""), ("0 x irq.begin", "")],
        ),
        (DurationRule(id="r", of="irq", max=US), [("irq ...", "at most 10us")], [("irq ...", "more than 10us")]),
        (
            RecurrenceRule(id="r", event="start", min=US),
            [("start ... start", "at least 10us")],
            [("start ... start", "less than 10us")],
        ),
    ],
)
def test_examples_of_each_kind(rule: Rule, passes: list[tuple[str, str]], fails: list[tuple[str, str]]) -> None:
    text = explain(rule)
    assert [(e.text, e.note) for e in text.passes] == passes
    assert [(e.text, e.note) for e in text.fails] == fails


@pytest.mark.parametrize("kind", RULE_CLASSES)
def test_every_kind_is_explained_and_its_example_loads(kind: str) -> None:
    text = explain_kind(kind)
    assert text.what and text.keys
    assert not any("`extra`" in part for part in text.how)
    (rule,) = load("example", f"version = 1\n{text.example}\n").rules
    assert rule.kind == kind


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["rules", "explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


SEARCHED = f"(searched: {', '.join(preset_names())})"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["embasy-wake"],
            f'no rule and no kind of rule is called "embasy-wake"; did you mean "embassy-wake"? {SEARCHED}',
        ),
        (["respons"], f'no rule and no kind of rule is called "respons"; did you mean "response"? {SEARCHED}'),
        (
            ["xyzzy"],
            f'no rule and no kind of rule is called "xyzzy"; a rule of your own: add --rules FILE {SEARCHED}',
        ),
        (["embassy-rp"], '"embassy-rp" is a preset; tracecheck rules show embassy-rp has its rules'),
        (
            ["embassy-wake", "--rules", "i2c"],
            'no rule and no kind of rule is called "embassy-wake" (searched: i2c)',
        ),
    ],
)
def test_names_that_are_not_there(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out, err) == (2, "", f"tracecheck: {said}\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "embassy-refill-deadline", "--format", "json")
    text = json.loads(out)
    assert code == 0
    assert text["bounds"] == [["within", "18scl"]] and text["where"] == "write, length 17.."
    assert text["fails"][1] == {"text": "irq.begin wake", "note": "more than 18scl later"}
    code, out, _ = run(capsys, "order", "--format", "json")
    assert json.loads(out)["kind"] == "order"


def test_a_rule_of_a_file_is_found_there_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('version = 1\nextends = ["i2c"]\n[[rule]]\nid = "response"\nkind = "absence"\nevent = "nack"\n')
    code, out, _ = run(capsys, "response", "--rules", str(path))
    assert code == 0 and "no nack in each exchange" in out and f"from {path}:3" in out
