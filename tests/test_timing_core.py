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


def measured(
    bus: Bus, *, glitch: int = 0, idle: int = 50, cuts: list[int] | None = None
) -> tuple[list[Row], Columns]:
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
