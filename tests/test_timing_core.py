"""The timing walk: equal to its slow twin on any bus, however the input is cut, and at one with the decoder."""

from __future__ import annotations

import os

import numpy as np
import pytest
from bus_strategies import Bus, Pen, buses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_timing import Row
from reference_timing import measure as twin

from tracecheck._timing import Walker
from tracecheck.capture.model import EdgeBlock
from tracecheck.decoding.i2c import BusDecoder
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.timing import BusTiming
from tracecheck.words import PARAMETERS

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "250"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FILTERS = st.sampled_from([0, 0, 1, 2, 3, 5])
IDLES = st.sampled_from([0, 6, 20, 50])


def measured(bus: Bus, *, glitch: int = 0, idle: int = 50, cuts: list[int] | None = None) -> tuple[list[Row], Columns]:
    """All rows of a bus, fed in one block or cut at the samples `cuts` (modulo its length); and the transfers."""
    decoder = BusDecoder(bus.scl_bit, bus.sda_bit, glitch=glitch, idle=idle, stuck=0, begin=bus.begin)
    timing = BusTiming(decoder, bus.scl_bit, bus.sda_bit, glitch=glitch, begin=bus.begin)
    at, words, initial = bus.edges()
    done, begin = 0, bus.begin
    for end in sorted({bus.begin + c % (len(bus.scl) + 1) for c in cuts or []} | {bus.end}):
        upto = int(np.searchsorted(at, end))
        block = EdgeBlock(at[done:upto], words[done:upto], int(words[done - 1]) if done else initial, begin, end)
        decoder.feed(block)
        timing.feed(block)
        done, begin = upto, end
    decoder.finish(bus.end)
    timing.finish(bus.end)
    columns = timing.take()
    rows = [
        Row(transfer, PARAMETERS[parameter], *rest)
        for transfer, parameter, *rest in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]
    return rows, decoder.take()["transfers"]


@thorough
@given(buses(), FILTERS, IDLES)
def test_walk_equals_twin(bus: Bus, glitch: int, idle: int) -> None:
    expected = twin(bus.scl, bus.sda, glitch=glitch, idle=idle, begin=bus.begin)
    got, _ = measured(bus, glitch=glitch, idle=idle)
    assert got == expected


@st.composite
def disturbed(draw: st.DrawFn) -> Bus:
    """Bytes as whole as they come, so many edges that they are looked at together, and some clock that is not so."""
    pen = Pen(low=8, high=6, setup=draw(st.integers(0, 4))).idle(9).start()
    levels = draw(st.lists(st.integers(0, 1), min_size=27, max_size=63))
    wrong = draw(st.sets(st.integers(0, len(levels) - 1), max_size=3))
    for k, level in enumerate(levels):
        if k not in wrong:
            pen.clock(level)
            continue
        first, second, high = draw(
            st.sampled_from([(3, 0, 6), (3, 2, 6), (1, 1, 6), (0, 0, 1), (0, 0, 2), (0, 0, 150), (90, 0, 6)])
        )
        other = 1 - level
        pen.hold(0, pen.last(), 2).hold(0, other, first).hold(0, level, second).hold(0, other, min(second, 1))
        pen.hold(0, level, draw(st.integers(1, 4))).hold(1, level, high)
    return pen.stop().idle(draw(st.integers(0, 30))).message(0x51, 7, 8).stop().idle(9).bus()


@thorough
@given(disturbed(), FILTERS, IDLES)
def test_whole_bytes_and_others_equal_the_twin(bus: Bus, glitch: int, idle: int) -> None:
    expected = twin(bus.scl, bus.sda, glitch=glitch, idle=idle)
    assert measured(bus, glitch=glitch, idle=idle)[0] == expected


@thorough
@given(buses(), FILTERS, IDLES, st.lists(st.integers(0, 1 << 12), max_size=12))
def test_cutting_the_input_changes_nothing(bus: Bus, glitch: int, idle: int, cuts: list[int]) -> None:
    assert measured(bus, glitch=glitch, idle=idle, cuts=cuts)[0] == measured(bus, glitch=glitch, idle=idle)[0]


