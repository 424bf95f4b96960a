"""Drawings are true: every cell says what its line did in the samples its column covers, and nothing is too wide."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracecheck
from tracecheck.decoding.exchanges import SETTLE_S, settle_samples
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.exchange import Exchange, Mark, Wave, read_exchange
from tracecheck.outline import Outline, TransferFacts
from tracecheck.report.columns import Column, find, layout
from tracecheck.report.drawing import draw
from tracecheck.report.style import Style

CAPTURES = Path(__file__).parent.parent / "captures"
SOME = (
    "synthetic/synthetic-late-wake.sr",
    "synthetic/synthetic-clean-one-pin.sr",
    "synthetic/synthetic-clean-two-buses.sr",
    "synthetic/synthetic-cut-begin.sr",
    "synthetic/synthetic-stretch.sr",
    "sigrok-dumps/ds3231_ex1.sr",
    "sigrok-dumps/rtc_ds1307_200khz_no_samplerate.sr",
)
# What a cell says: level before, edges.
SAYS = {
    (" ", "─"): (0, 0),
    (" ", "┄"): (0, 0),
    ("─", " "): (1, 0),
    ("┄", " "): (1, 0),
    ("┌", "┘"): (0, 1),
    ("┐", "└"): (1, 1),
    ("╷", "┴"): (0, 2),
    ("┬", "╵"): (1, 2),
}
SAYS_PLAIN = {"_": (0, 0), ".": (0, 0), "-": (1, 0), "=": (1, 0), "/": (0, 1), "\\": (1, 1), "^": (0, 2), "v": (1, 2)}


def exchanges(name: str, most: int = 8) -> list[Exchange]:
    capture = tracecheck.open(CAPTURES / name)
    wiring, outline = wire(capture), Outline()
    for batch in decode_capture(capture, wiring):
        outline.add(batch)
    settle = settle_samples(SETTLE_S, capture.rate_hz)
    facts = [outline.facts(bus, i) for bus in outline.buses for i in range(min(most, outline.count))]
    return [read_exchange(capture, wiring, f, settle) for f in facts if f is not None]


def check_cells(exchange: Exchange, width: int, unicode: bool) -> None:
    lines = draw(exchange, Style(width, unicode=unicode)).split("\n")[1:]
    assert max(map(len, lines)) <= width
    gutter = max(len(wave.name) for wave in exchange.waves) + 2
    columns = layout(exchange, width - gutter)
    height = 2 if unicode else 1
    for i, wave in enumerate(exchange.waves):
        rows = lines[2 + i * height : 2 + (i + 1) * height]
        assert rows[-1].startswith(wave.name)
        cells = [row[gutter:].ljust(len(columns)) for row in rows]
        for j, column in enumerate(columns):
            if column.left_out:
                continue
            inside = [at for at in wave.edges.tolist() if column.begin <= at < column.end]
            level = (wave.initial + sum(at < column.begin for at in wave.edges.tolist())) % 2
            if unicode:
                cell = (cells[0][j], cells[1][j])
                found = (level, 3) if cell == ("▒", "▒") else SAYS[cell]
            else:
                found = (level, 3) if cells[0][j] == "#" else SAYS_PLAIN[cells[0][j]]
            assert found == (level, min(len(inside), 3)), (wave.name, column)


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("name", SOME)
def test_every_cell_is_true(name: str, width: int, unicode: bool) -> None:
    drawn = exchanges(name)
    assert drawn
    for exchange in drawn:
        check_cells(exchange, width, unicode)


@pytest.mark.parametrize("name", SOME)
def test_columns_follow_each_other(name: str) -> None:
    for exchange in exchanges(name):
        for width in (20, 71, 151, 1000):
            columns = layout(exchange, width)
            assert len(columns) <= width
            assert columns[0].begin == exchange.begin
            assert columns[-1].end == exchange.end
            assert all(a.end == b.begin and b.begin < b.end for a, b in pairwise(columns) if not b.left_out)


def test_enough_room_leaves_nothing_out_and_shows_every_clock() -> None:
    for exchange in exchanges("synthetic/synthetic-late-wake.sr"):
        columns = layout(exchange, 2000)
        assert not any(column.left_out for column in columns)
        for wave in exchange.waves:
            shown = [find(columns, at) for at in wave.edges.tolist()]
            if wave.name != "SDA":
                assert len(set(shown)) == len(shown), wave.name


@st.composite
def made_up(draw_: st.DrawFn) -> Exchange:
    """Lines that change anywhere, also in ways that no bus has."""
    end = draw_(st.integers(20, 400))
    start, stop = sorted(draw_(st.tuples(st.integers(1, end - 2), st.integers(1, end - 2))))

    def edges(most: int) -> np.ndarray:
        return np.array(sorted(draw_(st.sets(st.integers(1, end - 1), max_size=most))), np.int64)

    waves = tuple(
        Wave(name, draw_(st.integers(0, 1)), edges(most), name in ("SCL", "SDA"))
        for name, most in (("SCL", 80), ("SDA", 40), ("irq", 8), ("run", 20))
    )
    marks = [Mark(start, start, "S"), Mark(stop, stop, "P")]
    at = start + 1
    while at + 8 < stop:
        marks += [Mark(at, at + 7, f"{at % 256:02X}"), Mark(at + 8, at + 8, "A")]
        at += draw_(st.integers(9, 60))
    facts = TransferFacts("i2c0", 0, start, stop, stop, 0x3C, "write", 1, "acked", draw_(st.integers(0, 12)), 0, None)
    events = ((start, "start"), (stop, "stop"))
    ordered = tuple(sorted(marks, key=lambda m: (m.begin, m.end)))
    return Exchange(facts, draw_(st.sampled_from([None, 1_000_000])), 0, end, waves, ordered, events)


@given(made_up(), st.integers(40, 200), st.booleans())
def test_whatever_the_lines_do(exchange: Exchange, width: int, unicode: bool) -> None:
    check_cells(exchange, width, unicode)


def test_marks_stand_over_their_samples() -> None:
    (exchange,) = exchanges("sigrok-dumps/pca9571_simple.sr")
    text = draw(exchange, Style(200, unicode=False)).split("\n")
    columns = layout(exchange, 200 - 5)
    for mark in exchange.marks:
        first, last = find(columns, mark.begin), find(columns, mark.end)
        assert first is not None
        assert last is not None
        over = text[2][5 + first : 5 + last + 1]
        assert over.strip(" <->") == mark.text


def test_what_is_left_out_is_said() -> None:
    exchange = exchanges("synthetic/synthetic-late-wake.sr")[4]
    text = draw(exchange, Style(80))
    assert "+17" in text.split("\n")[2]
    assert text.endswith("17 bytes in the middle are not drawn.\n")
    assert "⋯⋯⋯⋯⋯⋯⋯" in text


def test_a_chatty_marker_is_cut() -> None:
    exchange = exchanges("synthetic/synthetic-late-wake.sr")[3]
    assert draw(replace(exchange, cut_tail=True), Style(80)).endswith("Marker edges after these are not drawn.\n")


def test_find_knows_what_is_not_drawn() -> None:
    columns = [Column(0, 5), Column(5, 90, left_out=True), Column(90, 100)]
    assert [find(columns, at) for at in (-1, 0, 4, 5, 89, 90, 99, 100)] == [None, 0, 0, None, None, 2, 2, None]


def test_a_burst_has_its_own_glyph() -> None:
    """SDA changes five times between two clock edges that stand side by side."""
    clock = np.arange(100, 300, 10)
    burst = np.array([95, 102, 103, 104, 106, 107, 305])
    waves = (Wave("SCL", 1, clock, True), Wave("SDA", 1, burst, True))
    facts = TransferFacts("i2c0", 0, 95, 305, 305, None, "none", 0, "unfinished", 20, 0, None)
    exchange = Exchange(facts, None, 90, 320, waves, (Mark(95, 95, "S"), Mark(305, 305, "P")), ())
    fine, plain = (draw(exchange, Style(36, unicode=u)) for u in (True, False))
    assert fine.count("▒") == 2
    assert plain.count("#") == 1
    check_cells(exchange, 36, True)
    check_cells(exchange, 36, False)
