"""Rules that could never pass or judge anything are refused, each with its line and what to write instead."""

from __future__ import annotations

import pytest

from tracecheck.errors import RuleError
from tracecheck.rules.file import load
from tracecheck.rules.library import preset_names

RECURS = 'how long it takes from one to the next is asked by kind = "recurrence"'
NO_TIME = "no capture can show that it took no time; give {0} more than a sample period, or leave it out"
CASES = [
    (
        ['kind = "response"', 'trigger = "irq"', 'response = "irq.begin"'],
        f'6:12: rule "r", response: irq.begin is the trigger itself; {RECURS}',
    ),
    (
        ['kind = "response"', 'scope = "transfer"', 'trigger = "stop"', 'response = "irq"'],
        '6:11: rule "r", trigger: nothing comes after stop in a transfer; write scope = "exchange"',
    ),
    (
        ['kind = "response"', 'scope = "exchange"', 'trigger = "stop"', 'response = "start"'],
        (
            '7:12: rule "r", response: start comes first in each exchange, so it answers nothing; '
            'write scope = "capture"'
        ),
    ),
    (
        ['kind = "response"', 'trigger = "irq"', 'response = "wake"', 'within = "0us"'],
        f'7:10: rule "r", within: {NO_TIME.format("within")}',
    ),
    (
        ['kind = "response"', 'trigger = "irq"', 'response = "wake"', 'p50 = "0us"'],
        f'7:7: rule "r", p50: {NO_TIME.format("p50")}',
    ),
    (
        ['kind = "precedence"', 'event = "irq"', 'cause = "irq"'],
        f'6:9: rule "r", cause: irq.begin is the event itself; {RECURS}',
    ),
    (
        ['kind = "precedence"', 'scope = "exchange"', 'event = "start"', 'cause = "irq"'],
        '6:9: rule "r", event: nothing comes before start in each exchange; write scope = "capture"',
    ),
    (
        ['kind = "precedence"', 'scope = "transfer"', 'event = "irq"', 'cause = "stop"'],
        '7:9: rule "r", cause: nothing comes after stop in a transfer; write scope = "exchange"',
    ),
    (
        ['kind = "occurrence"', 'event = "stop"', "min = 2"],
        '6:7: rule "r", min: stop comes once in each exchange; write scope = "capture" to count them all',
    ),
    (
        ['kind = "occurrence"', 'scope = "transfer"', 'event = "start"', "max = 0"],
        (
            '7:7: rule "r", max: each transfer begins with start, so there is one; '
            "for none of some transfers use absence"
        ),
    ),
    (['kind = "duration"', 'marker = "irq"', 'max = "0ns"'], f'6:7: rule "r", max: {NO_TIME.format("max")}'),
    (
        ['kind = "recurrence"', 'event = "irq"', 'jitter = "0us"'],
        f'6:10: rule "r", jitter: {NO_TIME.format("jitter")}',
    ),
    (
        ['kind = "absence"', 'event = "nack"', 'where = { outcome = "void" }'],
        '6:9: rule "r", where: a void (START, then STOP) opens no exchange; write scope = "transfer"',
    ),
    (
        ['kind = "absence"', 'scope = "transfer"', 'event = "nack"', 'where = { outcome = "void", length = "1.." }'],
        '7:9: rule "r", where: a void (START, then STOP) has no bytes; leave out length, or the outcome',
    ),
]


@pytest.mark.parametrize(("keys", "message"), CASES)
def test_it_is_refused_with_its_line(keys: list[str], message: str) -> None:
    with pytest.raises(RuleError) as caught:
        load("x.toml", "\n".join(["version = 1", "[[rule]]", 'id = "r"', *keys]))
    assert caught.value.mistakes == (f"x.toml:{message}",)


POSSIBLE = [
    ['kind = "response"', 'trigger = "stop"', 'response = "start"'],
    ['kind = "response"', 'scope = "exchange"', 'trigger = "stop"', 'response = "irq"'],
    ['kind = "response"', 'trigger = "irq"', 'response = "wake"', 'min = "0us"'],
    ['kind = "precedence"', 'event = "start"', 'cause = "stop"'],
    ['kind = "occurrence"', 'scope = "capture"', 'event = "stop"', "min = 2"],
    ['kind = "occurrence"', 'event = "stop"', "max = 0"],
    ['kind = "absence"', 'scope = "transfer"', 'event = "nack"', 'where = { outcome = "void" }'],
    ['kind = "absence"', 'event = "nack"', 'where = { outcome = ["void", "acked"] }'],
]


@pytest.mark.parametrize("keys", POSSIBLE)
def test_what_can_be_is_not_refused(keys: list[str]) -> None:
    assert load("x.toml", "\n".join(["version = 1", "[[rule]]", 'id = "r"', *keys])).rules


@pytest.mark.parametrize("name", preset_names())
def test_no_preset_asks_the_impossible(name: str) -> None:
    load(name)
