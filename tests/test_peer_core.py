"""The peer's decoder: its printed output on recorded captures byte for byte, and a plain model of it on any bus.

The strict decoder is held against the same captures, where the manifest says that the two must agree.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from bus_strategies import Bus, Pen, buses, drawn
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference_i2c import SIMULTANEOUS, Tables
from test_i2c_core import KINDS, OUTCOMES, Taker, thorough

from tracecheck._i2c import Decoder
from tracecheck._peer import PeerDecoder
from tracecheck.decoding.rows import PEER_LAYOUT, allocate

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
MANIFEST: list[dict[str, Any]] = json.loads((DUMPS / "manifest.json").read_text())["captures"]
NAMES = [entry["file"].removesuffix(".sr") for entry in MANIFEST]
ENTRIES = dict(zip(NAMES, MANIFEST, strict=True))
START_AT_ZERO = "rtc_ds1307_200khz_no_samplerate"
BLIND = "st_m24c02_powerup_and_reset"
"""Where the peer misses a STOP inside an ACK clock."""
POLLING = "24aa025uid_seqrndread128_bytewrite128_seqrndread128_1ms_delay"

Annotation = tuple[int, int, int, int]
"""start, end, kind, value."""


class Recording(NamedTuple):
    at: NDArray[np.int64]
    words: NDArray[Any]
    initial: int
    samples: int
    scl: int
    sda: int
    rate: int


def recording(name: str) -> Recording:
    """Edges of a capture's two lines, read in the plainest way."""
    entry = ENTRIES[name]
    unit = entry["format"]["unitsize"]
    with zipfile.ZipFile(DUMPS / entry["file"]) as archive:
        members = [member for member in archive.namelist() if member.startswith("logic-1")]
        members.sort(key=lambda member: int(member.split("-")[2]) if member.count("-") == 2 else 0)
        raw = np.frombuffer(b"".join(archive.read(member) for member in members), np.uint8)
    samples = len(raw) // unit
    scl, sda = entry["scl"]["bit"], entry["sda"]["bit"]
    assert max(scl, sda) < 8, "both lines lie in the first byte of a sample"
    words = raw[: samples * unit : unit] & (1 << scl | 1 << sda)
    at = np.flatnonzero(words[1:] != words[:-1]) + 1
    return Recording(at, words[at].copy(), int(words[0]), samples, scl, sda, int(entry["format"]["samplerate_hz"] or 0))


def golden(name: str) -> str:
    text = gzip.decompress((DUMPS / ENTRIES[name]["golden"]).read_bytes())
    assert hashlib.sha256(text).hexdigest() == ENTRIES[name]["golden_sha256"]
    return text.decode()


def annotate(
    at: NDArray[np.int64], words: NDArray[Any], initial: int, samples: int, scl: int, sda: int, rows: int = 1 << 12
) -> list[Annotation]:
    """All annotations, through buffers of `rows` rows."""
    decoder = PeerDecoder(scl, sda)
    out: list[Annotation] = []
    index = 0
    while not decoder.done:
        buffers = allocate(PEER_LAYOUT, rows)
        decoder.bind(buffers)
        index = decoder.feed(at, words, index, initial, samples)
        (n,) = decoder.counts
        out += zip(*(column[:n].tolist() for column in buffers["annotations"].values()), strict=True)
    decoder.finish(samples)
    return out


def line(annotation: Annotation) -> str:
    start, end, kind, value = annotation
    texts = ["Start", "Start repeat", "Stop", "ACK", "NACK", str(value)]
    texts += [f"Address read: {value:02X}", f"Address write: {value:02X}"]
    texts += [f"Data read: {value:02X}", f"Data write: {value:02X}", "", "Read" if value else "Write"]
    return f"{start}-{end} i2c-1: {texts[kind]}\n"


