"""Which lines are the bus, and which the markers: as asked, by name, or (buses only) by behaviour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from bus_strategies import Pen

from tracecheck import capture as captures
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture, Channel
from tracecheck.decoding.find import by_behaviour, by_name, wire
from tracecheck.decoding.markers import Coding
from tracecheck.errors import ChannelError

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
MANIFEST: list[dict[str, Any]] = json.loads((DUMPS / "manifest.json").read_text(encoding="utf-8"))["captures"]


@dataclass(frozen=True)
class Asked:
    """A bus or a marker that is asked for."""

    name: str
    scl: str | int | None = None
    sda: str | int | None = None
    channel: str | int = ""
    coding: Coding = "level"
    active: Literal["high", "low"] = "high"
    pulses: int | None = None
    role: str | None = None
    bus: str | None = None


def two_pin() -> Capture:
    return captures.open(DUMPS.parent / "synthetic" / "synthetic-clean-two-pin.sr")


def named(*names: str) -> list[tuple[str, str, str]]:
    return [(w.name, w.scl.name, w.sda.name) for w in by_name(Channel(name, i) for i, name in enumerate(names))]


def capture(*lines: Pen | list[int], names: tuple[str, ...] = ()) -> ArrayCapture:
    """Lines of a capture: a Pen's SCL and SDA, or levels; shorter ones keep their last level."""
    rows: list[list[int]] = []
    for line in lines:
        rows += [line.scl, line.sda] if isinstance(line, Pen) else [line]
    length = max(len(row) for row in rows)
    samples = np.zeros(length, np.uint16)
    for bit, row in enumerate(rows):
        samples |= np.array(row + row[-1:] * (length - len(row)), np.uint16) << np.uint16(bit)
    return ArrayCapture(samples, 1_000_000, names or tuple(f"D{i}" for i in range(len(rows))))


def talk(transfers: int = 3, low: int = 4) -> Pen:
    pen = Pen(low).idle(20)
    for value in range(transfers):
        pen.message(0x78, value, 0x5A).stop().idle(30)
    return pen


# By name --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("SCL", "SDA"), [("i2c0", "SCL", "SDA")]),
        (("sda", "x", "scl"), [("i2c0", "scl", "sda")]),
        (("CLK", "DATA"), [("i2c0", "CLK", "DATA")]),
        (("24LC515 SDA", "24LC515 SCL", "WP"), [("i2c0", "24LC515 SCL", "24LC515 SDA")]),
        (("SCL0", "SDA0", "SCL1", "SDA1"), [("i2c0", "SCL0", "SDA0"), ("i2c1", "SCL1", "SDA1")]),
        (
            ("I2C0_SCL", "I2C0_SDA", "I2C1_SCL", "I2C1_SDA"),
            [("i2c0", "I2C0_SCL", "I2C0_SDA"), ("i2c1", "I2C1_SCL", "I2C1_SDA")],
        ),
        (
            ("sda-eeprom", "scl-eeprom", "scl-rtc", "sda-rtc"),
            [("eeprom", "scl-eeprom", "sda-eeprom"), ("rtc", "scl-rtc", "sda-rtc")],
        ),
        (("SCL", "D1", "D2"), []),
        (("MISCLK", "SDA"), []),  # a token stands as a word of its own
        ((), []),
    ],
)
def test_by_name(names: tuple[str, ...], expected: list[tuple[str, str, str]]) -> None:
    assert named(*names) == expected


def test_names_go_before_behaviour() -> None:
    found = wire(capture(talk(), names=("SDA", "SCL")))
    assert [(w.scl.name, w.why) for w in found.buses] == [("SCL", "by name")]


# By behaviour ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_by_behaviour_whichever_way_round(swapped: bool) -> None:
    pen = talk()
    found, hints = by_behaviour(capture(*([pen.sda, pen.scl] if swapped else [pen.scl, pen.sda]), [0, 1] * 50))
    assert [(w.name, w.scl.bit, w.sda.bit, w.why) for w in found] == [
        ("i2c0", int(swapped), int(not swapped), "by behaviour: 3 clean transfers")
    ]
    assert hints == []


def test_a_second_bus_is_a_hint() -> None:
    found, hints = by_behaviour(capture(talk(5), talk(2, low=6)))
    assert [(w.scl.name, w.sda.name) for w in found] == [("D0", "D1")]
    assert hints == ["D2 and D3 behave like a bus too; add it with --bus NAME:scl=D2,sda=D3"]


def test_no_bus() -> None:
    nothing = capture([0, 1] * 40, [0, 0, 1, 1] * 20, names=("A", "B"))
    assert by_behaviour(nothing) == (
        [],
        ["no I2C bus found by name or behaviour; name its lines with --scl and --sda (channels: A, B)"],
    )
    assert wire(nothing).buses == ()
    empty = ArrayCapture(np.empty(0, np.uint8), 1_000_000)
    assert by_behaviour(empty) == ([], ["<array>: no bus: the capture is empty"])


