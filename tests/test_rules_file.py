"""Rule files: what they load to, what they inherit, and every mistake at its line and column."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from pathlib import Path

import pytest

from tracecheck.errors import RuleError
from tracecheck.rules import vocabulary
from tracecheck.rules.file import MAX_BYTES, lint, load, load_many
from tracecheck.rules.library import preset_names
from tracecheck.rules.model import BusSpec, MarkerSpec, OrderRule, ResponseRule
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector

PRESETS = ", ".join(preset_names())

GOOD = """\
version = 1
extends = ["i2c"]
disable = ["i2c-glitch"]
settle = "2ms"

[bus.i2c0]
scl = "SCL"
sda = 1

[marker.irq]
channel = "IRQ"
coding = "level"

[[rule]]
id = "task-runs-after-interrupt"
kind = "response"
trigger = "irq.begin"
response = "wake"
within = "20us"

[[rule]]
id = "short-display-write"
kind = "order"
severity = "warning"
where = { address = 0x3C, direction = "write", length = "1..15" }
pattern = "start address data* stop irq wake"
"""


def mistakes(text: str, name: str = "x.toml") -> list[str]:
    with pytest.raises(RuleError) as caught:
        load(name, text)
    return list(caught.value.mistakes)


def with_rule(text: str) -> str:
    return f'version = 1\n[[rule]]\nid = "r"\n{text}\n'


def test_a_whole_file() -> None:
    rules = load("good.toml", GOOD)
    assert rules.sources == ("i2c", "good.toml")
    assert rules.settle == parse_quantity("2ms") and rules.timebase_ppm == 100
    assert rules.buses == {"i2c0": BusSpec(name="i2c0", scl="SCL", sda="1")}
    assert rules.markers == {"irq": MarkerSpec(name="irq", channel="IRQ", role="irq")}
    assert "i2c-partial-byte" in [rule.id for rule in rules.rules]
    assert "i2c-glitch" not in [rule.id for rule in rules.rules]
    response, order = rules.rules[-2:]
    assert response == ResponseRule(
        id="task-runs-after-interrupt",
        trigger="irq.begin",
        response="wake",
        within=parse_quantity("20us"),
        source="good.toml",
        line=14,
    )
    where = {"address": 0x3C, "direction": "write", "length": "1..15"}
    assert isinstance(order, OrderRule)
    assert (order.scope, order.severity, order.line) == ("exchange", "warning", 21)
    assert order.where == Selector.model_validate(where)
    assert order.where.length == ((1, 15),) and order.where.address == frozenset({0x3C})


def test_ten_mistakes_at_once() -> None:
    text = """\
version = 2
extends = ["embasy-rp"]
settle = "5"

[marker.irq]
chanel = "IRQ"

[[rule]]
id = "reset-first"
kind = "response"
trigger = "irq"
respons = "wake"
within = "20 u"

[[rule]]
id = "reset-first"
kind = "order"
pattern = "start (address data* stop wke"

