"""How the rows are cut into batches changes nothing: the same instances, in the same order, and the same report."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_rules import LaneData
from rule_lines import lane
from rule_strategies import CUTS, batches_of, lanes, rule_sets, rules, whole, wiring_of

from tracecheck.decoding.stream import Batch
from tracecheck.decoding.wiring import Wiring
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import (
    AbsenceRule,
    AnyRule,
    DurationRule,
    IntegrityRule,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    RuleSet,
)
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.result import RuleResult
from tracecheck.rules.tally import Judged
from tracecheck.rules.verdict import Report

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "250"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
COLUMNS = ("at", "transfer", "verdict", "value", "reason", "period", "extra")


def results(
    batches: list[Batch], rules: RuleSet, wiring: Wiring, rate_hz: int | None, **kept: Any
) -> tuple[RuleResult, ...]:
    engine = Engine(rules, wiring, rate_hz, **(kept or {"keep": True}))
    for batch in batches:
        engine.feed(batch)
    return engine.results()


def told(found: tuple[RuleResult, ...], capture: LaneData) -> list[object]:
    """All there is to say about a result."""
    report = Report({"path": "x"}, found, rate_hz=capture.rate_hz)
    return [
        report.verdict,
        report.exit_code(strict=True),
        [asdict(finding) for finding in report.findings],
        [(r.verdict, r.passed, r.failed, r.inconclusive, r.cut, r.missing, r.stats, r.closest) for r in found],
        [list(r.statistics) for r in found],
    ]


@thorough
@given(st.data())
def test_cuts_change_nothing(data: st.DataObject) -> None:
    the_same_however_cut(*data.draw(lanes().flatmap(rule_sets)), data.draw(CUTS))


@settings(thorough, max_examples=max(EXAMPLES // 2, 20))
@given(st.data())
def test_cuts_change_no_timing(data: st.DataObject) -> None:
    lane = data.draw(lanes().filter(lambda lane: lane.timings))
    the_same_however_cut(*data.draw(rule_sets(lane, ("timing",))), data.draw(CUTS))


def the_same_however_cut(rules: RuleSet, lane: LaneData, cuts: list[tuple[int, int]]) -> None:
    once = results([whole(lane)], rules, wiring_of(lane), lane.rate_hz)
    often = results(batches_of(lane, cuts), rules, wiring_of(lane), lane.rate_hz)
    for a, b in zip(once[0].lanes, often[0].lanes, strict=True):
        for column in COLUMNS:
            np.testing.assert_array_equal(getattr(a.found, column), getattr(b.found, column), column)
    assert told(once, lane) == told(often, lane)


@settings(thorough, max_examples=max(EXAMPLES // 8, 20))
@given(st.data())
def test_a_batch_for_every_sample(data: st.DataObject) -> None:
    lane = data.draw(lanes())
    rules, lane = data.draw(rule_sets(lane))
    once = results([whole(lane)], rules, wiring_of(lane), lane.rate_hz)
    often = results(batches_of(lane, [(s, 0) for s in range(1, lane.end)]), rules, wiring_of(lane), lane.rate_hz)
    assert told(once, lane) == told(often, lane)


ON_THE_EDGE = "start@10 address@12 stop@20 irq@30-31 run@30-33 start@30 address@34 stop@40 irq@45-46 run@50-51"
EDGE_RULES: list[AnyRule] = [
    OccurrenceRule(id="r", event="irq", min=1, max=1),
    AbsenceRule(id="r", event="run"),
    ResponseRule(id="r", trigger="stop", response="irq"),
    ResponseRule(id="r", trigger="address", response="irq", scope="exchange"),
    PrecedenceRule(id="r", event="irq", cause="stop", scope="exchange"),
    OrderRule(id="r", pattern="start address stop irq wake"),
    DurationRule(id="r", of="idle", max=parse_quantity("8us")),
    RecurrenceRule(id="r", event="irq", max=parse_quantity("10us"), jitter=parse_quantity("1us")),
    RecurrenceRule(id="r", event="irq", scope="exchange", max=parse_quantity("12us")),
    ResponseRule(id="r", trigger="stop", response="irq", percentiles={"p50": "8us", "max": "12us"}),
    IntegrityRule(id="r", kinds=frozenset({"glitch"})),
]


@pytest.mark.parametrize("rule", EDGE_RULES, ids=[rule.kind for rule in EDGE_RULES])
def test_markers_in_the_sample_of_the_next_start(rule: AnyRule) -> None:
    """The START that closes an exchange, and all that coincides with it, stand in the window after."""
    data = lane(ON_THE_EDGE, end=100, settle=30)
    rules = RuleSet(rules=(rule,), settle=parse_quantity("30us"), timebase_ppm=0)
    once = results([whole(data)], rules, wiring_of(data), data.rate_hz)
    for sample in range(1, 100):
        for skew in (-3, 0, 3):
            often = results(batches_of(data, [(sample, skew)]), rules, wiring_of(data), data.rate_hz)
            assert told(often, data) == told(once, data), (sample, skew)


def renamed(batch: Batch, bus: str) -> Batch:
    """The same batch, as of another bus whose markers bear its name."""
    return Batch(
        dict.fromkeys([bus], *batch.buses.values()),
        {f"{role}_{bus}": rows for role, rows in batch.markers.items()},
        dict.fromkeys([bus], *batch.watermarks.values()),
        dict.fromkeys([bus], *batch.synced.values()),
        {f"{role}_{bus}": active for role, active in batch.initially_active.items()},
        batch.end,
        batch.final,
        dict.fromkeys([bus], *batch.timings.values()),
    )


def beside(a: Batch, b: Batch) -> Batch:
    """Two buses in one batch."""
    return Batch(
        a.buses | b.buses,
        a.markers | b.markers,
        a.watermarks | b.watermarks,
        a.synced | b.synced,
        a.initially_active | b.initially_active,
        max(a.end, b.end),
        a.final and b.final,
        a.timings | b.timings,
    )


@settings(thorough, max_examples=max(EXAMPLES // 4, 20))
@given(st.data())
def test_two_buses_are_judged_apart(data: st.DataObject) -> None:
    first = data.draw(lanes())
    second = data.draw(lanes())
    rule = data.draw(rules(first))
    ruleset = RuleSet(rules=(rule,))
    alone: list[Judged] = []
    wirings, batches = [], []
    for one, bus in ((first, "i2c0"), (second, "i2c1")):
        wired = wiring_of(one)
        wires = tuple(type(m)(f"{m.name}_{bus}", m.channel, role=m.role, bus=bus) for m in wired.markers)
        buses = tuple(type(b)(bus, b.scl, b.sda) for b in wired.buses)
        wirings.append(Wiring(buses, wires))
        batches.append(renamed(whole(one), bus))
        alone += results([batches[-1]], ruleset, wirings[-1], first.rate_hz)[0].lanes
    both = Wiring(wirings[0].buses + wirings[1].buses, wirings[0].markers + wirings[1].markers)
    (together,) = results([beside(*batches)], ruleset, both, first.rate_hz)
    # Each lane's own end is the capture's end here, as the watermarks say.
    assert [part.bus for part in together.lanes] == [part.bus for part in alone]
    for a, b in zip(alone, together.lanes, strict=True):
        for column in COLUMNS:
            if a.bus == ("i2c0" if first.end >= second.end else "i2c1"):
                np.testing.assert_array_equal(getattr(a.found, column), getattr(b.found, column), column)
