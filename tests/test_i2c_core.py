"""The strict decoder: equal to its slow twin on any bus, however the input is cut, and right on named examples."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numpy as np
import pytest
from bus_strategies import Bus, Pen, buses, drawn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_i2c import TABLES, Row, Tables
from reference_i2c import decode as twin

from tracecheck import words
from tracecheck._i2c import Decoder
from tracecheck.decoding.rows import LAYOUT, allocate

EXAMPLES = int(os.environ.get("TRACECHECK_EXAMPLES", "250"))
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


@thorough
@given(buses(), FILTERS, IDLES, STUCKS, st.lists(st.integers(0, 1 << 12), max_size=12), st.integers(32, 40))
def test_cutting_the_input_changes_nothing(
    bus: Bus, glitch: int, idle: int, stuck: int, cuts: list[int], rows: int
) -> None:
    whole = decode(bus, glitch=glitch, idle=idle, stuck=stuck)
    assert decode(bus, glitch=glitch, idle=idle, stuck=stuck, cuts=cuts, rows=rows) == whole


@settings(max_examples=max(EXAMPLES // 10, 20), deadline=None)
@given(buses(), FILTERS, IDLES, STUCKS)
def test_one_sample_a_block_changes_nothing(bus: Bus, glitch: int, idle: int, stuck: int) -> None:
    whole = decode(bus, glitch=glitch, idle=idle, stuck=stuck)
    every = list(range(1, len(bus.scl) + 1))
    assert decode(bus, glitch=glitch, idle=idle, stuck=stuck, cuts=every, rows=32) == whole


@st.composite
def nearly_regular(draw: st.DrawFn) -> Bus:
    """Transfers of a rather steady clock, long enough for bytes to be taken whole, with few things amiss in them."""
    random = Random(draw(st.integers(0, 1 << 32)))
    pen = Pen(random.randint(2, 8), random.randint(2, 8))
    pen.setup = random.randint(1, pen.low - 1)
    pen.idle(random.choice([1, 8, 60]))
    for _ in range(random.randint(1, 2)):
        low, high = pen.low, pen.high
        pen.start()
        for value in random.choices([0x00, 0x55, 0x78, 0x79, 0xF1, 0xFF], k=random.randint(2, 4)):
            for level in (*(value >> bit & 1 for bit in range(7, -1, -1)), random.choice([0, 0, 1])):
                pen.high = high + random.choice([0, 0, 1, 2])
                pen.clock(level, low=low + random.choice([0, 0, 1, 2]))
        pen.low, pen.high = low, high
        pen.stop().idle(random.choice([1, 8, 60]))
    lines = (pen.scl, pen.sda)
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        at, samples = random.randrange(len(pen.scl)), random.choice([1, 2, 4, 8])
        if random.random() < 0.6:
            levels = random.choice(lines)
            levels[at : at + samples] = [1 - level for level in levels[at : at + samples]]
        else:
            if random.random() < 0.8:  # where both lines are high, or about to be
                at = max(k for k in range(len(pen.scl)) if k <= at and pen.scl[k] and pen.sda[k])
            held = random.choice([8, 40, 80, 200])
            for each in lines:
                each[at:at] = [each[at]] * held
    return pen.bus(draw(st.sampled_from([0, 1000])))


@thorough
@given(nearly_regular(), FILTERS, IDLES, st.sampled_from([0, 15, 40, 100, 300]))
def test_one_thing_amiss_in_regular_bytes(bus: Bus, glitch: int, idle: int, stuck: int) -> None:
    expected, _ = twin(bus.scl, bus.sda, glitch=glitch, idle=idle, stuck=stuck, begin=bus.begin)
    assert unordered(decode(bus, glitch=glitch, idle=idle, stuck=stuck)) == unordered(expected)


@thorough
@given(nearly_regular(), FILTERS, IDLES, st.integers(300, 1200) | st.sampled_from([1 << 31, 1 << 33]))
def test_bytes_longer_than_16_bits_of_samples_are_as_their_edges_one_by_one(
    bus: Bus, glitch: int, idle: int, slower: int
) -> None:
    at, words, initial = bus.edges()
    at, end = at * slower, bus.end * slower
    limits = {"glitch": glitch * slower, "idle": idle * slower, "stuck": 300 * slower, "begin": bus.begin * slower}
    whole, single = (Taker(Decoder(bus.scl_bit, bus.sda_bit, **limits)) for _ in range(2))
    whole.feed(at, words, initial, end)
    for k in range(len(at)):
        single.feed(at[k : k + 1], words[k : k + 1], int(words[k - 1]) if k else initial, int(at[k]) + 1)
    single.feed(at[:0], words[:0], int(words[-1]) if len(words) else initial, end)
    assert whole.finish(end) == single.finish(end)


def test_words_that_change_in_other_lines_only_are_passed_over() -> None:
    bus = Pen().idle().message(0x78, 0x00).stop().bus()
    noisy = Bus(bus.scl, bus.sda, unit=8, scl_bit=63, sda_bit=0, other=tuple(range(1, bus.end, 3)))
    assert decode(noisy, glitch=1) == decode(bus, glitch=1)


# Named examples, written for reading ----------------------------------------------------------------------------------

KINDS = (
    "glitch",
    "simultaneous",
    "partial-byte",
    "ack-interrupted",
    "void",
    "stray-stop",
    "stray-clocks",
    "bus-recovery",
    "missing-stop",
    "begins-inside",
    "ends-inside",
    "stuck-low",
    "extra-clock",
)
OUTCOMES = ("acked", "address-nack", "data-nack", "void", "unfinished")
EVENTS = ("start", "restart", "stop", "address", "data", "ack", "nack")


def test_the_core_numbers_its_codes_as_the_words_stand() -> None:
    """The names above are written out, as the core's codes are; what the product calls them must agree."""
    assert (KINDS, OUTCOMES, EVENTS) == (words.ANOMALIES, words.OUTCOMES, words.BUS_EVENTS)


