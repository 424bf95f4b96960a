"""The strict decoder: equal to its slow twin on any bus, however the input is cut, and right on named examples."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from bus_strategies import Bus, Pen, buses, drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_i2c import TABLES, Row, Tables
from reference_i2c import decode as twin

from tracecheck._i2c import Decoder
from tracecheck.decoding.rows import LAYOUT, allocate

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "400"))
thorough = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FILTERS = st.sampled_from([0, 0, 1, 2, 3, 5])
IDLES = st.sampled_from([0, 6, 20, 50])
STUCKS = st.sampled_from([0, 1, 5, 15, 40])


class Taker:
    """Feeds blocks to a decoder and collects its rows, binding fresh buffers of `rows` rows as they fill."""

    def __init__(self, decoder: Decoder, rows: int = 4096) -> None:
        self.decoder, self.rows = decoder, rows
        self.tables: Tables = {name: [] for name in TABLES}
        self.marks: list[int] = []
        self.bind()

    def bind(self) -> None:
        self.buffers = allocate(LAYOUT, self.rows)
        self.decoder.bind(self.buffers)

    def take(self) -> None:
        for name, n in zip(TABLES, self.decoder.counts, strict=True):
            columns = {column: values[:n].tolist() for column, values in self.buffers[name].items()}
            fresh = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            if name in ("events", "bytes", "anomalies"):
                assert all(row["at"] >= max(self.marks, default=-1) for row in fresh), "below the watermark"
            self.tables[name] += fresh
        self.marks.append(self.decoder.watermark)
        assert self.marks == sorted(self.marks)
        self.bind()

    def feed(self, at: NDArray[np.int64], words: NDArray[Any], initial: int, end: int) -> None:
        index = 0
        while True:
            index = self.decoder.feed(at, words, index, initial, end)
            self.take()
            if self.decoder.done:
                break
        assert index == len(at)

    def finish(self, end: int) -> Tables:
        self.decoder.finish(end)
        self.take()
        return self.tables


def decode(
    bus: Bus, *, glitch: int = 0, idle: int = 50, stuck: int = 0, rows: int = 4096, cuts: list[int] | None = None
) -> Tables:
    """All rows of a bus, fed in one block or cut at the samples `cuts` (modulo its length)."""
    decoder = Decoder(bus.scl_bit, bus.sda_bit, glitch=glitch, idle=idle, stuck=stuck, begin=bus.begin)
    taker = Taker(decoder, rows)
    at, words, initial = bus.edges()
    samples = len(bus.scl)
    ends = sorted({bus.begin + c % (samples + 1) for c in cuts or []} | {bus.end})
    done = 0
    for end in ends:
        upto = int(np.searchsorted(at, end))
        taker.feed(at[done:upto], words[done:upto], int(words[done - 1]) if done else initial, end)
        done = upto
    return taker.finish(bus.end)


def unordered(tables: Tables) -> Tables:
    """With anomalies in an order of their own: the twin finds them in another."""
    return {**tables, "anomalies": sorted(tables["anomalies"], key=lambda row: sorted(row.items()))}


@thorough
@given(buses(), FILTERS, IDLES, STUCKS)
def test_core_equals_twin(bus: Bus, glitch: int, idle: int, stuck: int) -> None:
    expected, synced = twin(bus.scl, bus.sda, glitch=glitch, idle=idle, stuck=stuck, begin=bus.begin)
    got = unordered(decode(bus, glitch=glitch, idle=idle, stuck=stuck))
    for table, rows in unordered(expected).items():
        assert got[table] == rows, table
    decoder = Decoder(bus.scl_bit, bus.sda_bit, glitch=glitch, idle=idle, stuck=stuck, begin=bus.begin)
    taker = Taker(decoder)
    taker.feed(*bus.edges(), bus.end)
    taker.finish(bus.end)
    assert decoder.synced == synced