[[rule]]
id = "late"
kind = "timings"
"""
    near = "no such file or preset"
    assert mistakes(text, "boot.rules.toml") == [
        "boot.rules.toml:1:11: version 2 is not known; this tracecheck reads version 1",
        f'boot.rules.toml:2:12: cannot extend "embasy-rp": {near}; did you mean "embassy-rp"?',
        'boot.rules.toml:3:10: settle: "5" has no unit; write for example "5us" (units: ns, us, ms, s)',
        'boot.rules.toml:6:1: unknown key "chanel" in marker "irq"; did you mean "channel"?',
        'boot.rules.toml:12:1: unknown key "respons" in rule "reset-first"; did you mean "response"?',
        'boot.rules.toml:13:10: rule "reset-first", within: "20 u" has the unknown unit "u"; did you mean "us"?',
        'boot.rules.toml:16:6: rule "reset-first" is there already, in line 8; give each rule its own id',
        'boot.rules.toml:18:18: rule "reset-first", pattern: this "(" is never closed',
        'boot.rules.toml:18:38: rule "reset-first", pattern: unknown event or marker "wke"; did you mean "wake"?',
        'boot.rules.toml:22:8: unknown kind "timings" in rule "late"; did you mean "timing"?',
    ]


RESPONSE = 'kind = "response"\ntrigger = "irq"\nresponse = "wake"\n'
KINDS = ", ".join(vocabulary.KINDS)


def test_of_two_rules_with_one_id_each_is_blamed_for_its_own() -> None:
    rule = '[[rule]]\nid = "r"\nkind = "absence"\nevent = '
    assert mistakes(f'version = 1\n{rule}"irk"\n{rule}"wke"\n{rule}"stop"\n') == [
        'x.toml:5:9: rule "r", event: unknown event or marker "irk"; did you mean "irq"?',
        'x.toml:7:6: rule "r" is there already, in line 2; give each rule its own id',
        'x.toml:9:9: rule "r", event: unknown event or marker "wke"; did you mean "wake"?',
        'x.toml:11:6: rule "r" is there already, in line 2; give each rule its own id',
    ]


EVENTS = "start, restart, stop, address, data, ack, nack, wake, ready, irq, pending, run"
NONE = "an empty list matches nothing; name at least one outcome or leave the key out"
LENGTHS = 'a length is a count of data bytes such as 3, "1..15", "17.." or "..15"'
KEYS = "id, kind, severity, optional, scope, where, why"


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("", f'2:1: rule "r" lacks the key "kind"; add for example kind = "response" (kinds: {KINDS})'),
        ('kind = "respons"', '4:8: unknown kind "respons" in rule "r"; did you mean "response"?'),
        ('kind = "response"\ntrigger = "irq"',
         '2:1: rule "r" lacks the key "response"; add for example response = "wake"'),
        (RESPONSE + "exclusive = true",
         f'7:1: unknown key "exclusive" in rule "r" (keys: {KEYS}, trigger, response, min, within, shared, p99)'),
        (RESPONSE + 'severity = "eror"', '7:12: rule "r", severity: unknown value "eror"; did you mean "error"?'),
        (RESPONSE + 'scope = "frame"',
         '7:9: rule "r", scope: unknown value "frame" (known: capture, transfer, exchange)'),
        (RESPONSE + "why = 5", '7:7: rule "r", why: expected a string, found 5'),
        (RESPONSE + "shared = 1", '7:10: rule "r", shared: expected true or false, found 1'),
        (RESPONSE + "within = 20", '7:10: rule "r", within: a duration is a string such as "20us", not 20'),
        (RESPONSE + 'min = "2us"\nwithin = "1us"',
         '7:7: rule "r", min: 2us is longer than within = 1us; no duration satisfies both'),
        (RESPONSE + 'source = "me"',
         f'7:1: unknown key "source" in rule "r" (keys: {KEYS}, trigger, response, min, within, shared, p99)'),
        (RESPONSE + "where = 5", '7:9: rule "r", where: expected a table, found 5'),
        (RESPONSE + "where = { adress = 5 }",
         '7:11: unknown key "adress" in where of rule "r"; did you mean "address"?'),
        (RESPONSE + "where = { address = 0x400 }",
         '7:21: rule "r", where.address: address 0x400 is outside 0x00..0x3ff (7 bits without R/W, or 10 bits)'),
        (RESPONSE + "where = { address = [5], not_address = [4, 5] }",
         '7:40: rule "r", where.not_address: it excludes every address that address names'),
        (RESPONSE + 'where = { length = "15..1" }',
         '7:20: rule "r", where.length: "15..1" runs backwards; write the smaller length first'),
        (RESPONSE + 'where = { direction = ["read", "wrte"] }',
         '7:23: rule "r", where.direction: unknown direction "wrte"; did you mean "write"?'),
        (RESPONSE + 'where = { outcome = [] }',
         f'7:21: rule "r", where.outcome: {NONE}'),
        (RESPONSE + 'where = { time = "1ms" }',
         '7:18: rule "r", where.time: a time window is a string such as "1ms..20ms", "5ms.." or "..2s", not \'1ms\''),
        ('kind = "order"\npattern = "start stop"\nwhere.length = 1.5',
         f'6:16: rule "r", where.length: {LENGTHS}, not 1.5'),
        ('kind = "order"\npattern = "start irq.begn stop"',
         '5:18: rule "r", pattern: a marker has "irq.begin" and "irq.end", not "irq.begn"'),
        ('kind = "order"\npattern = """\nstart\n  (stop"""', '7:3: rule "r", pattern: this "(" is never closed'),
        ('kind = "order"\npattern = "start\\tstop("',
         '5:11: rule "r", pattern: an event or a group is missing here; for an optional part write (...)?'),
        ('kind = "order"\npattern = "stop irq"',
         '5:11: rule "r", pattern: it can never match: every exchange begins with start, the pattern does not'),
        ('kind = "order"\npattern = "start address stop irq start address stop"',
         ('5:11: rule "r", pattern: it can never match: in each exchange start comes once, stop at most once, and '
          'nothing of the bus after it; for a sequence of several write scope = "capture"')),
        ('kind = "order"\nscope = "transfer"\npattern = "start address stop irq"',
         ('6:11: rule "r", pattern: it can never match: in each transfer start comes once, stop at most once, and '
          'nothing after it; what comes later lies in scope = "exchange"')),
        ('kind = "occurrence"\nevent = "irq"\nmin = "5us"', '6:7: rule "r", min: expected a whole number, found "5us"'),
        ('kind = "occurrence"\nevent = "irq"', '2:1: rule "r": any count would do; give a min of 1 or more, or a max'),
        ('kind = "occurrence"\nevent = "irq"\nmin = 3\nmax = 2',
         '6:7: rule "r", min: 3 is more than max = 2; no count satisfies both'),
        ('kind = "occurrence"\nevent = "irq"\nmax = -1', '6:7: rule "r", max: -1 is too small; at least 0'),
        ('kind = "duration"\nmarker = "irq"',
         '2:1: rule "r": any duration would do; give a min, a max or a percentile such as p99'),
        ('kind = "duration"\nmax = "1us"', '2:1: rule "r" lacks the key "marker"; add for example marker = "irq"'),
        ('kind = "duration"\nmarker = "irq.begin"\nmax = "1us"',
         '5:10: rule "r", marker: a duration is of the marker itself; write "irq"'),
        ('kind = "duration"\nmarker = "irq"\nof = "irq"\nmax = "1us"',
         '6:1: rule "r" has the keys "marker" and "of", which mean the same; keep one'),
        ('kind = "duration"\nmarker = "irq"\nmax = "1us"\nscope = "exchange"',
         '7:9: rule "r", scope: unknown value "exchange" (known: capture)'),
        ('kind = "integrity"\nkinds = ["missing-stp"]',
         '5:9: rule "r", kinds: unknown anomaly kind "missing-stp"; did you mean "missing-stop"?'),
        ('kind = "absence"\nevent = "NACK"', f'5:9: rule "r", event: unknown event or marker "NACK" (known: {EVENTS})'),
        ('kind = "absence"\nevent = "led.end"', f'5:9: rule "r", event: unknown marker "led" (known: {EVENTS})'),
        ('kind = "absence"\nevent = "a b"',
         '5:9: rule "r", event: "a b" is not an event name; events are for example "stop", "irq.begin", "wake"'),
    ],
)  # fmt: skip
def test_one_mistake_in_a_rule(rule: str, line: str) -> None:
    assert mistakes(with_rule(rule)) == [f"x.toml:{line}"]


RECURRENCE = 'kind = "recurrence"\nevent = "irq"\n'
LONGER = "and a higher percentile is never the shorter one"
TIMED = "response, duration, recurrence"


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (RESPONSE + 'p0 = "5us"',
         "7:1: rule \"r\", p0: no instance lies below p0; write min for the shortest, or for example p50"),
        (RESPONSE + '"p0.0" = "5us"',
         "7:1: rule \"r\", p0.0: no instance lies below p0.0; write min for the shortest, or for example p50"),
        (RESPONSE + 'p100 = "5us"', '7:1: rule "r", p100: p100 is the longest of all; write max for it'),
        (RESPONSE + 'p101 = "5us"',
         ('7:1: rule "r", p101: p101 is more than all instances; '
          "percentiles lie between p0 and p100, for example p99.9")),
        (RESPONSE + 'p = "5us"', '7:1: rule "r", p: "p" is no percentile; write for example p50, p99 or p99.9'),
        (RESPONSE + 'p-1 = "5us"', '7:1: rule "r", p-1: "p-1" is no percentile; write for example p50, p99 or p99.9'),
        (RESPONSE + 'p99 = ""',
         ('7:7: rule "r", p99: "" is not a duration; write a number and a unit, for example "20us" '
         "(units: ns, us, ms, s, scl)")),
        (RESPONSE + "p99 = 5", '7:7: rule "r", p99: a duration is a string such as "20us", not 5'),
        (RESPONSE + "p99.9 = 5", '7:9: rule "r", p99.9: a duration is a string such as "20us", not 5'),
        (RESPONSE + 'p99 = "5us"\np50 = "10us"',
         f'7:7: rule "r", p99: 5us is shorter than p50 = 10us, {LONGER}; give p99 the longer bound'),
        (RESPONSE + 'p50 = "10us"\np99.9 = "5us"',
         f'8:9: rule "r", p99.9: 5us is shorter than p50 = 10us, {LONGER}; give p99.9 the longer bound'),
        (RESPONSE + 'max = "5us"\np99 = "6us"',
         f'7:7: rule "r", max: 5us is shorter than p99 = 6us, {LONGER}; give max the longer bound'),
        (RESPONSE + 'p99 = "5us"\n"p99.0" = "5us"', '8:11: rule "r", p99.0: it is the same as p99; keep one of them'),
        (RESPONSE + 'within = "5us"\np99 = "10us"',
         ('8:7: rule "r", p99: 10us is longer than within = 5us, which holds for every instance, so it says nothing; '
         "give p99 the shorter bound")),
        (RECURRENCE + 'max = "5us"\np99 = "10us"',
         ('7:7: rule "r", p99: 10us is longer than max = 5us, which holds for every instance, so it says nothing; '
         "give p99 the shorter bound")),
        (RESPONSE + 'min = "5us"\np99.9 = "1us"',
         '8:9: rule "r", p99.9: 1us is shorter than min = 5us; no duration satisfies both'),
        ('kind = "occurrence"\nevent = "irq"\nmin = 1\np99 = "5us"',
         ('7:1: rule "r", p99: percentiles are of times, which occurrence rules do not measure '
          f"(kinds that do: {TIMED})")),
        ('kind = "order"\npattern = "start stop"\np99.9 = "5us"',
         f'6:5: rule "r", p99.9: percentiles are of times, which order rules do not measure (kinds that do: {TIMED})'),
        ('kind = "precedence"\nevent = "irq"\ncause = "stop"\np99 = "5us"',
         '7:1: rule "r", p99: precedence rules have no percentiles; ask from the cause on, with kind = "response"'),
        ('kind = "duration"\np99 = "5us"', '2:1: rule "r" lacks the key "marker"; add for example marker = "irq"'),
        ('kind = "duration"\nmarker = "irq"\np0 = "5us"',
         '6:1: rule "r", p0: no instance lies below p0; write min for the shortest, or for example p50'),
        (RECURRENCE + 'percentiles = { p99 = "1us" }\nmax = "1us"',
         f'6:1: unknown key "percentiles" in rule "r" (keys: {KEYS}, event, min, max, jitter, p99)'),
        ('kind = "recurrence"\nmax = "1us"',
         '2:1: rule "r" lacks the key "event"; add for example event = "irq.begin"'),
        (RECURRENCE.rstrip(),
         '2:1: rule "r": any period would do; give a min, a max, a jitter or a percentile such as p99'),
        (RECURRENCE + 'min = "2us"\nmax = "1us"',
         '6:7: rule "r", min: 2us is longer than max = 1us; no duration satisfies both'),
        (RECURRENCE + 'min = "9ms"\nmax = "11ms"\njitter = "2ms"',
         ('8:10: rule "r", jitter: 2ms is no less than what min = 9ms and max = 11ms leave, so it says nothing; '
          "give jitter the shorter bound, or leave it out")),
        (RECURRENCE + 'jitter = "2scl"',
         '6:10: rule "r", jitter: "2scl" counts SCL periods, which have no meaning here; write a time such as "5ms"'),
        ('kind = "recurrence"\nevent = "start"\nscope = "exchange"\nmax = "1us"',
         '6:9: rule "r", scope: start comes once in each exchange; from one to the next it is scope = "capture"'),
        (RESPONSE + 'jitter = "1us"',
         f'7:1: unknown key "jitter" in rule "r" (keys: {KEYS}, trigger, response, min, within, shared, p99)'),
        (RESPONSE + 'p99 = "1us"\np99.9 = "2us"',
         ('8:1: not TOML: cannot extend value of type string with a dotted key; write "p99.9" in quotes where p99 is a '
         "key too")),
        (RESPONSE + 'p99.9 = "2us"\np99 = "1us"',
         '8:1: not TOML: duplicate key; write "p99.9" in quotes where p99 is a key too'),
    ],
)  # fmt: skip
def test_one_mistake_in_a_percentile_or_a_period(rule: str, line: str) -> None:
    assert mistakes(with_rule(rule)) == [f"x.toml:{line}"]


@pytest.mark.parametrize("key", ['"p99.9"', "p99.9", "p99.90", "p99 . 9"])
def test_percentiles_with_a_point_need_no_quotes(key: str) -> None:
    (rule,) = load("x.toml", with_rule(f'{RESPONSE}p50 = "1us"\n{key} = "2us"\nmax = "3us"')).rules
    assert isinstance(rule, ResponseRule)
    assert [(p.share, str(p.bound)) for p in rule.percentiles] == [
        (Fraction(1, 2), "1us"),
        (Fraction(999, 1000), "2us"),
        (Fraction(1), "3us"),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["1:1: the version is missing; begin the file with version = 1"]),
        ("version = true", ["1:11: version true is not known; this tracecheck reads version 1"]),
        ("version = 1.0", ["1:11: version 1.0 is not known; this tracecheck reads version 1"]),
        ("version = 1\nrise = 3", [
            '2:8: rise: a rise time is such as "300ns", or { scl = "300ns", sda = "200ns" }, not 3']),
        ("version = 1\nrules = []", ['2:1: unknown key "rules"; did you mean "rule"?']),
        ('version = 1\nglitch = "1scl"',
         ['2:10: glitch: "1scl" counts SCL periods, which have no meaning here; write a time such as "5ms"']),
        ("version = 1\ntimebase_ppm = 1.5", ["2:16: timebase_ppm: expected a whole number, found 1.5"]),
        ("version = 1\nextends = [1]", ["2:11: extends is a list of strings, not a list"]),
        ('version = 1\ndisable = ["x"]', ['2:12: disable: no inherited rule is called "x" (inherited: none)']),
        ("version = 1\n[rule]\nid = 1", ["2:1: each rule begins with the line [[rule]], in double brackets"]),
        ("version = 1\nmarker = 3", ["2:1: a marker is declared by a table with its name: [marker.NAME]"]),
        ("version = 1\n[marker]\nirq = 3",
         ['3:1: "irq" is no table; a marker is declared by a table with its name: [marker.NAME]']),
        ("version = 1\n[marker.irq]", ['2:1: marker "irq" lacks the key "channel"; add for example channel = "D2"']),
        ("version = 1\n[marker.irq]\nchannel = -1",
         ['3:11: marker "irq", channel: a channel is a name such as "D2" or a bit such as 2, not -1']),
        ('version = 1\n[marker.irq]\nchannel = 1\ncoding = "levl"',
         ['4:10: marker "irq", coding: unknown value "levl"; did you mean "level"?']),
        ('version = 1\n[marker.irq]\nchannel = 1\nname = "x"',
         ['4:1: unknown key "name" in marker "irq" (keys: channel, coding, active, pulses, role, bus, where)']),
        ('version = 1\n[marker.wake]\nchannel = 1',
         ['2:1: marker "wake": "wake" is a word of the rule language and cannot name a marker']),
        ('version = 1\n[marker.run]\nchannel = 1\nrole = "irq"',
         ['4:8: marker "run", role: a marker called "run" cannot be the irq; give it another name']),
        ('version = 1\n[marker.led]\nchannel = 1\nrole = "irk"',
         ['4:8: marker "led", role: unknown value "irk"; did you mean "irq"?']),
        ('version = 1\n[marker.led]\nchannel = 1\npulses = 2',
         ['4:10: marker "led", pulses: a level marker has none; it belongs to coding = "pulse-count"']),
        ('version = 1\n[marker.led]\nchannel = 1\ncoding = "pulse-count"',
         ['2:1: marker "led": how many pulses mean it? Add for example pulses = 3 (only irq and run have a default)']),
        ('version = 1\n[marker."a b"]\nchannel = 1',
         ['2:1: marker "a b", name: "a b" is not a name; use letters, digits, "-" and "_", a letter first']),
    ],
)  # fmt: skip
def test_one_mistake_outside_the_rules(text: str, lines: list[str]) -> None:
    assert mistakes(text) == [f"x.toml:{line}" for line in lines]


def test_markers_and_buses_that_do_not_fit_together() -> None:
    text = """\
version = 1
[bus.i2c0]
[bus.i2c1]
[marker.irq]
channel = "A"
bus = "i2c2"
[marker.irq0]
channel = "B"
role = "irq"
[marker.irq1]
channel = "C"
role = "irq"
bus = "i2c1"
[marker.other]
channel = "C"
coding = "pulse-count"
pulses = 3
role = "irq"
bus = "i2c1"
[marker.fourth]
channel = "D"
coding = "pulse-count"
pulses = 3
[marker.fifth]
channel = "D"
coding = "pulse-count"
pulses = 3
[[rule]]
id = "r"
kind = "duration"
marker = "fifth"
max = "1us"
where = { bus = ["i2c0", "i2c3"] }
[[rule]]
id = "s"
kind = "absence"
event = "fifth.end"
"""
    instant = 'marker "fifth" is a pulse count: an instant, without a duration or an end'
    assert mistakes(text) == [
        'x.toml:6:7: marker "irq", bus: no [bus.i2c2] is declared; did you mean "i2c1"?',
        'x.toml:7:1: marker "irq0", bus: there are 2 buses; say whose irq it is (declared: i2c0, i2c1)',
        'x.toml:16:10: marker "other", coding: channel "C" is level for marker "irq1"; one pin has one coding',
        'x.toml:18:8: marker "other", role: marker "irq1" is the irq of bus "i2c1" already; give each a bus',
        'x.toml:27:10: marker "fifth", pulses: 3 on channel "D" means marker "fourth" already',
        f'x.toml:31:10: rule "r", marker: {instant}',
        'x.toml:33:9: rule "r", where: no [bus.i2c3] is declared; did you mean "i2c1"?',
        f'x.toml:37:9: rule "s", event: {instant}',
    ]


def test_a_rule_with_other_mistakes_is_still_read_for_its_events() -> None:
    assert mistakes(with_rule('kind = "absence"\nevent = "stp"\nseverity = "bad"')) == [
        'x.toml:5:9: rule "r", event: unknown event or marker "stp"; did you mean "stop"?',
        'x.toml:6:12: rule "r", severity: unknown value "bad" (known: error, warning, note)',
    ]


def test_role_words_need_no_declaration_and_other_markers_do() -> None:
    text = with_rule('kind = "response"\ntrigger = "led"\nresponse = "pending.end"')
    assert mistakes(text) == [f'x.toml:5:11: rule "r", trigger: unknown event or marker "led" (known: {EVENTS})']
    assert load("x.toml", text, known_markers=["led"]).rules[0].events == ("led.begin", "pending.end")
    declared = load("x.toml", text + '[marker.led]\nchannel = "D7"\n')
    assert declared.markers["led"].role is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version = \n", "1:11: not TOML: string values must be quoted, expected literal string"),
        ("version = 1\nversion = 1\n", "2:1: not TOML: duplicate key"),
        ('version = 1\n[a\nb = "\u00b5', "2:3: not TOML: unclosed table, expected `]`"),
        ("version = 1\nsettle = '\u00b5s' x\n", "2:15: not TOML: unexpected key or value, expected newline, `#`"),
        ("version = " + "9" * 5000, "1:11: version a number of more than 64 bits is not known"),
    ],
)
def test_no_toml(text: str, line: str) -> None:
    found = mistakes(text)
    assert len(found) == 1
    if "bits" in line:
        assert found[0].startswith("x.toml") and "Exceeds the limit" in found[0]
    else:
        assert found == [f"x.toml:{line}"]


def test_deep_nesting_is_a_mistake_not_a_crash() -> None:
    assert mistakes("version = " + "[" * 100_000) == ["x.toml: not TOML: nested too deeply"]


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").replace('"20us"', '"20 u"').encode())
    assert lint(path) == [
        f'{path}:19:10: rule "task-runs-after-interrupt", within: "20 u" has the unknown unit "u"; did you mean "us"?'
    ]


def test_columns_count_characters() -> None:
    assert mistakes(with_rule('kind = "order"\nwhy = "µ"\n"pattern" = "start µ"')) == [
        'x.toml:6:20: rule "r", pattern: "µ" has no meaning in a pattern'
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"version = 1\nsettle = '5\xb5s'\n")
    (tmp_path / "big.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "most.toml").write_bytes(b"version = 1\n".ljust(MAX_BYTES, b"#"))
    limit = "larger than 1 MiB, the most that a rule file may have; split it and use extends"
    assert lint(tmp_path / "none.toml") == [f"{tmp_path}/none.toml: no such file or preset (presets: {PRESETS})"]
    assert lint("embasy-rp") == ['embasy-rp: no such file or preset; did you mean "embassy-rp"?']
    assert lint(tmp_path) == [f"{tmp_path}: a folder, not a rule file"]
    assert lint(tmp_path / "latin.toml") == [f"{tmp_path}/latin.toml: not UTF-8 text (byte 0xb5 in line 2)"]
    assert lint(tmp_path / "big.toml") == [f"{tmp_path}/big.toml: {limit}"]
    assert lint(tmp_path / "most.toml") == []
    assert lint("/dev/zero") == [f"/dev/zero: {limit}"]


def test_ten_million_lines_are_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"[[rule]]\n" * 100_000)
    begin = time.perf_counter()
    assert lint(path) == [f"{path}: larger than 1 MiB, the most that a rule file may have; split it and use extends"]
    assert time.perf_counter() - begin < 1


def test_thousands_of_mistakes_are_all_reported_in_bounded_time() -> None:
    count = 5_000
    text = "version = 1\n" + '[[rule]]\nid = "x"\nkind = "absence"\nevnt = 1\n' * count
    begin = time.perf_counter()
    assert len(mistakes(text)) == 2 * count - 1
    assert time.perf_counter() - begin < 10


def test_a_long_value_is_shortened() -> None:
    (line,) = mistakes(with_rule(f'kind = "{"k" * 100_000}"'))
    assert len(line) < 600 and line.startswith('x.toml:4:8: unknown kind "kkk') and " ... " in line


def test_a_path_object_will_do(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    assert load(path) == load(os.fspath(path)) == load(path, GOOD)
    assert load_many([path]).rules == load(path).rules