def odd(tables: Tables) -> list[tuple[str, int, int, int]]:
    """Anomalies as (kind, at, arg, transfer)."""
    return [(KINDS[a["kind"]], a["at"], a["arg"], a["transfer"]) for a in tables["anomalies"]]


def outcomes(tables: Tables) -> list[str]:
    return [OUTCOMES[row["outcome"]] for row in tables["transfers"]]


def values(tables: Tables) -> list[int]:
    return [row["value"] for row in tables["bytes"]]


def only(rows: list[Row], *columns: str) -> list[tuple[int, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_a_write_fills_every_table() -> None:
    # START at 12; from then on a bit every 8 samples: rises at 12 + 4 + 4, then every 8.
    tables = decode(Pen().idle(8).message(0x78, 0xA5).stop().idle(5).bus())
    rise = [20 + 8 * k for k in range(19)]
    stop = rise[18] + 4
    assert tables["transfers"] == [
        {
            "transfer": 0,
            "start": 12,
            "stop": stop,
            "end": stop,
            "outcome": 0,
            "n_messages": 1,
            "n_bytes": 1,
            "address": 0x3C,
            "ten_bit": 0,
            "directions": 1,
            "period": 8,
            "low": 4,
            "high": 4,
            "stretch": 0,
            "complete": 1,
        }
    ]
    assert tables["messages"] == [
        {
            "transfer": 0,
            "index": 0,
            "address": 0x3C,
            "address_kind": 0,
            "ten_bit": 0,
            "direction": 0,
            "restart": 0,
            "acked": 1,
            "start": 12,
            "end": stop,
            "n_bytes": 1,
        }
    ]
    assert only(tables["bytes"], "transfer", "message", "index", "kind", "value", "acked", "start", "at", "end") == [
        (0, 0, 0, 0, 0x78, 1, rise[0], rise[7], rise[8]),
        (0, 0, 1, 2, 0xA5, 1, rise[9], rise[16], rise[17]),
    ]
    assert [(EVENTS[e["kind"]], e["at"]) for e in tables["events"]] == [
        ("start", 12),
        ("address", rise[7]),
        ("ack", rise[8]),
        ("data", rise[16]),
        ("ack", rise[17]),
        ("stop", stop),
    ]
    assert tables["anomalies"] == tables["stretches"] == []


def test_write_then_read_is_one_transfer_of_two_messages() -> None:
    pen = Pen().idle().message(0x78, 0x10).start().byte(0x79).byte(0xCA, 0).byte(0xFE, 1).stop()
    tables = decode(pen.bus())
    assert only(tables["messages"], "index", "address", "direction", "restart", "n_bytes", "acked") == [
        (0, 0x3C, 0, 0, 1, 1),
        (1, 0x3C, 1, 1, 2, 1),
    ]
    assert tables["messages"][0]["end"] == tables["messages"][1]["start"]
    assert only(tables["transfers"], "directions", "n_messages", "n_bytes", "outcome") == [(3, 2, 3, 0)]
    assert odd(tables) == []


@pytest.mark.parametrize(
    ("messages", "directions"),
    [
        ((0x78,), 1),
        ((0x79,), 2),
        ((0x78, 0x79), 3),
        ((0x78, 0x78, 0x79), 3),
        ((0x79, 0x78), 4),
        ((0x78, 0x79, 0x78), 4),
    ],
)
def test_directions(messages: tuple[int, ...], directions: int) -> None:
    pen = Pen().idle()
    for value in messages:
        pen.message(value)
    assert decode(pen.stop().bus())["transfers"][0]["directions"] == directions


@pytest.mark.parametrize(
    ("address", "data", "outcome"),
    [
        ((0x78, 0), (1, 0), "acked"),
        ((0x78, 1), None, "address-nack"),
        ((0x78, 0), (1, 1), "data-nack"),
        ((0x79, 0), (1, 1), "acked"),  # a controller ends a read so
        ((0x00, 1), None, "address-nack"),
        ((0x01, 1), None, "acked"),  # a start byte: nobody answers
        ((0x02, 1), None, "acked"),  # nor a CBUS address
        ((0x0A, 1), None, "acked"),  # nor a high-speed controller's code
        ((0x05, 1), None, "address-nack"),
        ((0xF8, 1), None, "address-nack"),
    ],
)
def test_outcomes(address: tuple[int, int], data: tuple[int, int] | None, outcome: str) -> None:
    pen = Pen().idle().start().byte(*address)
    if data:
        pen.byte(*data)
    tables = decode(pen.stop().bus())
    assert outcomes(tables) == [outcome]
    assert odd(tables) == []


@pytest.mark.parametrize(
    ("value", "kind"),
    list(
        zip(
            (0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 0x10, 0xEF, 0xF0, 0xF7, 0xF8, 0xFF),
            (1, 2, 3, 3, 4, 4, 4, 4, 5, 5, 0, 0, 6, 6, 7, 7),
            strict=True,
        )
    ),
)
def test_address_kinds(value: int, kind: int) -> None:
    row = decode(Pen().idle().message(value).stop().bus())["messages"][0]
    assert (row["address_kind"], row["ten_bit"]) == (kind, int(kind == 6))
    assert row["address"] == (-1 if kind == 6 else value >> 1)


def test_ten_bit_write_then_read() -> None:
    tables = decode(Pen().idle().message(0xF4, 0x5A, 0x11).message(0xF5, 0x22).stop().bus())
    assert only(tables["messages"], "address", "ten_bit", "direction", "acked", "n_bytes") == [
        (0x25A, 1, 0, 1, 1),
        (0x25A, 1, 1, 1, 1),
    ]
    assert only(tables["bytes"], "kind", "index") == [(0, 0), (1, 1), (2, 2), (0, 0), (2, 1)]
    assert only(tables["transfers"], "address", "ten_bit", "n_bytes") == [(0x25A, 1, 2)]
    # The second address byte gives its ACK, and no event of its own.
    assert [EVENTS[e["kind"]] for e in tables["events"]][:5] == ["start", "address", "ack", "ack", "data"]


def test_ten_bit_read_with_other_high_bits_has_no_address() -> None:
    tables = decode(Pen().idle().message(0xF4, 0x5A).message(0xF3, 0x22).stop().bus())
    assert [m["address"] for m in tables["messages"]] == [0x25A, -1]


def test_ten_bit_address_nacked_by_its_second_byte() -> None:
    tables = decode(Pen().idle().message(0xF4).byte(0x5A, 1).stop().bus())
    assert only(tables["messages"], "address", "acked") == [(0x25A, 0)]
    assert outcomes(tables) == ["address-nack"]


def test_ten_bit_address_without_its_second_byte() -> None:
    tables = decode(Pen().idle().message(0xF4).stop().bus())
    assert only(tables["messages"], "address", "acked", "ten_bit") == [(-1, -1, 1)]
    assert only(tables["transfers"], "address", "ten_bit") == [(-1, 1)]


# Anomalies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "flip"), [(0, "scl"), (1, "sda")])
def test_glitch_is_ignored_and_recorded(line: int, flip: str) -> None:
    clean = Pen(low=6, high=6, setup=2).idle().message(0x78, 0x55).stop().bus()
    at = 40  # while SCL is high
    levels = list(getattr(clean, flip))
    levels[at] ^= 1
    dirty = Bus(tuple(levels), clean.sda) if flip == "scl" else Bus(clean.scl, tuple(levels))
    tables = decode(dirty, glitch=1)
    assert odd(tables) == [("glitch", at, line, 0)]
    assert tables["anomalies"][0]["width"] == 1
    tables["anomalies"] = []
    assert tables == decode(clean, glitch=1) == decode(clean)
    assert "glitch" not in [kind for kind, *_ in odd(decode(dirty))]


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_a_spike_where_the_ninth_clock_is_due_is_none(samples: int) -> None:
    """Eight bits, then SCL goes up for as long as the filter ignores before it does for the ACK; more bytes follow."""
    pen = Pen(6, 6).idle().start()
    for bit in range(7, -1, -1):
        pen.clock(0x78 >> bit & 1)
    pen.hold(0, 0, 6).hold(1, 0, samples).clock(0)
    bus = pen.byte(0x55).byte(0x55).stop().idle().bus()
    got = decode(bus, glitch=3)
    assert [row["value"] for row in got["bytes"]] == [0x78, 0x55, 0x55]
    assert [KINDS[row["kind"]] for row in got["anomalies"]] == ["glitch"]
    assert unordered(got) == unordered(twin(bus.scl, bus.sda, glitch=3, idle=50, stuck=0)[0])


def test_pulse_just_wider_than_the_filter_counts() -> None:
    bus = drawn("~~~~~~~~~~~~~~", "~~~~___~~~~~~~")
    assert odd(decode(bus, glitch=3)) == [("glitch", 4, 1, -1)]
    assert odd(decode(bus, glitch=2)) == [("void", 7, 0, 0)]


def test_both_lines_in_one_sample_are_data() -> None:
    # setup 0: SDA changes in the sample in which SCL falls. And once in which it rises.
    tables = decode(Pen(setup=0).idle().message(0xAA).stop().bus())
    assert values(tables) == [0xAA]
    assert {(kind, arg) for kind, _, arg, _ in odd(tables)} == {("simultaneous", 1)}
    tables = decode(Pen(setup=4).idle().message(0xAA).stop().bus())
    assert values(tables) == [0xAA]
    assert {(kind, arg) for kind, _, arg, _ in odd(tables)} == {("simultaneous", 0)}
    assert outcomes(tables) == ["acked"]


def test_stop_inside_a_byte() -> None:
    pen = Pen().idle().message(0x78)
    for level in (1, 0, 1):
        pen.clock(level)
    tables = decode(pen.stop().bus())
    stop = tables["transfers"][0]["stop"]
    assert odd(tables) == [("partial-byte", stop, 4, 0)]  # three bits, and the rise that STOP needs
    assert outcomes(tables) == ["unfinished"]


def test_one_clock_too_many_after_a_nack_cuts_no_byte() -> None:
    pen = Pen().idle().start().byte(0x78, 1).clock(0).start().byte(0x78, 1).clock(0).stop()
    tables = decode(pen.bus())
    restart, stop = (next(e["at"] for e in tables["events"] if e["kind"] == kind) for kind in (1, 2))
    assert odd(tables) == [("extra-clock", restart, 1, 0), ("extra-clock", stop, 0, 0)]
    assert outcomes(tables) == ["address-nack"]


def test_two_clocks_too_many_after_a_nack_are_a_partial_byte() -> None:
    tables = decode(Pen().idle().start().byte(0x78, 1).clock(0).clock(0).stop().bus())
    assert [kind for kind, *_ in odd(tables)] == ["partial-byte"]


def test_repeated_start_inside_an_address() -> None:
    pen = Pen().idle().start().clock(1).clock(0).clock(1).start().byte(0x78).stop()
    tables = decode(pen.bus())
    restart = next(e["at"] for e in tables["events"] if e["kind"] == 1)
    assert odd(tables) == [("partial-byte", restart, 3 + 16, 0)]
    assert only(tables["messages"], "index", "address", "restart") == [(0, 0x3C, 1)]


def test_stop_instead_of_the_ack_leaves_the_byte_unanswered() -> None:
    tables = decode(Pen().idle().start().byte(0x78, None).bus())
    assert [b["acked"] for b in tables["bytes"]] == [-1]
    pen = Pen().idle().start().byte(0x78, None)
    pen.hold(1, 1, 4)  # the 8th bit is 0: letting SDA go makes STOP
    tables = decode(pen.bus())
    stop = tables["transfers"][0]["stop"]
    assert odd(tables) == [("partial-byte", stop, 8, 0)]
    assert only(tables["bytes"], "value", "acked") == [(0x78, -1)]
    assert tables["bytes"][0]["end"] == tables["bytes"][0]["at"]
    assert only(tables["messages"], "address", "acked") == [(0x3C, -1)]


def test_stop_and_start_within_the_ack_pulse() -> None:
    tables = decode(Pen().idle().message(0x78).hold(1, 1, 4).bus())
    assert odd(tables) == [("ack-interrupted", tables["transfers"][0]["stop"], 0, 0)]
    assert outcomes(tables) == ["acked"]
    pen = Pen().idle().start().byte(0x78, 1).hold(1, 0, 4).byte(0x79).stop()
    tables = decode(pen.bus())
    assert odd(tables) == [("ack-interrupted", tables["messages"][1]["start"], 1, 0)]


def test_void() -> None:
    tables = decode(drawn("~~~~~~~~", "~~__~~~~"))
    assert (odd(tables), outcomes(tables)) == ([("void", 4, 0, 0)], ["void"])
    # One SCL rise between, the one that STOP needs: void as well.
    tables = decode(drawn("~~~~__~~~~", "~~______~~"))
    assert (odd(tables), outcomes(tables)) == ([("void", 8, 0, 0)], ["void"])
    # START, repeated START, then a proper message.
    tables = decode(Pen().idle().start().start().byte(0x78).stop().bus())
    assert [(kind, arg) for kind, _, arg, _ in odd(tables)] == [("void", 1)]
    assert outcomes(tables) == ["acked"]


def test_stray_stop_and_clocks_outside_a_transfer() -> None:
    pen = Pen().idle(60).clock(1).clock(1).clock(0).hold(1, 1, 4)
    tables = decode(pen.bus())
    assert odd(tables) == [("stray-clocks", 64, 3, -1), ("stray-stop", 84, 0, -1)]
    assert tables["transfers"] == tables["events"] == []


def test_stray_clocks_end_with_idle_time() -> None:
    pen = Pen().idle(60).clock(1).idle(90).clock(1).clock(1).idle(90)
    assert odd(decode(pen.bus())) == [("stray-clocks", 64, 1, -1), ("stray-clocks", 162, 2, -1)]


def test_the_one_clock_that_a_start_needs_is_no_stray() -> None:
    pen = Pen().idle(60).clock(1).start().byte(0x78).stop()
    tables = decode(pen.bus())
    assert (odd(tables), outcomes(tables)) == ([], ["acked"])
    assert odd(decode(Pen().idle(60).clock(0).hold(1, 1, 4).bus())) == [("stray-stop", 68, 0, -1)]


def test_nine_clocks_outside_a_transfer_are_a_bus_recovery() -> None:
    pen = Pen().idle(60)
    for _ in range(9):
        pen.clock(1)
    tables = decode(pen.hold(1, 0, 4).hold(1, 1, 4).bus())
    assert [(kind, arg) for kind, _, arg, _ in odd(tables)] == [("bus-recovery", 9), ("void", 0)]


def test_missing_stop_fires_exactly() -> None:
    pen = Pen().idle().message(0x78).clock(1)
    high = len(pen.scl) - 4
    last = pen.idle(200).bus()
    tables = decode(last, idle=50)  # 10 periods of 8 samples are more
    assert odd(tables) == [("missing-stop", high + 80, 0, 0)]
    assert only(tables["transfers"], "stop", "end", "outcome", "complete") == [(-1, high + 80, 4, 1)]
    assert odd(decode(last, idle=90)) == [("missing-stop", high + 90, 0, 0)]
    # High for exactly as long is not longer.
    exactly = Bus(last.scl[: high + 80], last.sda[: high + 80])
    assert odd(decode(exactly)) == [("ends-inside", high + 80, 1, 0)]


def test_before_two_rises_the_period_is_guessed() -> None:
    slow = Pen(low=60, high=60).idle().message(0xFE, 0x55).stop().bus()
    assert odd(decode(slow, idle=50)) == []  # although its first bit is high for longer than idle
    started = Pen().idle().start().hold(0, 0, 3).hold(0, 1, 3)
    high = len(started.scl)
    assert odd(decode(started.idle(1000).bus(), idle=0)) == [("missing-stop", high + 10 * 2 * 6, 0, 0)]
    known = Pen().idle().message(0x78).stop().idle(4).start().hold(0, 0, 1).hold(0, 1, 1)
    high = len(known.scl)
    tables = decode(known.idle(1000).bus(), idle=0)
    assert odd(tables) == [("missing-stop", high + 10 * 8, 0, 1)]  # the period of the transfer before is longer


def test_the_guess_holds_in_bytes_that_are_whole_but_for_a_pause() -> None:
    """By the period found later the pause is none; by twice the first low phase, which is all there was, it is one."""
    pen = Pen(2, 6).idle(60).start().clock(1).hold(1, 1, 40)
    for level in (1, 0, 1, 0, 1, 0, 1, 0):
        pen.clock(level)
    bus = pen.byte(0x55).byte(0x55).byte(0x55).stop().idle(60).bus()
    got = decode(bus, glitch=1, idle=0)
    assert "missing-stop" in [KINDS[row["kind"]] for row in got["anomalies"]]
    assert unordered(got) == unordered(twin(bus.scl, bus.sda, glitch=1, idle=0, stuck=0)[0])


def test_missing_stop_in_the_middle_of_a_byte() -> None:
    pen = Pen().idle().message(0x78).clock(0).clock(1)
    high = len(pen.scl) - 4
    tables = decode(pen.idle(200).start().byte(0x78).stop().bus())
    assert odd(tables) == [("partial-byte", high + 80, 2, 0), ("missing-stop", high + 80, 0, 0)]
    assert outcomes(tables) == ["unfinished", "acked"]


def test_stuck_low_once_a_phase() -> None:
    bus = drawn("~~~~______________________~~~~", "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~")
    assert odd(decode(bus, stuck=10)) == [("stuck-low", 14, 0, -1)]
    assert decode(bus, stuck=10)["anomalies"][0]["width"] == 10
    assert odd(decode(bus, stuck=22)) == []  # low for exactly as long is not longer
    bus = drawn("~~~~~~~~~~~~~~~~~~~~~~~~~~", "~~~~____________________~~")
    assert odd(decode(bus, stuck=10)) == [("stuck-low", 14, 1, 0), ("void", 24, 0, 0)]


def test_low_from_the_beginning_is_not_judged() -> None:
    assert odd(decode(drawn("______________~~~~", "~~~~~~~~~~~~~~~~~~"), stuck=3)) == []


# Beginning and end --------------------------------------------------------------------------------------------------


def test_capture_that_begins_with_its_trigger_start() -> None:
    pen = Pen().idle(4).message(0x78, 0x00).stop()
    bus = Bus(tuple(pen.scl[9:]), tuple(pen.sda[9:]), begin=100)
    assert (bus.scl[0], bus.sda[0]) == (1, 0)
    tables = decode(bus)
    assert odd(tables) == [("begins-inside", 100, 0, 0)]
    assert only(tables["transfers"], "start", "complete", "outcome", "n_bytes") == [(100, 0, 0, 1)]
    assert (tables["events"][0]["kind"], tables["events"][0]["at"]) == (0, 100)


def test_capture_that_begins_before_a_stop() -> None:
    assert odd(decode(drawn("~~~~~", "__~~~"))) == []


@pytest.mark.parametrize("first", [0, 4])
def test_capture_that_begins_inside_a_byte(first: int) -> None:
    pen = Pen()
    pen.hold(1, 1, first)
    for level in (1, 0, 0, 1, 1):
        pen.clock(level)
    tables = decode(pen.stop().idle().message(0x78).stop().bus(begin=7))
    assert odd(tables) == [("begins-inside", 7, 6, -1)]
    assert only(tables["transfers"], "transfer", "complete") == [(0, 1)]


def test_repeated_start_of_a_cut_transfer() -> None:
    pen = Pen()
    for level in (1, 0, 0):
        pen.clock(level)
    tables = decode(pen.hold(0, 0, 1).start().byte(0x78).stop().bus())
    assert odd(tables) == [("begins-inside", 0, 4, 0)]
    assert only(tables["transfers"], "complete", "outcome") == [(0, 0)]


def test_idle_time_ends_the_beginning() -> None:
    pen = Pen().clock(1).clock(1).clock(1).idle(100).clock(1).idle(100).message(0x78).stop()
    tables = decode(pen.bus())
    assert odd(tables) == [("begins-inside", 0, 3, -1), ("stray-clocks", 128, 1, -1)]
    assert [t["complete"] for t in tables["transfers"]] == [1]


def test_capture_that_ends_inside() -> None:
    pen = Pen().idle().message(0x78).clock(1).clock(0)
    tables = decode(pen.bus())
    end = len(pen.scl)
    assert odd(tables) == [("ends-inside", end, 2, 0)]
    assert only(tables["transfers"], "stop", "end", "outcome", "complete") == [(-1, end, 4, 0)]
    assert tables["messages"][0]["end"] == end


def test_the_last_change_counts_although_the_filter_cannot_know() -> None:
    bus = drawn("~~~~~~", "~~~~~_")
    assert odd(decode(bus, glitch=3)) == [("ends-inside", 6, 0, 0)]


# Clock stretching -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bit", "setup", "level", "held_by"),
    [
        (3, 1, 1, 1),  # the controller's bit was out at once: the target held the clock
        (3, 39, 1, 2),  # it came late: the controller was not ready
        (3, 12, 1, 0),  # neither
        (3, 1, 0, 0),  # SDA did not change
        (8, 1, 0, 0),  # an early ACK says nothing
        (8, 39, 0, 1),  # a late ACK: the target was not ready
    ],
)
def test_who_stretched_a_write(bit: int, setup: int, level: int, held_by: int) -> None:
    pen = Pen().idle().message(0x78)
    bits = [0] * 7 + [1, 0] if bit == 8 else [0] * 9
    bits[bit] = level
    for k, value in enumerate(bits):
        pen.clock(value, low=40, setup=setup) if k == bit else pen.clock(value)
    tables = decode(pen.stop().bus())
    (row,) = tables["stretches"]
    assert (row["bit"], row["excess"], row["held_by"], row["message"]) == (bit, 36, held_by, 0)
    assert row["end"] - row["begin"] == 40
    assert only(tables["transfers"], "stretch", "low", "period") == [(36, 4, 8)]


@pytest.mark.parametrize(("setup", "held_by"), [(39, 1), (1, 0)])
def test_who_stretched_a_read(setup: int, held_by: int) -> None:
    pen = Pen().idle().message(0x79)
    for k in range(8):
        pen.clock(int(k == 3), low=40, setup=setup) if k == 3 else pen.clock(0)
    (row,) = decode(pen.clock(1).stop().bus())["stretches"]
    assert (row["bit"], row["held_by"]) == (3, held_by)


def test_stretch_before_stop() -> None:
    pen = Pen().idle().start().byte(0x78, 1).clock(0, low=40, setup=38).hold(1, 1, 4)
    (row,) = decode(pen.bus())["stretches"]
    assert (row["bit"], row["excess"], row["held_by"]) == (9, 36, 2)


@pytest.mark.parametrize(
    ("bits", "bit", "message"), [(0, 9, 0), (3, 3, 0), (8, 8, 0)], ids=["between bytes", "in a byte", "before its ACK"]
)
def test_scl_low_at_the_end_is_a_stretch_of_at_least_so_long(bits: int, bit: int, message: int) -> None:
    pen = Pen().idle().message(0x78)
    for _ in range(bits):
        pen.clock(0)
    fall = len(pen.scl)
    tables = decode(pen.hold(0, 0, 11).bus())
    (row,) = tables["stretches"]
    assert (row["bit"], row["message"], row["held_by"], row["complete"]) == (bit, message, 0, 0)
    assert (row["begin"], row["end"], row["excess"]) == (fall, fall + 11, 7)
    assert only(tables["transfers"], "stretch", "outcome") == [(7, 4)]


def test_scl_low_at_the_end_for_twice_the_nominal_and_two_samples_is_none() -> None:
    assert decode(Pen().idle().message(0x78).hold(0, 0, 10).bus())["stretches"] == []


def test_scl_low_at_the_end_inside_an_address_is_of_no_message_yet() -> None:
    (row,) = decode(Pen().idle().start().clock(0).hold(0, 0, 40).bus())["stretches"]
    assert (row["bit"], row["message"]) == (1, -1)


def test_scl_low_from_the_first_start_to_the_end_has_no_nominal() -> None:
    assert decode(Pen().idle().start().hold(0, 0, 99).bus())["stretches"] == []


def test_a_low_phase_of_twice_the_nominal_and_two_samples_is_none() -> None:
    pen = Pen().idle().message(0x78).clock(1, low=10)
    for _ in range(8):
        pen.clock(0)
    assert decode(pen.stop().bus())["stretches"] == []


def test_period_is_the_median_of_the_first_1024() -> None:
    pen = Pen().idle().message(*[0x78] * 150).bus()
    slow = Pen(low=9, high=9).message(*[0x78] * 150).stop()
    pen2 = Bus(pen.scl + tuple(slow.scl[18:]), pen.sda + tuple(slow.sda[18:]))
    assert decode(pen2)["transfers"][0]["period"] == 8


# Arguments ------------------------------------------------------------------------------------------------------------


def bound(rows: int = 64, begin: int = 0) -> Decoder:
    decoder = Decoder(0, 1, glitch=0, idle=0, stuck=0, begin=begin)
    decoder.bind(allocate(LAYOUT, rows))
    return decoder


@pytest.mark.parametrize(
    ("scl", "sda", "glitch", "message"),
    [
        (1, 1, 0, "scl and sda are two different bits from 0 to 63, not 1 and 1"),
        (0, 64, 0, "scl and sda are two different bits from 0 to 63, not 0 and 64"),
        (0, 1, -1, "glitch is a number of samples from 0 to 2**61 - 1, not -1"),
    ],
)
def test_wrong_settings(scl: int, sda: int, glitch: int, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Decoder(scl, sda, glitch=glitch, idle=0, stuck=0)
    assert str(caught.value) == message


def test_wrong_tables() -> None:
    decoder = Decoder(0, 1, glitch=0, idle=0, stuck=0)
    tables = allocate(LAYOUT, 64)
    changes: list[tuple[str, str, NDArray[Any] | None, str]] = [
        ("events", "at", None, "table events: no column at"),
        ("bytes", "value", np.empty(64, np.int8), "table bytes: column value is int8, not uint8"),
        ("bytes", "at", np.empty(63, np.int64), "table bytes: column at has 63 rows, others 64"),
        (
            "messages",
            "start",
            np.empty(128, np.int64)[::2],
            "table messages: column start is not a contiguous, writable vector",
        ),
        ("anomalies", "kind", np.empty(31, np.uint8), "table anomalies: column kind has 31 rows, fewer than 32"),
    ]
    for table, column, array, message in changes:
        wrong = {name: dict(columns) for name, columns in tables.items()}
        if array is None:
            del wrong[table][column]
        else:
            wrong[table][column] = array
        with pytest.raises(ValueError) as caught:
            decoder.bind(wrong)
        assert str(caught.value) == message


def test_wrong_blocks() -> None:
    at, words = np.array([5, 9]), np.array([1, 3], np.uint8)
    with pytest.raises(ValueError) as caught:
        Decoder(0, 1, glitch=0, idle=0, stuck=0).feed(at, words, 0, 3, 10)
    assert str(caught.value) == "no tables are bound"
    for args, message in [
        ((at, words[:1], 0, 3, 10), "2 edges, 1 words, start 0"),
        ((at, words, 3, 3, 10), "2 edges, 2 words, start 3"),
        ((at, words, 0, 3, 9), "edges up to sample 9 do not follow on sample 4"),
        ((at - 3, words, 0, 3, 10), "edges up to sample 10 do not follow on sample 4"),
        ((at, words.astype(np.int8), 0, 3, 10), "words are int8, not uint8, uint16, uint32 or uint64"),
    ]:
        with pytest.raises(ValueError) as caught:
            bound(begin=4).feed(*args)
        assert str(caught.value) == message
    decoder = bound()
    assert decoder.feed(at, words, 0, 3, 10) == 2
    with pytest.raises(ValueError) as caught:
        decoder.feed(at + 10, words, 0, 0, 20)
    assert str(caught.value) == "the block that ends at sample 20 begins with other lines than the last one left"
    with pytest.raises(ValueError) as caught:
        decoder.finish(9)
    assert str(caught.value) == "the capture cannot end before sample 9: time is at 10"
    decoder.finish(10)
    for call in (lambda: decoder.finish(10), lambda: decoder.feed(at + 10, words, 0, 3, 20)):
        with pytest.raises(ValueError) as caught:
            call()
    assert str(caught.value) == "the decoder is finished"


def test_a_full_table_stops_the_feeding_until_it_is_bound_again() -> None:
    bus = Pen().idle().message(*[0x55] * 40).stop().bus()
    at, words, initial = bus.edges()
    decoder = bound(rows=40)
    taken = decoder.feed(at, words, 0, initial, bus.end)
    assert 0 < taken < len(at)
    assert not decoder.done
    assert decoder.feed(at, words, taken, initial, bus.end) == taken
    with pytest.raises(ValueError) as caught:
        decoder.finish(bus.end)
    assert str(caught.value) == "the last block was not consumed to its end: bind fresh tables and feed the rest first"


def test_open_and_synced_follow_the_bus() -> None:
    bus = drawn("__~~~~__", "~~~~____")
    at, words, initial = bus.edges()
    decoder = bound()
    decoder.feed(at[:1], words[:1], 0, initial, 3)
    assert (decoder.synced, decoder.open) == (2, -1)
    decoder.feed(at[1:], words[1:], 0, int(words[0]), 8)
    assert (decoder.synced, decoder.open) == (2, 4)
    decoder.finish(8)
    assert decoder.open == -1
