"""The shipped presets: they load, explain themselves, and claim no more than the driver's source says."""

from __future__ import annotations

import re

import pytest

from tracecheck.rules.describe import describe
from tracecheck.rules.file import load, load_many
from tracecheck.rules.library import preset_names, preset_text, presets
from tracecheck.rules.model import IntegrityRule, OccurrenceRule, OrderRule, ResponseRule, Rule, RuleSet


@pytest.fixture(scope="module")
def driver() -> RuleSet:
    return load("embassy-rp")


def rule(rules: RuleSet, id_: str) -> Rule:
    return next(rule for rule in rules.rules if rule.id == id_)


def test_names_and_summaries() -> None:
    assert presets() == {
        "embassy-rp": "The async I2C driver of embassy-rp on an RP2040: its interrupts and wakes, where it puts them",
        "i2c": "Integrity of the bus: what a healthy I2C bus does not show, whatever hangs on it",
        "irq-only": "One marker pin: IRQ while the handler runs",
        "one-pin": "Markers on one pin, MARK: one pulse for the interrupt, two for the wake",
        "three-pin": "Markers on three pins: IRQ while the handler runs, PENDING from task ready to poll, "
        "RUN while the task is polled",
        "two-pin": "Markers on two pins: IRQ while the handler runs, RUN while the task is polled",
    }
    with pytest.raises(FileNotFoundError):
        preset_text("../model")


def test_all_together_they_fit() -> None:
    together = load_many(["i2c", "embassy-rp"])
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
        assert isinstance(each, IntegrityRule) and each.where.is_everything
        by_severity[each.severity] |= each.kinds
    assert by_severity == {
        "error": {"partial-byte", "ack-interrupted", "missing-stop", "void", "stray-stop", "stuck-low"},
        "warning": {"stray-clocks", "bus-recovery", "glitch"},
        "note": set(),
    }


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


def counted(rules: RuleSet, direction: str, length: int, severity: str) -> tuple[int, int | None]:
    """The tightest count that rules of this severity ask of an acknowledged transfer."""
    low, high = 0, None
    for each in rules.rules:
        where = each.where
        if not isinstance(each, OccurrenceRule) or each.severity != severity or where.outcome != frozenset({"acked"}):
            continue
        if where.direction != frozenset({direction}) or not any(
            a <= length <= (b or length) for a, b in where.length or ()
        ):
            continue
        low = max(low, each.min)
        high = each.max if high is None or each.max is None else min(high, each.max)
    return low, high


@pytest.mark.parametrize("n", range(1, 65))
def test_interrupts_of_writes_follow_the_driver(driver: RuleSet, n: int) -> None:
    """K or K + 1 for n >= 17, floor(n/17) <= K <= floor((n-1)/15); 1 for n <= 15; 1 or 2 for 16.

    That there is one at all, after STOP, another rule asks of every write.
    """
    least = n // 17 if n >= 34 else 0
    most = 1 if n <= 15 else 2 if n == 16 else (n - 1) // 15 + 1
    assert counted(driver, "write", n, "warning") == ((0, most) if n <= 15 else (0, None))
    assert counted(driver, "write", n, "error") == (least, None if n <= 15 else most + 1), "one more: an older mask"


@pytest.mark.parametrize("n", range(1, 65))
def test_interrupts_of_reads_follow_the_driver(driver: RuleSet, n: int) -> None:
    batches = (n + 15) // 16
    assert counted(driver, "read", n, "error") == (batches, None)
    assert counted(driver, "read", n, "warning") == (0, batches + 2), "several reads of one transaction look like one"


def test_every_async_transfer_must_have_an_interrupt(driver: RuleSet) -> None:
    """A transfer whose interrupt is lost never wakes its task: that is an error, whatever its shape."""
    ends = rule(driver, "embassy-write-ends-with-interrupt")
    assert isinstance(ends, ResponseRule) and (ends.trigger, ends.response) == ("stop", "irq.begin")
    assert ends.where.direction == frozenset({"write"}) and ends.severity == "error"
    asked = [r for r in driver.rules if isinstance(r, OccurrenceRule) and r.min > 0]
    assert {r.severity for r in asked} == {"error"} and {r.event for r in asked} == {"irq.begin"}
    assert {outcome for r in asked for outcome in r.where.outcome or ()} == {"acked", "address-nack", "data-nack"}


def test_rules_for_certain_traffic_or_markers_are_optional(driver: RuleSet) -> None:
    demanding = {each.id for each in driver.rules if not each.optional}
    assert demanding == {"embassy-wake", "embassy-wake-prompt", "embassy-interrupt-late", "embassy-interrupt-prompt"}
    for each in driver.rules:
        if not each.where.is_everything or "ready" in each.events:
            assert each.optional, each.id


def test_nothing_orders_the_task_and_stop_after_a_nack(driver: RuleSet) -> None:
    for each in driver.rules:
        if isinstance(each, OrderRule):
            assert each.where.outcome == frozenset({"acked"})