def model(bus: Bus) -> list[Annotation]:
    """The peer, from the rules in words: sample by sample, one list of rises for the byte in hand."""
    out: list[Annotation] = []
    state, reading, width = "idle", 0, 0
    rises: list[tuple[int, int]] = []
    for n in range(1, len(bus.scl)):
        t = bus.begin + n
        rose = bus.scl[n] > bus.scl[n - 1]
        fell_sda, rose_sda = bus.sda[n] < bus.sda[n - 1], bus.sda[n] > bus.sda[n - 1]
        if state == "idle":
            if bus.scl[n] and fell_sda:
                out.append((t, t, 0, 0))
                state, rises = "address", []
        elif rose and state == "ack":
            out.append((t, t + width, 4 if bus.sda[n] else 3, 0))
            state, rises = "data", []
        elif rose:
            rises.append((t, bus.sda[n]))
            if len(rises) < 8:
                continue
            times = [at for at, _ in rises]
            width = times[7] - times[6]
            times.append(times[7] + width)
            out += [(times[k], times[k + 1], 5, rises[k][1]) for k in reversed(range(8))]
            value = int("".join(str(level) for _, level in rises), 2)
            if state == "address":
                reading = value & 1
                out.append((times[7], times[8], 11, reading))
                out.append((times[0], times[7], 6 if reading else 7, value >> 1))
            else:
                out.append((times[0], times[8], 8 if reading else 9, value))
            state = "ack"
        elif state == "data" and bus.scl[n] and (fell_sda or rose_sda):
            out.append((t, t, 1 if fell_sda else 2, 0))
            state, rises = ("address", []) if fell_sda else ("idle", rises)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_peer_prints_what_the_peer_printed(name: str) -> None:
    rec = recording(name)
    rows = annotate(rec.at, rec.words, rec.initial, rec.samples, rec.scl, rec.sda)
    assert "".join(map(line, rows)) == golden(name)


@thorough
@given(buses(), st.integers(16, 30))
def test_peer_equals_its_model(bus: Bus, rows: int) -> None:
    at, words, initial = bus.edges()
    assert annotate(at, words, initial, bus.end, bus.scl_bit, bus.sda_bit, rows) == model(bus)


@thorough
@given(buses(), st.lists(st.integers(0, 1 << 12), max_size=12))
def test_cutting_the_input_changes_nothing(bus: Bus, cuts: list[int]) -> None:
    at, words, initial = bus.edges()
    decoder = PeerDecoder(bus.scl_bit, bus.sda_bit)
    buffers = allocate(PEER_LAYOUT, 1 << 14)
    decoder.bind(buffers)
    done = 0
    for end in sorted({bus.begin + c % (len(bus.scl) + 1) for c in cuts} | {bus.end}):
        upto = int(np.searchsorted(at, end))
        assert decoder.feed(at[done:upto], words[done:upto], 0, int(words[done - 1]) if done else initial, end) == (
            upto - done
        )
        done = upto
    (n,) = decoder.counts
    assert list(zip(*(column[:n].tolist() for column in buffers["annotations"].values()), strict=True)) == model(bus)


def peer(bus: Bus) -> list[Annotation]:
    return annotate(*bus.edges(), bus.end, bus.scl_bit, bus.sda_bit)


def test_peer_takes_a_start_as_scl_rises() -> None:
    assert peer(drawn("__~~", "~~__")) == [(2, 2, 0, 0)]


def test_peer_does_not_see_a_stop_in_an_address() -> None:
    pen = Pen().idle().start().clock(1).clock(0).hold(1, 1, 4)
    assert [kind for _, _, kind, _ in peer(pen.bus())] == [0]


def test_peer_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError) as caught:
        PeerDecoder(3, 3)
    assert str(caught.value) == "scl and sda are two different bits from 0 to 63, not 3 and 3"
    decoder = PeerDecoder(0, 1)
    at, words = np.array([5]), np.array([1], np.uint8)
    with pytest.raises(ValueError) as caught:
        decoder.feed(at, words, 0, 3, 10)
    assert str(caught.value) == "no tables are bound"
    with pytest.raises(ValueError) as caught:
        decoder.bind(allocate(PEER_LAYOUT, 15))
    assert str(caught.value) == "table annotations: column start has 15 rows, fewer than 16"
    decoder.bind(allocate(PEER_LAYOUT, 16))
    decoder.feed(at, words, 0, 3, 10)
    with pytest.raises(ValueError) as caught:
        decoder.feed(at + 10, words, 0, 3, 20)
    assert str(caught.value) == "the block that ends at sample 20 begins with other lines than the last one left"
    with pytest.raises(ValueError) as caught:
        decoder.feed(at, words, 0, 1, 20)
    assert str(caught.value) == "edges up to sample 20 do not follow on sample 10"


# The strict decoder on the same captures ------------------------------------------------------------------------------


def strict(rec: Recording) -> Tables:
    """With the product's defaults: a spike filter of 50 ns, 50 us of idle time, 25 ms of stuck-low."""
    decoder = Decoder(
        rec.scl,
        rec.sda,
        glitch=rec.rate * 50 // 10**9,
        idle=rec.rate * 50 // 10**6,
        stuck=rec.rate * 25 // 1000,
    )
    taker = Taker(decoder, 1 << 14)
    taker.feed(rec.at, rec.words, rec.initial, rec.samples)
    return taker.finish(rec.samples)