@pytest.mark.parametrize("entry", MANIFEST, ids=[e["file"] for e in MANIFEST])
def test_real_captures(entry: dict[str, Any]) -> None:
    opened = captures.open(DUMPS / entry["file"])
    found, _ = by_behaviour(opened)
    told = [(w.scl.bit, w.sda.bit) for w in found]
    right = [(entry["scl"]["bit"], entry["sda"]["bit"])]
    # One is a chip being powered up: no transfer of it is clean, and nothing is claimed.
    assert told == ([] if entry["file"] == "st_m24c02_powerup_and_reset.sr" else right)
    chosen = wire(opened).buses
    assert [(w.scl.bit, w.sda.bit) for w in chosen] == right


# As asked -------------------------------------------------------------------------------------------------------------


def test_as_asked() -> None:
    found = wire(capture(talk(), talk()), [Asked("a", "D2", 3), Asked("b", 0, "D1")])
    assert [(w.name, w.scl.bit, w.sda.bit, w.why) for w in found.buses] == [("a", 2, 3, "named"), ("b", 0, 1, "named")]


def test_one_line_asked_for_finds_the_other() -> None:
    found = wire(capture(talk()), [Asked("x", scl="D0")])
    assert [(w.name, w.scl.name, w.sda.name) for w in found.buses] == [("x", "D0", "D1")]
    with pytest.raises(ChannelError) as caught:
        wire(capture(talk(), [0, 1] * 30), [Asked("x", sda="D2")])
    assert str(caught.value) == (
        '<array>: the other line of bus "x" was not found; give --scl too (channels: D0, D1, D2)'
    )


def test_wrong_names() -> None:
    with pytest.raises(ChannelError) as caught:
        wire(capture(talk(), names=("SCL", "SDA")), [Asked("x", "SLC", "SDA")])
    assert str(caught.value) == '<array>: no channel "SLC"; did you mean "SCL"? (channels: SCL, SDA)'
    with pytest.raises(ChannelError) as caught:
        wire(capture(talk()), [Asked("x", "D0", "0")])
    assert str(caught.value) == '<array>: SCL and SDA of bus "x" are the same channel "D0"'


# Markers --------------------------------------------------------------------------------------------------------------


def test_markers_by_name() -> None:
    found = wire(capture(talk(), [0, 1], [0, 1], [0, 1], names=("SCL", "SDA", "IRQ", "run", "LED")))
    assert [(m.name, m.channel.name, m.role, m.coding, m.bus) for m in found.markers] == [
        ("irq", "IRQ", "irq", "level", "i2c0"),
        ("run", "run", "run", "level", "i2c0"),
    ]
    assert found.lanes == ("i2c0",)


def test_one_pin_is_two_markers() -> None:
    found = wire(capture(talk(), [0, 1], names=("SCL", "SDA", "MARK")))
    assert [(m.name, m.coding, m.pulses, m.role) for m in found.markers] == [
        ("irq", "pulse-count", 1, "irq"),
        ("run", "pulse-count", 2, "run"),
    ]


def test_markers_of_two_buses() -> None:
    names = ("SCL0", "SDA0", "SCL1", "SDA1", "IRQ0", "I2C1_IRQ", "RUN")
    found = wire(capture(talk(), talk(), [0, 1], [0, 1], [0, 1], names=names))
    # RUN could be of either: it must be declared.
    assert [(m.name, m.role, m.bus) for m in found.markers] == [
        ("irq_i2c0", "irq", "i2c0"),
        ("irq_i2c1", "irq", "i2c1"),
    ]


def test_a_marker_that_is_not_there_is_a_hint() -> None:
    found = wire(capture(talk(), names=("SCL", "SDA")), (), [Asked("irq", channel="IRQ", role="irq")])
    assert found.markers == ()
    assert found.hints == ('marker "irq": no channel "IRQ" (channels: SCL, SDA); rules that need it cannot be checked',)


def test_markers_are_never_guessed() -> None:
    found = wire(capture(talk(), [0, 1, 0], names=("SCL", "SDA", "D2")))
    assert found.markers == ()
    assert found.hints == (
        "no markers: name one with --marker irq=CHANNEL, run=CHANNEL or pending=CHANNEL (channels: D2)",
    )


def test_a_marker_asked_for_and_missing_is_not_replaced_by_a_pin_of_that_name() -> None:
    asked = [Asked("irq", channel="TYPO", role="irq")]
    wiring = wire(two_pin(), (), asked)
    assert [(m.name, m.channel.name) for m in wiring.markers] == [("run", "RUN")]
    assert 'marker "irq": no channel "TYPO"' in wiring.hints[0]


def test_a_marker_on_a_line_of_the_bus_is_refused() -> None:
    capture = two_pin()
    with pytest.raises(ChannelError) as raised:
        wire(capture, (), [Asked("irq", channel="SCL", role="irq")])
    assert raised.value.reason == 'marker "irq" is on channel "SCL", a line of bus "i2c0"'


def test_two_buses_cannot_share_a_line() -> None:
    capture = two_pin()
    twice = [Asked(name, scl="SCL", sda="SDA") for name in ("i2c0", "i2c1")]
    with pytest.raises(ChannelError) as raised:
        wire(capture, twice)
    said = 'channel "SCL" is given to bus "i2c0" and to bus "i2c1"; each bus has lines of its own'
    assert raised.value.reason == said


def test_swapped_lines_are_told() -> None:
    wiring = wire(two_pin(), [Asked("i2c0", scl="SDA", sda="SCL")])
    assert wiring.hints == ('bus "i2c0": SCL and SDA look swapped; their channels are named the other way',)
