"""A capture as a Perfetto trace: transfers, bytes, interrupts, task runs are slices on tracks, findings instants.

Opens in https://ui.perfetto.dev and in Perfetto's trace processor, where they can be asked for in SQL. The format is
the protobuf `perfetto.protos.Trace` (protos/perfetto/trace/trace.proto of Perfetto): packets of track descriptors and
track events, timestamps in nanoseconds from the capture's first sample.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from tracecheck.arrow import having
from tracecheck.errors import ExtraError, UsageError
from tracecheck.export.atomic import Writable
from tracecheck.rules.finding import Finding
from tracecheck.rules.verdict import Report
from tracecheck.stack import Annotation
from tracecheck.timebase import to_ns
from tracecheck.trace import Trace

_SEQUENCE: Final = 1
_PROCESS: Final = 1
_AT_ONCE: Final = 4096
"""Packets put together before they are written."""


def write_perfetto(file: Writable, trace: Trace, report: Report | None = None) -> None:
    """Every bus and marker of `trace` on a track of its own, with the findings of `report` on another.

    What stacked decoders said is on a track for each; on one more of the same name where it overlaps.

    Raises UsageError for a capture without samplerate, ExtraError without the package perfetto.
    """
    try:
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos  # noqa: PLC0415  (an extra, and large)
    except ImportError:
        raise ExtraError("writing a Perfetto trace needs the package perfetto", "perfetto") from None
    if not trace.rate_hz:
        raise UsageError(f"{trace.path}: a trace counts time, and this capture has no samplerate; give --samplerate")
    packets = _Packets(protos, trace, trace.rate_hz).all(report)
    while some := list(islice(packets, _AT_ONCE)):
        # A Trace is nothing but its packets: traces one behind the other are one trace.
        file.write(protos.Trace(packet=some).SerializeToString(deterministic=True))


class _Packets:
    def __init__(self, protos: Any, trace: Trace, rate_hz: int) -> None:
        self._protos, self._trace, self._rate = protos, trace, rate_hz
        self._begin = protos.TrackEvent.TYPE_SLICE_BEGIN
        self._end = protos.TrackEvent.TYPE_SLICE_END
        self._instant = protos.TrackEvent.TYPE_INSTANT
        self._tracks = _PROCESS

    def all(self, report: Report | None) -> Iterator[Any]:
        yield self._process()
        for bus in self._trace.wiring.buses:
            track = yield from self._track(f"{bus.name} transfers")
            yield from self._transfers(bus.name, track)
            track = yield from self._track(f"{bus.name} bytes")
            yield from self._bytes(bus.name, track)
            track = yield from self._track(f"{bus.name} anomalies")
            yield from self._anomalies(bus.name, track)
            for (stack, decoder), said in _by_decoder(report, bus.name).items():
                for slices in nested(said):
                    track = yield from self._track(f"{bus.name} {decoder}")
                    yield from self._said(slices, stack, track)
        for marker in self._trace.wiring.markers:
            track = yield from self._track(marker.name if marker.bus is None else f"{marker.bus} {marker.name}")
            yield from self._marker(marker.name, track)
        if report is not None:
            track = yield from self._track("findings")
            in_order = sorted(report.findings, key=lambda finding: finding.sample)
            yield from (self._finding(finding, track) for finding in in_order)

    def _process(self) -> Any:
        packet = self._protos.TracePacket(trusted_packet_sequence_id=_SEQUENCE)
        packet.sequence_flags = self._protos.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
        packet.track_descriptor.uuid = _PROCESS
        packet.track_descriptor.process.pid = 1
        packet.track_descriptor.process.process_name = _text(self._trace.path.rpartition("/")[2])
        return packet

    def _track(self, name: str) -> Generator[Any, None, int]:
        """Yields its descriptor, returns its number."""
        self._tracks += 1
        packet = self._protos.TracePacket(trusted_packet_sequence_id=_SEQUENCE)
        packet.track_descriptor.uuid = self._tracks
        packet.track_descriptor.parent_uuid = _PROCESS
        packet.track_descriptor.name = _text(name)
        packet.track_descriptor.sibling_order_rank = self._tracks
        yield packet
        return self._tracks

    def _event(self, what: int, track: int, sample: int, name: str | None = None, /, **facts: object) -> Any:
        packet = self._protos.TracePacket(trusted_packet_sequence_id=_SEQUENCE)
        packet.timestamp = to_ns(sample, self._rate)
        packet.track_event.type = what
        packet.track_event.track_uuid = track
        if name is not None:
            packet.track_event.name = _text(name)
        for key, value in facts.items():
            if value is None:
                continue
            note = packet.track_event.debug_annotations.add(name=key)
            if isinstance(value, bool):
                note.bool_value = value
            elif isinstance(value, int):
                note.int_value = value
            elif isinstance(value, float):
                note.double_value = value
            else:
                note.string_value = _text(str(value))
        return packet

    def _slice(self, track: int, begin: int, end: int, name: str, /, **facts: object) -> Iterator[Any]:
        yield self._event(self._begin, track, begin, name, **facts)
        yield self._event(self._end, track, end)

    def _transfers(self, bus: str, track: int) -> Iterator[Any]:
        data = {(transfer, message): text for transfer, message, text in self._trace.message_bytes(bus)}
        shown: dict[int, list[str]] = {}
        for (transfer, _), octets in data.items():
            shown.setdefault(transfer, []).append(octets.hex(" ").upper())
        for row in _rows(self._trace.transfers, "bus", bus):
            where = "" if row["address"] is None else f" 0x{row['address']:02X}"
            what = row["directions"] if row["directions"] != "none" else "no address"
            outcome = "" if row["outcome"] == "acked" else f", {row['outcome']}"
            yield from self._slice(
                track,
                row["start"],
                row["end"],
                f"{what}{where}, {row['n_bytes']} bytes{outcome}",
                transfer=row["transfer"],
                outcome=row["outcome"],
                data=" | ".join(shown.get(row["transfer"], [])),
                scl_hz=row["scl_hz"],
                complete=row["complete"],
            )

    def _bytes(self, bus: str, track: int) -> Iterator[Any]:
        for row in _rows(self._trace.bytes, "bus", bus):
            value, kind = row["value"], row["kind"]
            name = f"{value >> 1:02X} {'R' if value & 1 else 'W'}" if kind == "address" else f"{value:02X}"
            yield from self._slice(
                track, row["start"], row["end"], name, transfer=row["transfer"], kind=kind, acked=row["acked"]
            )

    def _anomalies(self, bus: str, track: int) -> Iterator[Any]:
        for row in _rows(self._trace.anomalies, "bus", bus):
            yield self._event(
                self._instant, track, row["sample"], row["kind"], transfer=row["transfer"], detail=row["detail"]
            )

    def _marker(self, name: str, track: int) -> Iterator[Any]:
        for row in _rows(self._trace.markers, "marker", name):
            begin = 0 if row["begin"] is None else row["begin"]
            end = self._trace.end if row["end"] is None else row["end"]
            cut = row["begin"] is None or row["end"] is None
            yield from self._slice(track, begin, end, name, transfer=row["transfer"], cut=cut or None)

    def _said(self, slices: Sequence[Annotation], stack: str, track: int) -> Iterator[Any]:
        """Slices that nest, each ended before the one around it."""
        open_: list[Annotation] = []
        for one in slices:
            while open_ and open_[-1].end <= one.start:
                yield self._event(self._end, track, open_.pop().end)
            name = one.text.strip() or one.kind
            yield self._event(self._begin, track, one.start, name, **{"class": one.kind, "stack": stack})
            open_.append(one)
        while open_:
            yield self._event(self._end, track, open_.pop().end)

    def _finding(self, finding: Finding, track: int) -> Any:
        return self._event(
            self._instant,
            track,
            finding.sample,
            finding.rule,
            verdict=finding.verdict,
            severity=finding.severity,
            message=finding.message,
            bus=finding.bus,
            transfer=finding.transfer,
            value_ns=finding.value_ns,
            why=finding.why or None,
        )


def _by_decoder(report: Report | None, bus: str) -> dict[tuple[str, str], list[Annotation]]:
    """What was said on a bus, by stack and decoder."""
    found: dict[tuple[str, str], list[Annotation]] = {}
    for one in report.annotations if report is not None else ():
        if one.bus == bus:
            found.setdefault((one.stack, one.decoder), []).append(one)
    return found


def nested(found: Sequence[Annotation]) -> list[list[Annotation]]:
    """In groups, in each of which any two annotations lie apart or one in the other: what one track can show."""
    groups: list[list[Annotation]] = []
    open_: list[list[int]] = []
    """Of each group where those end that have begun, the innermost last."""
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        for ends in open_:
            while ends and ends[-1] <= one.start:
                ends.pop()
        fitting = (i for i, ends in enumerate(open_) if not ends or one.end <= ends[-1])
        place = next(fitting, len(groups))
        if place == len(groups):
            groups.append([])
            open_.append([])
        groups[place].append(one)
        open_[place].append(one.end)
    return groups


def _rows(table: Any, column: str, name: str) -> Iterator[dict[str, Any]]:
    for batch in having(table, column, name).to_batches(max_chunksize=_AT_ONCE):
        yield from batch.to_pylist()


def _text(text: str) -> str:
    """What protobuf takes: names of files may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
