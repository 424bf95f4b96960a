"""What sigrok's decoders say in the HTML report, the Perfetto trace and the exported tables."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace as PerfettoTrace
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

import tracecheck
from tracecheck.cli import main
from tracecheck.export.perfetto import nested, write_perfetto
from tracecheck.rules.expect import expect
from tracecheck.rules.model import RuleSet
from tracecheck.rules.verdict import Report
from tracecheck.stack import Annotation
from tracecheck.timebase import to_ns

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
CLOCK = DUMPS / "ds3231_ex1.sr"
UID = DUMPS / "24aa025uid_seqrndread128_bytewrite128_seqrndread128_1ms_delay.sr"


def judged(path: Path, stacks: dict[str, str], *lines: str) -> Report:
    rules = RuleSet().with_rules([expect(line, i) for i, line in enumerate(lines, 1)])
    return tracecheck.analyze(path, rules.with_stacks(stacks), keep_trace=True)


def test_a_row_over_each_waveform(tmp_path: Path) -> None:
    """Of the transfer that is drawn, and of no other."""
    out = tmp_path / "r.html"
    command = ["analyze", str(CLOCK), "--stack", "ds1307", "--expect", "never restart", "--format", "html"]
    assert main([*command, "-o", str(out)]) == 1
    page = out.read_text(encoding="utf-8")
    drawings = re.findall(r"<svg class=\"wave.*?</svg>", page, re.DOTALL)
    report = judged(CLOCK, {"ds1307": "ds1307"}, "never restart")
    transfers = {row["transfer"]: row for row in tracecheck.decode(CLOCK).transfers.to_pylist()}
    finding = [transfers[f.transfer] for f in report.findings]
    assert len(drawings) == 6
    for drawing, transfer in zip(drawings, finding, strict=False):
        said = [unescape(text) for text in re.findall(r"<title>(ds1307 [^<]*)</title><rect", drawing)]
        within = {
            f"ds1307 {a.kind}: {a.text}"
            for a in report.annotations
            if transfer["start"] <= a.start <= transfer["end"] and (a.kind == "warnings" or "datetime" in a.kind)
        }
        assert said and set(said) == within
        assert ">ds1307</text>" in drawing


def test_no_stack_no_row(tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    assert main(["analyze", str(CLOCK), "--expect", "never restart", "--format", "html", "-o", str(out)]) == 1
    assert 'class="told' not in out.read_text(encoding="utf-8")


def test_a_track_for_each_decoder() -> None:
    """Every annotation is a slice with its text and times; slices on a track lie apart or in one another."""
    stacks = {"rom": "eeprom24xx:chip=microchip_24aa025uid", "clock": "ds1307"}
    report = judged(UID, stacks, "never glitch")
    file = io.BytesIO()
    write_perfetto(file, report.trace, report)
    names: dict[int, str] = {}
    found: list[tuple[str, str, str, int, int]] = []
    open_: dict[int, list[tuple[int, str, str]]] = {}
    last: dict[int, int] = {}
    for packet in PerfettoTrace.FromString(file.getvalue()).packet:
        if packet.HasField("track_descriptor"):
            names[packet.track_descriptor.uuid] = packet.track_descriptor.name
            continue
        event, at = packet.track_event, packet.timestamp
        track = event.track_uuid
        assert at >= last.get(track, 0)
        last[track] = at
        facts = {note.name: note.string_value for note in event.debug_annotations}
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            open_.setdefault(track, []).append((at, event.name, facts.get("class", "")))
        elif event.type == TrackEvent.TYPE_SLICE_END:
            begin, name, kind = open_[track].pop()
            if kind:
                found.append((names[track], kind, name, begin, at))
    assert report.rate_hz is not None
    rate = report.rate_hz
    wanted = [
        (f"i2c0 {a.decoder}", a.kind, a.text.strip(), to_ns(a.start, rate), to_ns(a.end, rate))
        for a in report.annotations
    ]
    assert sorted(found) == sorted(wanted)
    assert {a.decoder for a in report.annotations} == {"eeprom24xx", "ds1307"}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=25))
def test_nested(spans: list[tuple[int, int]]) -> None:
    said = [Annotation("i2c0", "d", "d", "k", "", start, start + length) for start, length in spans]
    groups = nested(said)
    flat = sorted((one for group in groups for one in group), key=repr)
    assert flat == sorted(said, key=repr)
    for group in groups:
        for i, a in enumerate(group):
            for b in group[i + 1 :]:
                assert b.start >= a.end or (a.start <= b.start and b.end <= a.end)


def test_tables_in_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tables"
    assert main(["export", str(CLOCK), "--stack", "ds1307", "--to", "csv", "-o", str(out)]) == 0
    assert main(["decode", str(CLOCK), "--stack", "ds1307", "-o", str(tmp_path / "a.csv")]) == 0
    assert (out / "annotations.csv").read_text() == (tmp_path / "a.csv").read_text()
    capfd.readouterr()
    assert main(["export", str(CLOCK), "--stack", "ds1307", "-o", str(tmp_path / "x.vcd")]) == 2
    said = "--stack: a vcd has no place for what decoders say; use --to perfetto, csv or parquet"
    assert capfd.readouterr().err == f"tracecheck: {said}\n"
