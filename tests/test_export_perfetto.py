"""Perfetto traces: read with the format's own classes, nested as its reader wants them, equal to the tables."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace as PerfettoTrace
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.errors import UsageError
from tracecheck.export.perfetto import write_perfetto

CAPTURES = Path(__file__).parent.parent / "captures"


class Read:
    """A trace as its reader sees it: (begin, end, name, facts) of each slice by track; an instant's end is None."""

    def __init__(self, data: bytes) -> None:
        self.tracks: dict[int, str] = {}
        self.process = ""
        found: dict[int, list[tuple[int, int | None, str, dict[str, Any]]]] = defaultdict(list)
        open_slices: dict[int, tuple[int, str, dict[str, Any]]] = {}
        last: dict[int, int] = defaultdict(int)
        for packet in PerfettoTrace.FromString(data).packet:
            if packet.HasField("track_descriptor"):
                track = packet.track_descriptor
                assert track.uuid not in self.tracks
                self.tracks[track.uuid] = track.name
                self.process = self.process or track.process.process_name
                continue
            event, at = packet.track_event, packet.timestamp
            track_id = event.track_uuid
            assert track_id in self.tracks and at >= last[track_id], "a track's events stand in order behind it"
            last[track_id] = at
            facts = {note.name: getattr(note, note.WhichOneof("value")) for note in event.debug_annotations}
            if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                assert track_id not in open_slices, "slices of one track do not overlap"
                open_slices[track_id] = at, event.name, facts
            elif event.type == TrackEvent.TYPE_SLICE_END:
                begin, name, facts = open_slices.pop(track_id)
                found[track_id].append((begin, at, name, facts))
            else:
                found[track_id].append((at, None, event.name, facts))
        assert not open_slices
        self.on = {name: found[uuid] for uuid, name in self.tracks.items()}


def written(trace: Any, report: Any = None) -> Read:
    file = io.BytesIO()
    write_perfetto(file, trace, report)
    return Read(file.getvalue())


def test_the_tables_are_on_the_tracks() -> None:
    report = tracecheck.analyze(CAPTURES / "pico/pico-hog-executor.sr", keep_trace=True)
    trace = report.trace
    read = written(trace, report)
    assert read.process == "pico-hog-executor.sr"
    assert list(read.tracks.values())[1:] == [
        *("i2c0 transfers", "i2c0 bytes", "i2c0 anomalies"),
        *("i2c0 irq", "i2c0 pending", "i2c0 run", "findings"),
    ]
    rows = trace.transfers.to_pylist()
    assert [(b, e - b, f["transfer"]) for b, e, _, f in read.on["i2c0 transfers"] if e is not None] == [
        (row["t_ns"], end - row["t_ns"], row["transfer"])
        for row in rows
        for end in [row["end"] // 24_000_000 * 10**9 + row["end"] % 24_000_000 * 10**9 // 24_000_000]
    ]
    begin, _, name, facts = read.on["i2c0 transfers"][3]
    assert name == "write-read 0x68, 9 bytes"
    assert facts["data"].startswith("77 | D2 DD") and facts["outcome"] == "acked" and facts["complete"] is True
    assert begin == rows[3]["t_ns"]
    values = [row["value"] for row in trace.bytes.to_pylist()]
    assert [name[:2] for _, _, name, _ in read.on["i2c0 bytes"]] == [
        f"{value >> 1:02X}" if kind == "address" else f"{value:02X}"
        for value, kind in zip(values, trace.bytes["kind"].to_pylist(), strict=True)
    ]
    for marker in ("irq", "pending", "run"):
        widths = [row["t_ns"] for row in trace.markers.to_pylist() if row["marker"] == marker]
        slices = read.on[f"i2c0 {marker}"]
        assert len(slices) == len(widths) > 10
        assert [b for b, _, _, _ in slices if b] == [t for t in widths if t]
    assert [(at, end, name, f["severity"], f["message"]) for at, end, name, f in read.on["findings"]] == [
        (f.t_ns, None, f.rule, f.severity, f.message) for f in sorted(report.findings, key=lambda f: f.sample)
    ]
    assert report.findings


def test_intervals_that_the_capture_cuts_reach_its_ends() -> None:
    samples = np.array([0b100] * 5 + [0b000] * 5 + [0b100] * 10, np.uint8) | 0b011
    capture = ArrayCapture(samples, 1_000_000, ("SCL", "SDA", "IRQ"), path="x.sr")
    read = written(tracecheck.decode(capture, "SCL", "SDA", {"irq": "IRQ"}))
    assert read.on["i2c0 irq"] == [(0, 5000, "irq", {"cut": True}), (10_000, 20_000, "irq", {"cut": True})]


def test_names_of_any_kind_are_text() -> None:
    capture = ArrayCapture(np.full(9, 3, np.uint8), 1_000_000, ("SCL", "SDA"), path="d/<b>\udcff\n.sr")
    assert written(tracecheck.decode(capture)).process == "<b>?\n.sr"


def test_without_a_samplerate_there_is_no_time() -> None:
    capture = ArrayCapture(np.full(9, 3, np.uint8), None, ("SCL", "SDA"), path="x.sr")
    with pytest.raises(UsageError) as raised:
        written(tracecheck.decode(capture))
    assert str(raised.value) == "x.sr: a trace counts time, and this capture has no samplerate; give --samplerate"
