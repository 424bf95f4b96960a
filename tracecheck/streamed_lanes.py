"""Markers and the timeline, written while they are decoded.

What an event belongs to is known when its exchange has closed; which row it has, once the rows of the buses and
markers before its own have been counted, which takes a decode more where there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck.capture.model import Capture
from tracecheck.decoding.exchanges import FOREVER
from tracecheck.decoding.lane import MARKER_CODE, READY, WAKE, Lane, LaneMarker
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate
from tracecheck.decoding.stream import Batch, decode_capture
from tracecheck.decoding.window import Window
from tracecheck.decoding.wiring import MarkerWire, Wiring
from tracecheck.tables import Intervals, intervals_table
from tracecheck.timeline import REFERRED, TimelinePart, in_order, refer, rows_of_timeline, words_of

Progress = Callable[[int], None]
Samples = NDArray[np.int64]
_GONE = {"transfers": "end", "messages": "end", "bytes": "end", "anomalies": "at"}
"""Where a row ends: rows that end before a window does are referred to no more."""


def decodes(wiring: Wiring, table: str) -> int:
    """How many times the capture is read for one of the tables."""
    return len(wiring.markers) if table == "markers" else 1 + _must_count(wiring)


def marker_pieces(
    capture: Capture, wiring: Wiring, settle: int, glitch_s: Fraction, progress: Progress
) -> Iterator[pa.Table]:
    """Intervals of all markers, marker by marker: each a decode of its own, together with its bus."""
    buses, names = [b.name for b in wiring.buses], [m.name for m in wiring.markers]
    for number, marker in enumerate(wiring.markers):
        part = Wiring(tuple(b for b in wiring.buses if b.name == marker.bus), (marker,))
        held: _Open | None = None
        for batch in decode_capture(capture, part, glitch_s=glitch_s, progress=onwards(progress, capture, number)):
            if held is None:
                active = batch.initially_active.get(marker.name, False)
                held, lane = _Open(active), _lane(part, marker.bus, batch, settle)
            window = _fed(lane, batch)
            if window is not None and (found := held.ended(window, final=batch.final)) is not None:
                bus = buses.index(marker.bus) if marker.bus else -1
                yield intervals_table(found, (bus, buses), (number, names), capture.rate_hz)


class _Open:
    """The begins of one marker whose ends have not come yet, and what each is known of."""

    def __init__(self, active: bool) -> None:
        first = np.full(int(active), -1, np.int64)
        self._begins = Intervals(begin=first, end=first, transfer=first, start=first, stop=first)

    def ended(self, window: Window, *, final: bool) -> Intervals | None:
        """The intervals that end in a window, with the last one all there are; None for none."""
        begins, ends = (window.places(MARKER_CODE + edge) for edge in (0, 1))
        row = window.owner_row[begins]
        owned = {"transfer": window.owner[begins]}
        owned |= {c: np.append(window.transfers[c], -1)[row] for c in ("start", "stop")}
        new = {"begin": window.at[begins], "end": np.full(len(begins), -1, np.int64), **owned}
        columns = {name: np.concatenate([getattr(self._begins, name), column]) for name, column in new.items()}
        n = len(ends)
        columns["end"][:n] = window.at[ends]
        ready = len(columns["begin"]) if final else n
        self._begins = Intervals(**{name: column[ready:].copy() for name, column in columns.items()})
        return Intervals(**{name: column[:ready] for name, column in columns.items()}) if ready else None


def timeline_pieces(
    capture: Capture, wiring: Wiring, settle: int, glitch_s: Fraction, progress: Progress
) -> Iterator[pa.Table]:
    """Every event of all buses and markers, in order."""
    counted = _must_count(wiring)
    before = _Rows(wiring)
    if counted:
        for batch in decode_capture(capture, wiring, glitch_s=glitch_s, progress=progress):
            before.count(batch)
    buses, names = [b.name for b in wiring.buses], list[str]()
    lanes: list[_LaneEvents] = []
    for batch in decode_capture(capture, wiring, glitch_s=glitch_s, progress=onwards(progress, capture, counted)):
        if not lanes:
            lanes = [_LaneEvents(wiring, bus, batch, settle, names, before) for bus in wiring.lanes]
        for lane in lanes:
            lane.feed(batch)
        until = FOREVER if batch.final else min((lane.until for lane in lanes), default=0)
        parts = [part for lane in lanes if len((part := lane.taken(until))[0])]
        if parts:
            yield rows_of_timeline(parts[0] if len(parts) == 1 else in_order(parts), names, buses, capture.rate_hz)


def _must_count(wiring: Wiring) -> bool:
    return len(wiring.buses) > 1 or len(wiring.markers) > 1


@dataclass(slots=True)
class _Rows:
    """How many rows each bus has in each table, and each marker; those before one are where its own begin."""

    wiring: Wiring
    _buses: dict[tuple[str, str], int] = field(default_factory=dict)
    _markers: dict[str, int] = field(default_factory=dict)

    def count(self, batch: Batch) -> None:
        for bus, rows in batch.buses.items():
            for table in REFERRED:
                self._buses[bus, table] = self._buses.get((bus, table), 0) + len(rows[table]["transfer"])
        for name, new in batch.markers.items():
            self._markers[name] = self._markers.get(name, int(batch.initially_active[name])) + len(new.begins)

    def before_bus(self, bus: str, table: str) -> int:
        names = [b.name for b in self.wiring.buses]
        return sum(self._buses.get((name, table), 0) for name in names[: names.index(bus)])

    def before_marker(self, name: str) -> int:
        names = [m.name for m in self.wiring.markers]
        return sum(self._markers.get(one, 0) for one in names[: names.index(name)])


class _LaneEvents:
    """The events of one lane, with their rows, from when they are known until all lanes have come as far."""

    def __init__(
        self, wiring: Wiring, bus: str | None, batch: Batch, settle: int, names: list[str], before: _Rows
    ) -> None:
        self.until = 0
        self._lane = _lane(wiring, bus, batch, settle)
        self._bus, self._number = bus, -1 if bus is None else [b.name for b in wiring.buses].index(bus)
        self._word_of = words_of(self._lane, names)
        self._held: list[TimelinePart] = []
        self._rows: dict[str, list[Columns]] = {table: [] for table in REFERRED}
        self._bases = {table: before.before_bus(bus, table) for table in REFERRED} if bus is not None else {}
        self._markers = [
            _MarkerRows(code, m, before.before_marker(m.name), batch.initially_active[m.name])
            for code, m in zip(range(MARKER_CODE, 1 << 15, 2), wiring.markers_of(bus), strict=False)
        ]

    def feed(self, batch: Batch) -> None:
        if self._bus is not None:
            for table, parts in self._rows.items():
                parts.append(batch.buses[self._bus][table])
        window = _fed(self._lane, batch)
        if window is None:
            return
        self.until = window.end
        ref = np.full(len(window.at), -1, np.int64)
        if self._bus is not None:
            rows = {table: concatenate(parts, LAYOUT[table]) for table, parts in self._rows.items()}
            refer(ref, rows, self._bases, window.at, window.code)
            for table, columns in rows.items():
                self._let_go(table, columns, window.end)
        for marker in self._markers:
            marker.refer(ref, window)
        bus = np.full(len(ref), self._number, np.int16)
        self._held.append((window.at, self._word_of[window.code], bus, window.transfer, ref))

    def taken(self, until: int) -> TimelinePart:
        """What is held of the samples before `until`."""
        at, word, bus, transfer, ref = (
            np.concatenate([np.empty(0, kind), *(part[i] for part in self._held)])
            for i, kind in enumerate((np.int64, np.int16, np.int16, np.int64, np.int64))
        )
        n = int(np.searchsorted(at, until))
        rest = (at[n:].copy(), word[n:].copy(), bus[n:].copy(), transfer[n:].copy(), ref[n:].copy())
        self._held = [rest] if len(rest[0]) else []
        return at[:n], word[:n], bus[:n], transfer[:n], ref[:n]

    def _let_go(self, table: str, rows: Columns, end: int) -> None:
        """Rows are let go in their order, so that those that stay are counted on from the last of them."""
        stays = rows[_GONE[table]] >= end
        n = int(np.argmax(stays)) if stays.any() else len(stays)
        self._rows[table] = [{name: column[n:].copy() for name, column in rows.items()}]
        self._bases[table] += n


class _MarkerRows:
    """Which row the next begin, and the next end, of a marker has."""

    def __init__(self, code: int, marker: MarkerWire, base: int, active: bool) -> None:
        self._code, self._begin, self._end = code, base + active, base
        self._derived = {"run": WAKE, "pending": READY}.get(marker.role or "")

    def refer(self, ref: Samples, window: Window) -> None:
        begins, ends = (window.places(self._code + edge) for edge in (0, 1))
        ref[begins] = np.arange(len(begins)) + self._begin
        ref[ends] = np.arange(len(ends)) + self._end
        if self._derived is not None:
            derived = window.places(self._derived)
            latest = np.searchsorted(window.at[begins], window.at[derived], "right") - 1
            ref[derived] = latest + self._begin
        self._begin += len(begins)
        self._end += len(ends)


def _lane(wiring: Wiring, bus: str | None, batch: Batch, settle: int) -> Lane:
    markers = tuple(
        LaneMarker(m.name, m.role, batch.initially_active[m.name], m.coding == "pulse-count")
        for m in wiring.markers_of(bus)
    )
    return Lane(bus, markers, settle, max_held=FOREVER)


def _fed(lane: Lane, batch: Batch) -> Window | None:
    """A batch handed to a lane of the timeline, which goes on to the capture's very end."""
    rows = batch.buses[lane.bus] if lane.bus is not None else None
    watermark = batch.end if batch.final else batch.watermarks[lane.bus]
    return lane.feed(rows, batch.markers, watermark, synced=0, final=batch.final)


def onwards(progress: Progress, capture: Capture, decodes_before: int) -> Progress:
    """Progress of one more decode of a capture."""
    return lambda done: progress(decodes_before * capture.samples + done)
