"""The shipped presets: they load, explain themselves, and claim no more than the driver's source says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_driver_model import shapes

from tracecheck.rules.describe import describe
from tracecheck.rules.file import load, load_many
from tracecheck.rules.library import preset_names, preset_text, presets
from tracecheck.rules.model import IntegrityRule, OccurrenceRule, OrderRule, ResponseRule, Rule, RuleSet
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.vocabulary import canonical


@pytest.fixture(scope="module")
def driver() -> RuleSet:
    return load("embassy-rp")


def test_every_rule_that_the_page_names_is_shipped() -> None:
    page = (Path(__file__).parent.parent / "docs" / "embassy.md").read_text(encoding="utf-8")
    shipped = {rule.id for name in preset_names() for rule in load(name).rules}
    named = set(re.findall(r"`((?:embassy|i2c)-[a-z0-9-]+)`", page)) - {"embassy-rp"}
    assert len(named) > 15 and named <= shipped


def rule(rules: RuleSet, id_: str) -> Rule:
    return next(rule for rule in rules.rules if rule.id == id_)


def test_names_and_summaries() -> None:
    assert presets() == {
        "embassy-rp": "The async I2C driver of embassy-rp on an RP2040: its interrupts and wakes, where it puts them",
        "i2c": "Integrity of the bus: what a healthy I2C bus does not show, whatever hangs on it",
        "irq-only": "One marker pin: IRQ while the handler runs",
        "one-pin": "Markers on one pin, MARK: one pulse for the interrupt, two for the wake",
        "i2c-fast": "Bus timing of Fast-mode, up to 400 kHz: the table of UM10204, edge by edge",
        "i2c-fast-plus": "Bus timing of Fast-mode Plus, up to 1 MHz: the table of UM10204, edge by edge",
        "i2c-standard": "Bus timing of Standard-mode, up to 100 kHz: the table of UM10204, edge by edge",
        "rp2040-timing": "Bus timing of an RP2040, in the mode that fits its clock; what the chip "
        "itself does otherwise is a warning",
        "smbus": "SMBus time-outs and its slowest clock; the rest of its timing is that of the mode, "
        "such as i2c-standard",
        "three-pin": "Markers on three pins: IRQ while the handler runs, PENDING from task ready to poll, "
        "RUN while the task is polled",
        "two-pin": "Markers on two pins: IRQ while the handler runs, RUN while the task is polled",
    }
    with pytest.raises(FileNotFoundError):
        preset_text("../model")


def test_all_together_they_fit() -> None:
    together = load_many([name for name in preset_names() if load(name).rules])
    assert len(together.rules) == sum(len(load(name).rules) for name in preset_names())


@pytest.mark.parametrize(
    ("scheme", "pins"),
    [
        ("three-pin", {"irq": "IRQ", "pending": "PENDING", "run": "RUN"}),
        ("two-pin", {"irq": "IRQ", "run": "RUN"}),
        ("irq-only", {"irq": "IRQ"}),
    ],
)
def test_a_scheme_declares_its_markers(scheme: str, pins: dict[str, str]) -> None:
    together = load_many([scheme, "embassy-rp", "i2c"])
    assert {name: spec.channel for name, spec in together.markers.items()} == pins
    assert {spec.coding for spec in together.markers.values()} == {"level"}


def test_one_pin_tells_its_markers_by_pulses() -> None:
    together = load_many(["one-pin", "embassy-rp", "i2c"])
    assert {name: (m.channel, m.coding, m.pulses) for name, m in together.markers.items()} == {
        "irq": ("MARK", "pulse-count", 1),
        "run": ("MARK", "pulse-count", 2),
    }


@pytest.mark.parametrize("name", ["i2c", "embassy-rp"])
def test_every_rule_says_why_in_a_sentence(name: str) -> None:
    rules = load(name)
    assert rules.rules
    for each in rules.rules:
        assert re.fullmatch(r"[A-Z].*\.", each.why), each.id
        assert each.source == name and each.id.startswith(name.removesuffix("-rp"))
        assert describe(each)


def test_integrity_names_what_is_wrong_and_nothing_that_is_normal() -> None:
    by_severity: dict[str, set[str]] = {"error": set(), "warning": set(), "note": set()}
    for each in load("i2c").rules:
        if each.id == "i2c-nack-ends-message":
            continue
        assert isinstance(each, IntegrityRule) and each.where.is_everything
        by_severity[each.severity] |= each.kinds
    assert by_severity == {
        "error": {"partial-byte", "ack-interrupted", "missing-stop", "void", "stray-stop", "stuck-low"},
        "warning": {"stray-clocks", "bus-recovery", "glitch"},
        "note": set(),
    }


def test_a_nack_ends_its_message() -> None:
    each = rule(load("i2c"), "i2c-nack-ends-message")
    assert isinstance(each, OrderRule)
    for events, allowed in (
        ("start ack ack stop", True),
        ("start ack nack stop", True),
        ("start nack restart ack nack stop", True),
        ("start nack ack stop", False),
        ("start ack nack nack stop", False),
    ):
        state = each.dfa.start
        for event in events.split():
            state = int(each.dfa.table[state, each.dfa.symbols.index(event)])
        assert bool(each.dfa.accepting[state]) == allowed, events


SHORT = ["start", "address", "data", "stop"]


@pytest.mark.parametrize(
    ("more", "matches"),
    [
        (["irq.begin", "wake"], True),
        (["irq.begin", "wake", "irq.begin", "wake"], True),
        ([], True),  # the missing interrupt is another rule's to name
        (["wake", "irq.begin"], False),
        (["irq.begin"], False),
        (["irq.begin", "irq.begin", "wake"], False),
    ],
)
def test_order_of_a_short_write(driver: RuleSet, more: list[str], matches: bool) -> None:
    order = rule(driver, "embassy-short-write-order")
    assert isinstance(order, OrderRule) and order.severity == "error"
    assert order.dfa.matches(SHORT + more) is matches


def test_an_interrupt_before_the_stop_of_a_short_write_is_no_match(driver: RuleSet) -> None:
    order = rule(driver, "embassy-short-write-order")
    assert isinstance(order, OrderRule)
    assert not order.dfa.matches(["start", "address", "data", "irq.begin", "wake", "stop"])


def counted(rules: RuleSet, direction: str, n: int, m: int, severity: str) -> tuple[int, int | None]:
    """The tightest count that rules of this severity ask of an acknowledged transfer of n, and then m, data bytes."""
    low, high = 0, None
    for each in rules.rules:
        where = each.where
        if not isinstance(each, OccurrenceRule) or each.severity != severity or where.outcome != frozenset({"acked"}):
            continue
        if direction not in (where.direction or ()) or not any(
            a <= n + m <= (b or n + m) for a, b in where.length or ((0, None),)
        ):
            continue
        least, most = each.min, each.max
        if each.driver is not None:
            counts = each.driver.interrupts(shapes(direction, n, m))
            least = 0 if each.only == "max" else int(counts.least[0])
            most = None if each.only == "min" else int(counts.most[0]) + each.spare
        low = max(low, least)
        high = most if high is None or most is None else min(high, most)
    return low, high


@pytest.mark.parametrize("n", range(1, 65))
def test_interrupts_of_writes_follow_the_driver(driver: RuleSet, n: int) -> None:
    """From 17 to 15 bytes for each interrupt but the last; one more is let pass: an older mask.

    That there is one at all, after STOP, another rule asks of every write.
    """
    if n <= 15:
        assert counted(driver, "write", n, 0, "warning") == (0, 1)
        assert counted(driver, "write", n, 0, "error") == (0, None)
    else:
        assert counted(driver, "write", n, 0, "warning") == (0, None)
        assert counted(driver, "write", n, 0, "error") == ((n + 16) // 17, (n - 1) // 15 + 2)


@pytest.mark.parametrize("n", range(1, 65))
def test_interrupts_of_reads_follow_the_driver(driver: RuleSet, n: int) -> None:
    batches = (n + 15) // 16
    assert counted(driver, "read", n, 0, "error") == (batches, None)
    most = batches + 2
    assert counted(driver, "read", n, 0, "warning") == (0, most), "several reads of one transaction look like one"


def test_interrupts_of_write_reads_follow_the_driver(driver: RuleSet) -> None:
    assert counted(driver, "write-read", 1, 40, "error") == (3, None)
    assert counted(driver, "write-read", 1, 40, "warning") == (0, 5)
    assert counted(driver, "write-read", 15, 16, "warning") == (0, 4), "a first batch of one byte, then 15"


def test_every_async_transfer_must_have_an_interrupt(driver: RuleSet) -> None:
    """A transfer whose interrupt is lost never wakes its task: that is an error, whatever its shape."""
    ends = rule(driver, "embassy-write-ends-with-interrupt")
    assert isinstance(ends, ResponseRule) and (ends.trigger, ends.response) == ("stop", "irq.begin")
    assert ends.where.direction == frozenset({"write"}) and ends.severity == "error"
    counts = [r for r in driver.rules if isinstance(r, OccurrenceRule)]
    asked = [r for r in counts if r.min > 0 or (r.driver is not None and r.only != "max")]
    assert {r.severity for r in asked} == {"error"} and {r.event for r in asked} == {"irq.begin"}
    assert {outcome for r in asked for outcome in r.where.outcome or ()} == {"acked", "address-nack", "data-nack"}


def test_rules_for_certain_traffic_or_markers_are_optional(driver: RuleSet) -> None:
    demanding = {each.id for each in driver.rules if not each.optional}
    assert demanding == {"embassy-wake", "embassy-wake-prompt", "embassy-interrupt-late", "embassy-interrupt-prompt"}
    for each in driver.rules:
        if not each.where.is_everything or "ready" in each.events:
            assert each.optional, each.id


def test_nothing_orders_the_task_and_stop_after_a_nack(driver: RuleSet) -> None:
    refused = "start address data nack"
    for each in driver.rules:
        if not isinstance(each, OrderRule) or each.where.outcome == frozenset({"acked"}):
            continue
        assert each.driver is not None
        (index,) = each.driver.order_of(shapes("write", 1, outcome="data-nack")).tolist()
        dfa = compile_pattern(each.driver.orders[index].pattern)
        for race in ("irq wake stop", "irq stop wake", "stop irq wake", "irq wake stop irq wake", "stop"):
            assert dfa.matches([canonical(event) for event in f"{refused} {race}".split()])