def told(tables: Tables, since: int) -> list[tuple[int, str]]:
    """START, STOP, ACK and byte values with their samples, in order, as far as the peer prints them too."""
    names = ("Start", "Start repeat", "Stop", "", "", "ACK", "NACK")
    out = [(e["at"], names[e["kind"]]) for e in tables["events"] if names[e["kind"]] and e["at"] >= since]
    out += [
        (b["start"], f"{b['value'] if b['kind'] else b['value'] >> 1:02X} {'data' if b['kind'] else 'address'}")
        for b in tables["bytes"]
        if b["start"] >= since
    ]
    return sorted(out)


def printed(text: str) -> list[tuple[int, str]]:
    out = []
    for row in text.splitlines():
        start, rest = row.split("-", 1)
        what = rest.split(": ", 1)[1]
        if what in ("0", "1", "Read", "Write"):
            continue
        if ": " in what:
            kind, value = what.split(": ")
            what = f"{value} {'data' if kind.startswith('Data') else 'address'}"
        out.append((int(start), what))
    return sorted(out)


def kinds(tables: Tables) -> Counter[str]:
    return Counter(KINDS[a["kind"]] for a in tables["anomalies"])


@pytest.mark.parametrize("name", [n for n in NAMES if ENTRIES[n]["start_stop_anywhere"] == "equal"])
def test_strict_equals_the_peer_where_it_must(name: str) -> None:
    tables = strict(recording(name))
    expected = printed(golden(name))
    since = expected[0][0] if name == START_AT_ZERO else 0
    assert told(tables, since) == expected
    allowed = {"simultaneous", "stuck-low", "begins-inside", "ends-inside"}
    assert set(kinds(tables)) - allowed == ({"extra-clock"} if name == POLLING else set())


def test_strict_tells_of_the_clock_too_many_in_acknowledge_polling() -> None:
    # After each NACK this controller clocks a 0 and only then makes its repeated START: two SCL rises, not one.
    tables = strict(recording(POLLING))
    assert ENTRIES[POLLING]["decode"]["counts"]["nack"] > 96
    extra = [a for a in tables["anomalies"] if KINDS[a["kind"]] == "extra-clock"]
    assert [a["arg"] for a in extra] == [1] * 96
    ends = {(m["transfer"], m["end"]) for m in tables["messages"] if m["acked"] == 0}
    assert ends == {(a["transfer"], a["at"]) for a in extra}


def test_strict_sees_the_stop_and_the_start_that_the_peer_misses() -> None:
    tables = strict(recording(BLIND))
    ours, theirs = told(tables, 0), printed(golden(BLIND))
    assert sorted(set(ours) - set(theirs)) == [(10299450, "Stop"), (10310605, "Start")]
    assert set(theirs) <= set(ours)
    assert kinds(tables) == {"simultaneous": 2, "ack-interrupted": 2, "void": 1, "stuck-low": 2}
    # A power-up: both lines lie low at first, and a transfer stops within an ACK's clock pulse, twice.
    told_of = [
        (KINDS[a["kind"]], a["at"], a["arg"])
        for a in tables["anomalies"]
        if KINDS[a["kind"]] in ("ack-interrupted", "void")
    ]
    assert told_of == [("ack-interrupted", 3015403, 0), ("ack-interrupted", 10299350, 1), ("void", 10299450, 0)]


def test_strict_keeps_the_transfer_that_the_capture_was_triggered_on() -> None:
    tables = strict(recording(START_AT_ZERO))
    assert len(tables["transfers"]) == 1 + golden(START_AT_ZERO).count(": Start\n")
    assert [t["complete"] for t in tables["transfers"]] == [0] + [1] * 7
    inside = [(a["at"], a["arg"], a["transfer"]) for a in tables["anomalies"] if KINDS[a["kind"]] == "begins-inside"]
    assert inside == [(0, 0, 0)]


def test_strict_finds_the_hold_of_the_humidity_sensor() -> None:
    # "Hold master": the sensor keeps SCL low until its measurement is there.
    tables = strict(recording("i2c-sht21-100khz-read-serial-hold"))
    assert [(KINDS[a["kind"]], a["arg"]) for a in tables["anomalies"] if a["kind"] != SIMULTANEOUS] == [
        ("stuck-low", 0)
    ]
    assert [s["held_by"] for s in tables["stretches"]] == [1, 1]


@pytest.mark.parametrize(("name", "rises"), [("ds3231_ex1", 8), ("mcp23017_counter_a_write", 6)])
def test_strict_tells_of_the_transfer_that_the_end_cuts(name: str, rises: int) -> None:
    rec = recording(name)
    tables = strict(rec)
    last = tables["transfers"][-1]
    assert (OUTCOMES[last["outcome"]], last["complete"], last["end"]) == ("unfinished", 0, rec.samples)
    row = tables["anomalies"][-1]
    assert (KINDS[row["kind"]], row["at"], row["arg"]) == ("ends-inside", rec.samples, rises)
