"""mutate: times below a min, idle times and periods, each caught by the very rule whose bound it breaks; two buses."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import tracecheck
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.mutate.delays import delays
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.marker_faults import marker_faults
from tracecheck.mutate.operators import CUTS, OPERATORS
from tracecheck.mutate.periods import periods
from tracecheck.mutate.run import Mutation, mutate
from tracecheck.mutate.scene import Scene
from tracecheck.mutate.wire_faults import wire_faults
from tracecheck.rules.file import load, load_many
from tracecheck.trace import Trace

SYNTHETIC = Path(__file__).parent.parent / "captures" / "synthetic"
BOUNDS = """
version = 1
extends = ["three-pin"]
[[rule]]
id = "wake-window"
kind = "response"
trigger = "irq.begin"
response = "wake"
min = "1us"
within = "50us"
[[rule]]
id = "interrupt-window"
kind = "precedence"
event = "irq.begin"
cause = "wire"
scope = "exchange"
min = "300ns"
within = "10ms"
[[rule]]
id = "ready-not-before"
kind = "response"
trigger = "irq.begin"
response = "ready"
min = "100ns"
[[rule]]
id = "handler-window"
kind = "duration"
marker = "irq"
min = "500ns"
max = "20us"
[[rule]]
id = "idle-window"
kind = "duration"
marker = "idle"
min = "20us"
max = "8ms"
[[rule]]
id = "polled"
kind = "recurrence"
event = "start"
min = "350us"
max = "8ms"
[[rule]]
id = "interrupts-recur"
kind = "recurrence"
event = "irq.begin"
max = "9ms"
[[rule]]
id = "steady"
kind = "recurrence"
event = "stop"
jitter = "6ms"
"""
EARLY = {"interrupt-early", "wake-early", "ready-early", "interval-short"}
IDLE = {"idle-long", "idle-short", "period-long", "period-short"}


@pytest.fixture(scope="module")
def found() -> Mutation:
    capture = tracecheck.open(SYNTHETIC / "synthetic-clean-three-pin-400k.sr")
    return mutate(capture, load("bounds.toml", BOUNDS), sites=2)


def test_each_bound_is_broken_and_its_own_rule_says_so(found: Mutation) -> None:
    aimed = [m for m in found.mutants if m.target is not None]
    assert {m.operator for m in aimed} >= EARLY | IDLE | {"interrupt-late", "wake-late", "interval-long"}
    assert [(m.operator, m.target, m.what) for m in aimed if m.target not in m.caught_by] == []
    assert {m.target for m in aimed} == set(found.rules)
    assert found.untried == ()


FACTORS = {"ns": 1, "us": 1000, "ms": 1_000_000}


def test_delays_are_one_and_a_half_times_each_bound_and_two_thirds_of_each_min(found: Mutation) -> None:
    seen = set()
    for mutant in found.mutants:
        form = re.search(r"([0-9.]+) (ns|us|ms)\b.*, (?:at least )?([0-9]+)(ns|us|ms) (allowed|asked)", mutant.what)
        if form is None or mutant.target is None:
            continue
        made, bound = float(form[1]) * FACTORS[form[2]], float(form[3]) * FACTORS[form[4]]
        # Rounded to samples of 42 ns, and two of them further; figures in words have three digits.
        by = 1.5 if form[5] == "allowed" else 2 / 3
        assert made == pytest.approx(bound * by, rel=0.011, abs=130), mutant.what
        seen.add((mutant.operator, form[5]))
    assert len(seen) >= 10


def test_what_the_bounds_are_not_for_is_said() -> None:
    text = """
version = 1
extends = ["two-pin"]
[[rule]]
id = "late"
kind = "response"
trigger = "irq.begin"
response = "run.end"
within = "1s"
min = "1ns"
[[rule]]
id = "most"
kind = "response"
trigger = "irq.begin"
response = "wake"
p50 = "50us"
[[rule]]
id = "inside"
kind = "recurrence"
event = "data"
scope = "transfer"
max = "1s"
[[rule]]
id = "clock"
kind = "timing"
mode = "fast"
parameters = ["tLOW"]
"""
    capture = tracecheck.open(SYNTHETIC / "synthetic-clean-two-pin.sr")
    said = mutate(capture, load("x.toml", text)).untried
    assert said == (
        ("late", "no operator makes run.end late"),
        ("late", "no operator makes run.end early"),
        ("most", "no operator makes so many instances late that a percentile breaks"),
        ("inside", "no operator changes the period of an event within one transfer"),
        ("clock", "no operator changes the bus's timing"),
    )


def test_an_operator_that_needs_a_bound_is_not_missed_without_one() -> None:
    capture = tracecheck.open(SYNTHETIC / "synthetic-clean-two-pin.sr")
    plain = mutate(capture, load_many([str(SYNTHETIC / "two-pin.rules.toml")]))
    assert {o.name for o in OPERATORS if o.asked}.isdisjoint(plain.idle)
    assert EARLY.isdisjoint(m.operator for m in plain.mutants)


# Two buses ------------------------------------------------------------------------------------------------------------

BOTH = [str(SYNTHETIC / "two-buses.rules.toml"), "i2c"]


def test_on_two_buses_each_is_tried_and_named() -> None:
    capture = tracecheck.open(SYNTHETIC / "synthetic-clean-two-buses.sr")
    both = mutate(capture, load_many(BOTH))
    assert both.schemes == {"i2c0": "two-pin", "i2c1": "two-pin"}
    operators = {bus: {m.operator for m in both.mutants if m.bus == bus} for bus in both.schemes}
    assert operators["i2c0"] == operators["i2c1"] and len(operators["i2c0"]) > 15
    assert all(m.shape.startswith(m.bus) for m in both.mutants)
    assert both.of("alarm") == ()
    late = [m for m in both.mutants if m.operator == "wake-late"]
    assert {m.bus for m in late} == {"i2c0", "i2c1"} and all("wake-after-interrupt" in m.caught_by for m in late)


def test_a_fault_on_one_bus_leaves_the_other_alone() -> None:
    capture, rules = tracecheck.open(SYNTHETIC / "synthetic-clean-two-buses.sr"), load_many(BOTH)
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    trace = Trace(capture.path, capture.rate_hz, wiring)
    for batch in decode_capture(capture, wiring, glitch_s=rules.glitch.amount):
        trace.add(batch)
    lines, tried = Lines.of(capture, wiring.bits), set()
    scenes = [Scene.of(trace, bus, lines, rules) for bus in wiring.buses]
    for scene, other in zip(scenes, reversed(scenes), strict=True):
        assert scene is not None and other is not None and not set(scene.bits) & set(other.bits)
        for source in (marker_faults, delays, periods, wire_faults):
            for candidate in list(source(scene))[::7]:
                if candidate.operator in CUTS:
                    continue
                made = candidate.make()
                tried.add(candidate.operator)
                for bit in other.bits:
                    assert np.array_equal(made.toggles[bit], lines.toggles[bit]), candidate.operator
    assert len(tried) > 12
