"""The typed rules: selectors, defaults, and sets that are put together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tracecheck.errors import RuleError
from tracecheck.rules.consistency import checked
from tracecheck.rules.describe import describe, describe_selector
from tracecheck.rules.model import (
    AbsenceRule,
    BusSpec,
    DurationRule,
    IntegrityRule,
    MarkerSpec,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    Rule,
    RuleSet,
)
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector, spans
from tracecheck.rules.vocabulary import canonical, marker_of


def selector(**keys: object) -> Selector:
    return Selector.model_validate(keys)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (0x3C, {0x3C}),
        ("0x3C", {0x3C}),
        ("60", {60}),
        ("007", {7}),
        ([1, "2", "4..6"], {1, 2, 4, 5, 6}),
        ("0x08..0x77", set(range(8, 0x78))),
        (0x3FF, {0x3FF}),
    ],
)
def test_addresses(given: object, meant: set[int]) -> None:
    assert selector(address=given).address == frozenset(meant)
    assert selector(not_address=given).not_address == frozenset(meant)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (3, ((3, 3),)),
        ("3", ((3, 3),)),
        ("1..15", ((1, 15),)),
        ("17..", ((17, None),)),
        ("..4", ((0, 4),)),
        ([0, "17.."], ((0, 0), (17, None))),
    ],
)
def test_lengths(given: object, meant: object) -> None:
    assert selector(length=given).length == meant


def test_windows_words_and_nothing() -> None:
    window = selector(time="1ms .. 20ms").time
    assert window == (parse_quantity("1ms"), parse_quantity("20ms"))
    assert selector(time="..2s").time == (None, parse_quantity("2s"))
    assert selector(direction="write").direction == frozenset({"write"})
    assert selector(outcome=["acked", "void"]).outcome == frozenset({"acked", "void"})
    assert selector().is_everything and not selector(bus="i2c0").is_everything


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"address": "8-9"}, "an address is a number such as 0x3C or a range such as \"0x08..0x77\", not '8-9'"),
        ({"address": True}, 'an address is a number such as 0x3C or a range such as "0x08..0x77", not true'),
        ({"address": -1}, "address -0x1 is outside 0x00..0x3ff (7 bits without R/W, or 10 bits)"),
        ({"address": "9..8"}, '"9..8" runs backwards; write the lower address first'),
        ({"address": []}, "an empty list matches nothing; name at least one address or leave the key out"),
        ({"length": ".."}, 'a length is a count of data bytes such as 3, "1..15", "17.." or "..15", not \'..\''),
        ({"length": "1 2"}, 'a length is a count of data bytes such as 3, "1..15", "17.." or "..15", not \'1 2\''),
        ({"length": -1}, 'a length is a count of data bytes such as 3, "1..15", "17.." or "..15", not -1'),
        ({"bus": 0}, "bus is a word, not 0"),
        ({"outcome": "nack"}, 'unknown outcome "nack"; did you mean address-nack or data-nack?'),
        ({"outcome": "x"}, 'unknown outcome "x" (known: acked, address-nack, data-nack, void, unfinished)'),
        ({"time": ".."}, '".." leaves both ends open; give at least one time'),
        ({"time": "2s..1s"}, '"2s..1s" runs backwards; write the earlier time first'),
        ({"time": "1scl.."}, '"1scl" counts SCL periods, which have no meaning here; write a time such as "5ms"'),
    ],
)
def test_selectors_that_make_no_sense(keys: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        selector(**keys)
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == reason


def test_spans() -> None:
    assert spans([5, 1, 2, 3, 9]) == [(1, 3), (5, 5), (9, 9)]
    assert spans([]) == []


def test_events_have_one_form() -> None:
    assert [canonical(e) for e in ("stop", "wake", "missing-stop", "irq", "irq.end")] == [
        "stop",
        "wake",
        "missing-stop",
        "irq.begin",
        "irq.end",
    ]
    assert [marker_of(e) for e in ("stop", "missing-stop", "irq.begin", "led.end")] == [None, None, "irq", "led"]
    assert ResponseRule(id="r", trigger="irq", response="run").events == ("irq.begin", "run.begin")
    assert OrderRule(id="r", pattern="start irq stop").events == ("start", "restart", "stop", "irq.begin")
    assert DurationRule(id="r", of="irq", max=parse_quantity("1us")).events == ("irq.begin", "irq.end")
    stretch = DurationRule(id="r", of="stretch", max=parse_quantity("1us"))
    assert (stretch.events, stretch.marker) == ((), None)


def test_default_scopes() -> None:
    assert ResponseRule(id="r", trigger="irq", response="wake").scope == "capture"
    assert PrecedenceRule(id="r", event="irq", cause="stop").scope == "capture"
    assert DurationRule(id="r", of="idle", min=parse_quantity("1us")).scope == "capture"
    assert IntegrityRule(id="r", kinds=frozenset({"void"})).scope == "capture"
    assert AbsenceRule(id="r", event="nack").scope == "exchange"
    assert OccurrenceRule(id="r", event="irq", max=1).scope == "exchange"
    assert OrderRule(id="r", pattern="start stop").scope == "exchange"
    assert RecurrenceRule(id="r", event="irq", min=parse_quantity("1us")).scope == "capture"
    assert OrderRule(id="r", pattern="stop", scope="capture").dfa.matches(["stop"])


def test_pulse_counts_have_defaults_for_irq_and_run() -> None:
    def pulses(name: str, role: str | None = None) -> int | None:
        raw = {"name": name, "channel": "A", "coding": "pulse-count", "role": role}
        return MarkerSpec.model_validate(raw).pulses

    assert (pulses("irq"), pulses("run"), pulses("irq0", "irq"), pulses("i2c_task", "run")) == (1, 2, 1, 2)
    assert MarkerSpec(name="irq", channel="A").pulses is None
    assert MarkerSpec(name="led", channel="A").role is None


def test_markers_of_a_command_line_change_only_what_they_give() -> None:
    where = selector(address=0x3C)
    rules = RuleSet(
        markers={
            "irq": MarkerSpec(name="irq", channel="A", bus="i2c0", where=where),
            "mark": MarkerSpec(name="mark", channel="B", coding="pulse-count", pulses=3),
        }
    )
    changed = rules.with_markers(
        [
            MarkerSpec(name="irq", channel="C"),
            MarkerSpec(name="mark", channel="D", coding="level"),
            MarkerSpec(name="run", channel="E"),
        ]
    )
    assert changed.markers == {
        "irq": MarkerSpec(name="irq", channel="C", role="irq", bus="i2c0", where=where),
        "mark": MarkerSpec(name="mark", channel="D"),
        "run": MarkerSpec(name="run", channel="E", role="run"),
    }
    assert rules.markers["irq"].channel == "A"


def test_buses_of_a_command_line_change_only_what_they_give() -> None:
    rules = RuleSet(buses={"i2c0": BusSpec(name="i2c0", scl="A", sda="B")})
    changed = rules.with_buses([BusSpec(name="i2c0", scl="C"), BusSpec(name="i2c1")])
    assert changed.buses == {"i2c0": BusSpec(name="i2c0", scl="C", sda="B"), "i2c1": BusSpec(name="i2c1")}


def test_two_sets_in_one() -> None:
    first = RuleSet(
        sources=("a",),
        settle=parse_quantity("1ms"),
        rules=(AbsenceRule(id="x", event="nack"), AbsenceRule(id="y", event="nack")),
    )
    second = RuleSet(sources=("b",), timebase_ppm=5, rules=(AbsenceRule(id="x", event="restart"),))
    both = first.merged(second)
    assert (both.sources, str(both.settle), both.timebase_ppm) == (("a", "b"), "1ms", 5)
    assert both.rules == (AbsenceRule(id="x", event="restart"), AbsenceRule(id="y", event="nack"))


def test_a_set_put_together_by_hand_can_be_checked() -> None:
    events = "start, restart, stop, address, data, ack, nack, wake, ready, irq, pending, run, irq2"
    fits = RuleSet(markers={"irq": MarkerSpec(name="irq", channel="A")})
    assert checked(fits) is fits
    with pytest.raises(RuleError) as caught:
        checked(
            fits.with_markers([MarkerSpec(name="irq2", channel="B", role="irq")]).with_rules(
                [AbsenceRule(id="x", event="led", source="a.toml", line=3)]
            )
        )
    assert caught.value.mistakes == (
        'marker "irq2", role: marker "irq" is the irq already; give each a bus',
        f'a.toml:3: rule "x", event: unknown event or marker "led" (known: {events})',
    )


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            ResponseRule(id="r", trigger="irq", response="wake", within=parse_quantity("20us"), shared=True),
            "after irq.begin, wake within 20us, one for several",
        ),
        (
            PrecedenceRule(id="r", event="wake", cause="ready", min=parse_quantity("1us"), exclusive=True),
            "before wake, its own ready not before 1us",
        ),
        (AbsenceRule(id="r", event="restart", scope="transfer"), "no restart in each transfer"),
        (OccurrenceRule(id="r", event="irq", min=1, max=1), "exactly 1 irq.begin in each exchange"),
        (OccurrenceRule(id="r", event="irq", min=1), "at least 1 irq.begin in each exchange"),
        (OccurrenceRule(id="r", event="irq", max=2), "at most 2 irq.begin in each exchange"),
        (OccurrenceRule(id="r", event="irq", min=1, max=2, scope="capture"), "1 to 2 irq.begin in the capture"),
        (
            DurationRule(id="r", of="stretch", min=parse_quantity("1us"), max=parse_quantity("1ms")),
            "stretch lasts at least 1us and at most 1ms",
        ),
        (
            ResponseRule(id="r", trigger="irq", response="wake", percentiles={"p99.9": "2us", "p50": "1us"}),
            "after irq.begin, wake follows, p50 within 1us, p99.9 within 2us",
        ),
        (DurationRule(id="r", of="irq", percentiles={"p99": "2us"}), "irq: p99 within 2us"),
        (
            DurationRule(id="r", of="irq", max=parse_quantity("9us"), percentiles={"p99": "2us"}),
            "irq lasts at most 9us, p99 within 2us",
        ),
        (
            RecurrenceRule(id="r", event="irq", min=parse_quantity("1ms"), jitter=parse_quantity("2us")),
            "in the capture, period of irq.begin: at least 1ms, jitter within 2us",
        ),
        (
            RecurrenceRule(id="r", event="data", scope="transfer", percentiles={"p90": "9scl"}),
            "in each transfer, period of data: p90 within 9scl",
        ),
        (OrderRule(id="r", pattern="start\n stop"), "in each exchange: start stop"),
        (IntegrityRule(id="r", kinds=frozenset({"void", "glitch"})), "no glitch or void on the bus"),
    ],
)
def test_rules_in_a_sentence(rule: Rule, sentence: str) -> None:
    assert describe(rule) == sentence


def test_selectors_in_a_sentence() -> None:
    where = selector(
        address=["0x08..0x0a", 0x3C],
        not_address=9,
        direction=["read", "write"],
        outcome="acked",
        length=[0, "1..15", "17.."],
        bus=["b", "a"],
        time="1ms..",
    )
    rule = AbsenceRule(id="r", event="nack", where=where)
    assert describe_selector(where) == (
        "address 0x08..0x0a or 0x3c, address not 0x09, write or read, acked, length 0 or 1..15 or 17.., bus a or b, "
        "START at 1ms.."
    )
    assert describe(rule) == f"no nack in each exchange (transfers: {describe_selector(where)})"


def test_a_kind_without_a_sentence_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="no sentence for a rule of kind odd"):
        describe(Rule(id="r", kind="odd"))
