"""The Arrow tables of a trace: schemas, nulls, times, and references that lead to the right rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bus_strategies import Pen
from rule_lines import lane
from rule_strategies import batches_of, whole, wiring_of

from tracecheck import schemas
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Channel
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import BusWire, MarkerWire, Wiring
from tracecheck.errors import UsageError
from tracecheck.trace import TABLES, Trace

RATE = 1_000_000
SCHEMAS = {name: schemas.TABLES[name] for name in TABLES}


def pen_trace(pen: Pen, *markers: tuple[str, list[int]], rate_hz: int | None = RATE) -> Trace:
    """A trace of one bus and marker lines, decoded from samples."""
    samples = np.array(pen.scl, np.uint8) | np.array(pen.sda, np.uint8) << 1
    for bit, (_, line) in enumerate(markers, 2):
        samples |= np.array((line + [0] * len(samples))[: len(samples)], np.uint8) << bit
    wires = tuple(MarkerWire(n, Channel(n, bit), role=n, bus="i2c0") for bit, (n, _) in enumerate(markers, 2))
    wiring = Wiring((BusWire("i2c0", Channel("SCL", 0), Channel("SDA", 1)),), wires)
    capture = ArrayCapture(samples, rate_hz)
    return Trace("x", rate_hz, wiring).collect(decode_capture(capture, wiring, timings=True))


def line_trace(line: str, **settings: Any) -> Trace:
    """A trace of what a line says, as rows."""
    data = lane(line, **settings)
    trace = Trace("x", data.rate_hz, wiring_of(data)).collect([whole(data)])
    trace.settle = data.settle
    return trace


def two_writes() -> Trace:
    pen = (
        Pen().idle(10).message(0x78, 1, 2).stop().idle(20).message(0xA0, 3).message(0xA1).byte(0xFF, 1).stop().idle(20)
    )
    quiet = len(pen.scl)
    return pen_trace(pen, ("irq", [0] * (quiet - 15) + [1] * 5))


@pytest.mark.parametrize("name", TABLES)
def test_schemas_are_as_published_with_and_without_rows(name: str) -> None:
    for trace in (two_writes(), pen_trace(Pen().idle(20)), Trace("x", None, Wiring())):
        table = trace.table(name)
        assert table.schema.equals(SCHEMAS[name], check_metadata=True)
        table.validate(full=True)


def test_an_unknown_table() -> None:
    with pytest.raises(UsageError) as caught:
        two_writes().table("byte")
    assert str(caught.value) == (
        'no table "byte"; did you mean "bytes"? '
        "(tables: bytes, messages, transfers, markers, anomalies, stretches, timings, timeline)"
    )


def test_message_data() -> None:
    trace = two_writes()
    assert trace.messages["data"].to_pylist() == [b"\x01\x02", b"\x03", b"\xff"]
    assert trace.messages["address"].to_pylist() == [0x3C, 0x50, 0x50]
    assert trace.messages["restart"].to_pylist() == [False, False, True]
    assert list(trace.message_bytes("i2c0")) == [(0, 0, b"\x01\x02"), (1, 0, b"\x03"), (1, 1, b"\xff")]


def test_data_of_two_buses_do_not_mix() -> None:
    pens = [Pen().idle(10).message(0x78, 1, 2).stop().idle(30), Pen().idle(10).message(0xA0, 9).stop().idle(60)]
    n = min(len(p.scl) for p in pens)
    levels = [line[:n] for p in pens for line in (p.scl, p.sda)]
    samples = np.zeros(n, np.uint8)
    for bit, line in enumerate(levels):
        samples |= np.array(line, np.uint8) << bit
    buses = tuple(BusWire(f"i2c{i}", Channel("", 2 * i), Channel("", 2 * i + 1)) for i in range(2))
    trace = Trace("x", RATE, Wiring(buses)).collect(decode_capture(ArrayCapture(samples, RATE), Wiring(buses)))
    rows = trace.messages.select(["bus", "transfer", "data"]).to_pylist()
    assert rows == [
        {"bus": "i2c0", "transfer": 0, "data": b"\x01\x02"},
        {"bus": "i2c1", "transfer": 0, "data": b"\x09"},
    ]
    for row in trace.timeline.to_pylist():
        if row["event"] in ("start", "stop"):
            found = trace.transfers.slice(row["ref"], 1).to_pylist()[0]
            assert (found["bus"], found[row["event"]]) == (row["bus"], row["sample"])


def test_nulls_say_not_there() -> None:
    (row,) = line_trace("start@10 missing-stop@90", end=100).transfers.to_pylist()
    assert (row["stop"], row["end"], row["duration_ns"], row["scl_hz"], row["scl_period"]) == (
        None,
        90,
        None,
        None,
        None,
    )
    (row,) = line_trace("start@10:p4 stop@90").transfers.to_pylist()
    assert (row["stop"], row["duration_ns"], row["scl_hz"], row["scl_period"]) == (90, 80_000, 250_000.0, 4)


def test_without_a_rate_there_are_no_times() -> None:
    pen = Pen().idle(10).message(0x78, 1, 2).stop().idle(20)
    trace = pen_trace(pen, ("irq", [0] * 20 + [1]), rate_hz=None)
    for name in TABLES:
        table = trace.table(name)
        for column in table.column_names:
            if column.endswith(("_ns", "_hz")):
                assert table[column].null_count == len(table), (name, column)
    assert len(trace.bytes) == 3


def test_times_far_beyond_what_a_naive_product_holds() -> None:
    rate = 24_000_000
    start = 2000 * rate + 1  # 2000 s, and one sample of 41.67 ns
    trace = line_trace(f"start@{start} stop@{start + rate} irq@{start + 24}-{start + 48}", end=2 * start, rate_hz=rate)
    (row,) = trace.transfers.to_pylist()
    assert (row["t_ns"], row["duration_ns"]) == (2_000_000_000_041, 1_000_000_000)
    (row,) = trace.markers.to_pylist()
    assert (row["t_ns"], row["width_ns"], row["from_start_ns"], row["from_stop_ns"]) == (
        2_000_000_001_041,
        1000,
        1000,
        1000 - 1_000_000_000,
    )


def test_durations_come_from_sample_differences() -> None:
    # At 3 MS/s a sample is 333.3 ns: from 1 to 2 is 333 ns, though the times are 333 and 666.
    trace = line_trace("start@1 stop@3 start@4 stop@6", rate_hz=3_000_000)
    assert trace.transfers["t_ns"].to_pylist() == [333, 1333]
    assert trace.transfers["duration_ns"].to_pylist() == [667, 667]


def test_markers_are_attributed_to_exchanges() -> None:
    trace = line_trace(
        "irq@5-6 start@10 irq@15-16 stop@20 irq@25-30 start@40 stop@50 irq@55-56 irq@90- run@-12", end=100, settle=10
    )
    rows = [(r["marker"], r["begin"], r["end"], r["transfer"]) for r in trace.markers.to_pylist()]
    assert rows == [
        ("irq", 5, 6, None),
        ("irq", 15, 16, 0),
        ("irq", 25, 30, 0),
        ("irq", 55, 56, 1),
        ("irq", 90, None, None),
        ("run", None, 12, None),
    ]
    row = trace.markers.to_pylist()[1]
    assert (row["from_start_ns"], row["from_stop_ns"]) == (5000, -5000)


def test_the_timeline_is_in_order_and_complete() -> None:
    trace = line_trace("start@10 address@12 stop@20 irq@25-30 run@40-45 pending@26-39", end=100)
    assert [(r["sample"], r["event"], r["transfer"]) for r in trace.timeline.to_pylist()] == [
        (10, "start", 0),
        (12, "address", 0),
        (20, "stop", 0),
        (25, "irq.begin", 0),
        (26, "ready", 0),
        (26, "pending.begin", 0),
        (30, "irq.end", 0),
        (39, "pending.end", 0),
        (40, "wake", 0),
        (40, "run.begin", 0),
        (45, "run.end", 0),
    ]


def test_timeline_references_lead_to_the_rows() -> None:
    trace = two_writes()
    tables = {
        name: trace.table(name).to_pylist() for name in ("transfers", "messages", "bytes", "markers", "anomalies")
    }
    keys = {
        "start": ("transfers", "start"),
        "stop": ("transfers", "stop"),
        "restart": ("messages", "start"),
        "address": ("bytes", "at"),
        "data": ("bytes", "at"),
        "ack": ("bytes", "end"),
        "nack": ("bytes", "end"),
        "irq.begin": ("markers", "begin"),
        "irq.end": ("markers", "end"),
    }
    events = trace.timeline.to_pylist()
    assert {e["event"] for e in events} == set(keys)
    for event in events:
        name, key = keys[event["event"]]
        assert tables[name][event["ref"]][key] == event["sample"], event


def test_timeline_references_of_derived_events_and_anomalies() -> None:
    trace = line_trace("pending@-30 run@2-4 start@10 glitch@12 stop@20 irq@25-28 run@40-45 stray-stop@60", end=100)
    markers, anomalies = trace.markers.to_pylist(), trace.anomalies.to_pylist()
    by_event = {e["event"]: e for e in trace.timeline.to_pylist() if e["sample"] >= 10}
    assert markers[by_event["wake"]["ref"]]["begin"] == 40
    assert (by_event["ready"]["sample"], markers[by_event["ready"]["ref"]]["marker"]) == (25, "pending")
    assert markers[by_event["ready"]["ref"]]["begin"] is None
    assert anomalies[by_event["stray-stop"]["ref"]]["sample"] == 60
    assert anomalies[by_event["glitch"]["ref"]]["kind"] == "glitch"


def test_batches_make_the_same_tables() -> None:
    data = lane("start@10 address@12 stop@20 irq@25-30 start@40 glitch@45 stop@50 run@60-70", end=100, settle=50)
    once = Trace("x", RATE, wiring_of(data)).collect([whole(data)])
    often = Trace("x", RATE, wiring_of(data)).collect(batches_of(data, [(at, 3) for at in range(5, 95, 10)]))
    for name in once.tables:
        assert once.table(name).equals(often.table(name)), name


def test_data_frames_have_plain_strings() -> None:
    frame = two_writes().df("transfers")
    assert frame["outcome"].tolist() == ["acked", "acked"]
    assert frame["outcome"].dtype.pyarrow_dtype == pa.string()
    assert frame["start"].dtype.pyarrow_dtype == pa.int64()
    assert len(Trace("x", None, Wiring()).df("bytes")) == 0


def test_a_trace_says_what_it_holds() -> None:
    assert repr(two_writes()) == "<Trace of x: 2 transfers on i2c0, 1 markers>"


def test_timings_are_there_where_they_were_asked_for() -> None:
    rows = two_writes().timings.to_pylist()
    low = next(row for row in rows if row["transfer"] == 0 and row["parameter"] == "tLOW")
    assert (low["count"], low["low"], low["low_ns"], low["high_ns"]) == (28, 4, 4000, 4000)
    assert {row["parameter"] for row in rows} >= {"fSCL", "tHD;STA", "tSU;STA", "tSU;STO", "tBUF", "tVD;ACK"}
    trace = line_trace("start@10 stop@90")
    assert "timings" not in trace.tables
    with pytest.raises(UsageError, match=r"^bus timing was not measured; decode with timings=True$"):
        trace.table("timings")