@settings(max_examples=max(EXAMPLES // 10, 20), deadline=None)
@given(buses(), FILTERS, IDLES)
def test_one_sample_a_block_changes_nothing(bus: Bus, glitch: int, idle: int) -> None:
    every = list(range(1, len(bus.scl) + 1))
    assert measured(bus, glitch=glitch, idle=idle, cuts=every)[0] == measured(bus, glitch=glitch, idle=idle)[0]


@thorough
@given(buses(), FILTERS)
def test_shortest_phases_are_the_decoders(bus: Bus, glitch: int) -> None:
    rows, transfers = measured(bus, glitch=glitch)
    for parameter, column in (("tLOW", "low"), ("tHIGH", "high")):
        found = {row.transfer: row.low for row in rows if row.parameter == parameter}
        theirs = {i: int(n) for i, n in zip(transfers["transfer"], transfers[column], strict=True) if n}
        assert found == theirs


# Named examples, written for reading ----------------------------------------------------------------------------------

EXAMPLE = (
    Pen(low=6, high=5, setup=2)
    .idle(10)
    .message(0xA0, 0x0F)
    .message(0xA1)
    .byte(0x55, 1)
    .stop()
    .idle(12)
    .message(0x78)
    .stop()
    .idle(30)
)


def by_name(rows: list[Row], transfer: int) -> dict[str, Row]:
    return {row.parameter: row for row in rows if row.transfer == transfer}


def test_every_parameter_lies_between_the_edges_that_define_it() -> None:
    rows, transfers = measured(EXAMPLE.bus())
    first, second = by_name(rows, 0), by_name(rows, 1)
    assert {name: (row.low, row.high) for name, row in first.items()} == {
        "fSCL": (11, 11),
        "tHD;STA": (5, 5),
        "tLOW": (6, 6),
        "tHIGH": (5, 5),
        "tSU;STA": (5, 5),
        "tHD;DAT": (2, 2),
        "tSU;DAT": (4, 4),
        "tSU;STO": (5, 5),
        "tVD;DAT": (2, 2),
        "tVD;ACK": (2, 2),
        "tTIMEOUT": (6, 6),
        "tLOW:SEXT": (0, 0),
        "tLOW:MEXT": (0, 0),
    }
    assert first["tHD;STA"].low_at == transfers["start"][0]
    assert second["tBUF"].low == transfers["start"][1] - transfers["stop"][0]
    assert second["tBUF"].low_at == transfers["stop"][0]
    assert "tSU;STA" not in second and "tVD;DAT" not in second, "nothing was read, and no START repeated"


def test_a_held_clock_counts_where_smbus_counts_it_and_excuses_late_data() -> None:
    pen = Pen(low=4, high=4, setup=1).idle().start()
    for bit in (1, 0, 1, 0, 0, 0, 0, 0):
        pen.clock(bit)
    pen.clock(0, low=34, setup=20)  # the target takes 30 samples more, and its ACK is late
    for bit in (1, 1, 0, 0, 0, 0, 0, 0, 0):
        pen.clock(bit, low=14 if bit else 4)
    rows, _ = measured(pen.stop().idle(60).bus(), idle=200)
    found = by_name(rows, 0)
    assert (found["tTIMEOUT"].high, found["tLOW:SEXT"].high, found["tLOW:MEXT"].high) == (34, 50, 30)
    assert found["tLOW:MEXT"].count == 9
    assert "tVD;ACK" not in found, "the one ACK with an edge was late only because the clock was held"


def test_a_clock_that_stays_low_to_the_end_counts_as_far_as_it_is_seen() -> None:
    pen = Pen(low=4, high=4).idle().start().clock(1).clock(0).hold(0, 0, 500)
    found = by_name(measured(pen.bus())[0], 0)
    assert found["tTIMEOUT"].high == 500
    assert found["tLOW"].high == 4
    assert found["tLOW:SEXT"].high == 496


def test_a_spike_is_measured_and_moves_no_edge() -> None:
    pen = Pen(low=6, high=6).idle().message(0xA0).stop().idle(20)
    bus = pen.bus()
    scl = list(bus.scl)
    at = next(i for i in range(20, len(scl)) if scl[i] and scl[i + 3])
    scl[at + 2] = 0
    spiked, _ = measured(Bus(tuple(scl), bus.sda), glitch=1)
    clean, _ = measured(bus, glitch=1)
    assert [row for row in spiked if row.parameter != "tSP"] == clean
    assert [(row.low, row.low_at) for row in spiked if row.parameter == "tSP"] == [(1, at + 2)]


def test_misuse_is_told() -> None:
    at, words, initial = EXAMPLE.bus().edges()
    end = EXAMPLE.bus().end
    none = np.empty(0, np.int64)
    room = np.empty((15, 7), np.int64)
    for wrong, message in (
        ({"scl": 0, "sda": 0}, "scl and sda are two different bits from 0 to 63, not 0 and 0"),
        ({"scl": 0, "sda": 64}, "scl and sda are two different bits from 0 to 63, not 0 and 64"),
        ({"scl": 0, "sda": 1, "glitch": -1}, "glitch and begin are numbers of samples, not -1 and 0"),
    ):
        with pytest.raises(ValueError) as caught:
            Walker(**{"glitch": 0, **wrong})
        assert str(caught.value) == message
    with pytest.raises(ValueError, match=r"^the transfers before sample \d+ are not those on the lines$"):
        Walker(0, 1, glitch=0).feed(at, words, initial, end, none, none, room)
    with pytest.raises(ValueError, match=r"^2 transfers need 15 rows of 7 each$"):
        Walker(0, 1, glitch=0).feed(at, words, initial, end, none, np.zeros(2, np.int64), room)
    with pytest.raises(ValueError, match=r"^\d+ edges, 1 words of uint8$"):
        Walker(0, 1, glitch=0).feed(at, words[:1], initial, end, none, none, room)
    walker = Walker(0, 1, glitch=0)
    walker.feed(none, words[:0], initial, 5, none, none, room)
    with pytest.raises(ValueError, match=r"^edges up to sample 3 do not follow on sample 5$"):
        walker.feed(none, words[:0], initial, 3, none, none, room)
    with pytest.raises(ValueError, match=r"^the block that ends at sample 9 begins with other lines"):
        walker.feed(none, words[:0], 0, 9, none, none, room)
    with pytest.raises(ValueError, match=r"^the capture cannot end before sample 4: time is at 5$"):
        walker.finish(4, none, none, room)
    walker.finish(5, none, none, room)
    with pytest.raises(ValueError, match=r"^the walk is finished$"):
        walker.finish(5, none, none, room)
