"""One line a transfer: the interrupt that ended it and its wake, against what the generator drew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.decoding.whole_lane import fed_to_the_end, fresh_lane
from tracecheck.report.latencies import Latencies, latencies
from tracecheck.report.style import Style
from tracecheck.report.transfers import TransferText
from tracecheck.rules.file import load
from tracecheck.timebase import time_text
from tracecheck.trace import Trace

SYNTHETIC = Path(__file__).parent.parent / "captures" / "synthetic"
EXPECTED: dict[str, Any] = json.loads((SYNTHETIC / "expected.json").read_text())
CASES = [(name, bus) for name, case in EXPECTED.items() for bus in case["truth"] if "cut-begin" not in name]


def latencies_of(trace: Trace, bus: str) -> Latencies:
    batch = trace.batch()
    lane = fresh_lane(trace.wiring, bus, batch, trace.settle)
    window = fed_to_the_end(lane, batch)
    assert window is not None
    return latencies(window, lane, trace.wiring.markers_of(bus))


def drawn(trace: Trace, style: Style, *, whole: bool = False) -> tuple[TransferText, list[str]]:
    text = TransferText(trace.wiring, trace.settle, trace.rate_hz, style, whole=whole)
    return text, [text.head, *"".join(piece.text for piece in text.pieces([trace.batch()])).splitlines()]


def transfer_lines(trace: Trace, style: Style, *, whole: bool = False) -> list[str]:
    return drawn(trace, style, whole=whole)[1]


def summary(trace: Trace) -> str:
    return drawn(trace, Style())[0].summary


@pytest.mark.parametrize(("name", "bus"), CASES)
def test_latencies_are_what_was_drawn(name: str, bus: str) -> None:
    """The interrupt at or after STOP, else the last before it; the wake that came before the next interrupt."""
    case = EXPECTED[name]
    rules = load(SYNTHETIC / case["verdicts"][0]["rules"])
    trace = tracecheck.decode(SYNTHETIC / name, rules=rules)
    found = latencies_of(trace, bus)
    settle = trace.settle
    drawn = sorted(i["begin"] for i in case["truth"][bus]["interrupts"])
    irqs = trace.marker_rows(next(m.name for m in trace.wiring.markers_of(bus) if m.role == "irq")).begins.tolist()
    assert set(drawn) <= set(irqs) or case["fault"] is not None
    runs = [m.name for m in trace.wiring.markers_of(bus) if m.role == "run"]
    polls = trace.marker_rows(runs[0]).begins.tolist() if runs else []
    rows = trace.columns(bus, "transfers")
    starts = rows["start"].tolist()
    for i, (start, stop, end) in enumerate(zip(starts, rows["stop"].tolist(), rows["end"].tolist(), strict=True)):
        close = min(starts[i + 1] if i + 1 < len(starts) else trace.end, end + settle + 1)
        mine = [at for at in irqs if start <= at < close]
        since = stop if stop >= 0 else start
        late, early = [at for at in mine if at >= since], [at for at in mine if at < since]
        irq = late[0] if late else early[-1] if early else -1
        following = min((at for at in irqs if at > irq), default=trace.end)
        wakes = [at for at in polls if irq <= at < min(following, close)] if irq >= 0 else []
        assert (int(found.irq[i]), int(found.wake[i])) == (irq, wakes[0] if wakes else -1)


def test_a_late_wake_stands_in_its_line() -> None:
    trace = tracecheck.decode(SYNTHETIC / "synthetic-late-wake.sr")
    lines = transfer_lines(trace, Style())
    assert len(lines) == 9
    assert lines[4] == "   1.814958 ms      3  acked            792 ns     154 us  0x3C W 00 21 07"
    (late,) = (i for i in EXPECTED["synthetic-late-wake.sr"]["truth"]["i2c0"]["interrupts"] if i["transfer"] == 3)
    assert time_text(late["wake"] - late["begin"], trace.rate_hz) == "154 us"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (140, "40 41 42 43 44 45 46 (6 more) 4D 4E 4F 50 51 52 53"),
        (100, "40 41 42 (14 more) 51 52 53"),
        (82, "40 41 (18 more)"),
        (80, "40 (19 more)"),
        (70, "(20)"),
        (40, "(20)"),
    ],
)
def test_long_data_is_shortened_to_the_width(width: int, shown: str) -> None:
    trace = tracecheck.decode(SYNTHETIC / "synthetic-late-wake.sr")
    line = transfer_lines(trace, Style(width))[5]
    assert line.endswith(f"0x3C W {shown}")
    assert len(line) <= max(width, len("   2.386583 ms      4  acked            375 ns    2.50 us  0x3C W (20)"))


def test_all_data_where_it_is_wanted() -> None:
    trace = tracecheck.decode(SYNTHETIC / "synthetic-late-wake.sr")
    line = transfer_lines(trace, Style(), whole=True)[5]
    assert line.endswith("0x3C W " + bytes(range(0x40, 0x54)).hex(" ").upper())


def test_no_markers_no_columns_for_them() -> None:
    trace = tracecheck.decode(SYNTHETIC.parent / "sigrok-dumps" / "pca9571_simple.sr")
    head, line = transfer_lines(trace, Style())
    assert head == f"{'time':>14}  {'#':>5}  {'outcome':<12}  transfer"
    assert line == f"{'4.000 us':>14}  {0:>5}  {'acked':<12}  0x25 W {trace.messages['data'][0].as_py().hex().upper()}"
    assert summary(trace) == "1 transfer"


def test_nacks_are_said() -> None:
    trace = tracecheck.decode(SYNTHETIC / "synthetic-clean-nacks.sr")
    lines = transfer_lines(trace, Style())[1:]
    nacked = [line for line in lines if "NACK" in line]
    outcomes = trace.transfers["outcome"].to_pylist()
    assert len(nacked) == outcomes.count("address-nack") > 0
    assert np.all(trace.columns("i2c0", "transfers")["transfer"] == np.arange(len(lines)))


def test_a_wake_belongs_to_the_interrupt_just_before_it() -> None:
    """Two interrupts after STOP and one wake: the first has none."""
    scl, sda, irq, run = 1, 2, 4, 8
    idle = scl | sda
    words = [idle] * 20 + [scl] * 5
    for bit in (0, 1, 0, 1, 0, 0, 0, 0, 0):  # address 0x28, write, acknowledged
        words += [bit * sda] * 5 + [bit * sda | scl] * 5
    words += [0] * 5 + [scl] * 5 + [idle] * 10
    for pins, length in ((irq, 4), (0, 6), (irq, 4), (0, 3), (run, 9), (0, 10)):
        words += [idle | pins] * length
    capture = ArrayCapture(np.array(words, np.uint8), 1_000_000, ("SCL", "SDA", "IRQ", "RUN"))
    trace = tracecheck.decode(capture)
    stop = 20 + 5 + 90 + 10
    assert trace.transfers["stop"].to_pylist() == [stop]
    found = latencies_of(trace, "i2c0")
    assert (found.irq.tolist(), found.wake.tolist()) == ([stop + 10], [-1])
    assert transfer_lines(trace, Style())[1] == (
        f"{'20.000 us':>14}  {0:>5}  {'acked':<12}  {'10.0 us':>9}  {'-':>9}  0x28 W"
    )
