"""A capture that begins inside a transfer: what hangs on bytes that it does not hold is cut, and nothing fails."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from bus_strategies import Pen

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.mutate.lines import Lines
from tracecheck.rules.file import load, load_many
from tracecheck.rules.verdict import Report

PICO = Path(__file__).parent.parent / "captures" / "pico"


@pytest.mark.parametrize(
    ("capture", "rules"),
    [
        ("pico-clean-unseen-mixed-400k", "three-pin"),
        ("pico-clean-mixed-one-pin", "one-pin"),
        ("pico-clean-mixed-irq-only", "irq-only"),
    ],
)
def test_wherever_a_clean_recording_begins_no_rule_fails(capture: str, rules: str) -> None:
    whole, judged_by = tracecheck.open(PICO / f"{capture}.sr"), load_many([str(PICO / f"{rules}.rules.toml")])
    lines = Lines.of(whole, [channel.bit for channel in whole.channels])
    transfers = tracecheck.decode(whole, rules=judged_by).columns("i2c0", "transfers")
    random, inside = Random(4), 0
    for _ in range(40):
        i = random.randrange(len(transfers["start"]))
        begin = random.randrange(int(transfers["start"][i]), int(transfers["end"][i]) + 1)
        report = tracecheck.analyze(lines.cut(begin, lines.end).as_capture(whole), judged_by)
        assert {r.rule.id: r.failed for r in report.rules if r.failed} == {}, begin
        inside += any(r.cut for r in report.rules)
    assert inside > 10


RULES = """
version = 1
[[rule]]
id = "framing"
kind = "integrity"
kinds = ["partial-byte"]
[[rule]]
id = "no-nack"
kind = "absence"
event = "nack"
scope = "capture"
[[rule]]
id = "short"
kind = "precedence"
event = "stop"
cause = "restart"
within = "1us"
where = { direction = "write" }
"""


WHOLE = """
version = 1
[[rule]]
id = "order"
kind = "order"
scope = "capture"
pattern = "(start address data stop)*"
[[rule]]
id = "count"
kind = "occurrence"
scope = "capture"
event = "nack"
max = 0
"""


@pytest.mark.parametrize("clock", [None, 12])
def test_of_the_whole_capture_nothing_fails_by_bytes_that_were_misread(clock: int | None) -> None:
    drawn = pen().message(0x78, 0x0F, 0x00).stop().idle(30).message(0x78, 0x0F).byte(0x55, 1).stop().idle(30)
    begin = 0 if clock is None else high_and_low(drawn, clock)
    bus = drawn.bus()
    samples = (np.array(bus.scl, np.uint8) | np.array(bus.sda, np.uint8) << 1)[begin:]
    capture = ArrayCapture(samples, 1_000_000, ("SCL", "SDA"))
    found = {r.rule.id: (r.failed, r.cut) for r in tracecheck.analyze(capture, load("x.toml", WHOLE)).rules}
    assert found == dict.fromkeys(("order", "count"), (1, 0) if clock is None else (0, 1))


def judged(pen: Pen, begin: int) -> tuple[Report, dict[str, tuple[int, int]]]:
    """The report on what `pen` drew from sample `begin` on, and for each rule how many failed and were cut."""
    bus = pen.bus()
    samples = (np.array(bus.scl, np.uint8) | np.array(bus.sda, np.uint8) << 1)[begin:]
    report = tracecheck.analyze(
        ArrayCapture(samples, 1_000_000, ("SCL", "SDA")), load("x.toml", RULES), keep_checks=True
    )
    return report, {r.rule.id: (r.failed, r.cut) for r in report.rules}


def high_and_low(pen: Pen, clock: int) -> int:
    """A sample in which SCL is high and SDA low, in the first clock from number `clock` on of which that is true."""
    scl, sda = (np.array(line, np.uint8) for line in (pen.bus().scl, pen.bus().sda))
    rises = np.flatnonzero(np.diff(scl.astype(np.int8)) == 1) + 1
    return next(int(at) for at in rises[clock:] if not sda[at : at + 2].any())


def pen() -> Pen:
    return Pen(low=6, high=5, setup=2).idle(30)


def test_bytes_that_are_read_from_an_assumed_start_are_cut() -> None:
    drawn = pen().message(0x78, 0x0F, 0x00).stop().idle(30)
    report, counts = judged(drawn, high_and_low(drawn, 12))
    assert counts["framing"] == (0, 1) and counts["no-nack"][0] == 0 and counts["short"][0] == 0
    said = [row["message"] for row in report.checks.to_pylist() if row["rule"] == "framing"]
    assert said == [
        "the capture begins inside this transfer: what its bytes say, and of which sort it is, is not known"
    ]


def test_after_a_repeated_start_its_bytes_are_sure_and_its_sort_is_not() -> None:
    drawn = pen().message(0x78, 0x00).message(0x78, 0x00).byte(0x55, 1).stop().idle(30)
    _, counts = judged(drawn, high_and_low(drawn, 3))
    assert counts["no-nack"][0] == 1, "the NACK came after the repeated START"
    assert counts["short"] == (0, 1), "whether it was a write from the beginning is not known"
