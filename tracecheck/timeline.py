"""The timeline: every event of every bus and marker in one table, in order.

What an event belongs to is known when its exchange has closed; which row it has in the table it comes from, once the
rows of the buses and markers before its own have been counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas, words
from tracecheck.arrow import coded, column, empty
from tracecheck.collected import Collected
from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import BUS_CODES, MARKER_CODE, READY, RESTART, START, WAKE, Lane, lane_markers
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.whole_lane import fed_to_the_end, fresh_lane
from tracecheck.decoding.window import ANOMALY_CODE, Window, places_in
from tracecheck.decoding.wiring import MarkerWire, Wiring
from tracecheck.timebase import column_ns

_Part = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]
"""Events in order: sample, word, bus, transfer, row."""
_REFERRED: Final = ("transfers", "messages", "bytes", "anomalies")
"""The tables of a bus that events have their rows in."""
_GONE: Final = {"transfers": "end", "messages": "end", "bytes": "end", "anomalies": "at"}
"""Where a row ends: rows that end before a window does are referred to no more."""


def lane_of(collected: Collected, bus: str | None) -> Lane:
    """A fresh lane for one bus of a trace (None: the markers of no bus)."""
    return Lane(bus, lane_markers(collected.wiring.markers_of(bus), collected.initially_active), collected.settle)


def timeline_table(collected: Collected) -> pa.Table:
    """Every event of a trace."""
    batch, before = collected.batch(), RowsBefore(collected.wiring)
    before.count(batch)
    pieces = list(timeline_pieces([batch], before, collected.settle, collected.rate_hz))
    return pieces[0] if pieces else empty(schemas.TIMELINE)


def timeline_pieces(
    batches: Iterable[Batch], before: RowsBefore, settle: int, rate_hz: int | None
) -> Iterator[pa.Table]:
    """All lanes merged; events in one sample stand bus by bus, then in the order bus events, anomalies, markers.

    `before`: what has been counted of the same batches; of one bus and one marker nothing need be. `settle` in samples.
    """
    wiring, names = before.wiring, list[str]()
    buses = [b.name for b in wiring.buses]
    lanes: list[_LaneEvents] = []
    for batch in batches:
        if not lanes:
            lanes = [_LaneEvents(wiring, bus, batch, settle, names, before) for bus in wiring.lanes]
        for lane in lanes:
            lane.feed(batch)
        until = FOREVER if batch.final else min((lane.until for lane in lanes), default=0)
        parts = [part for lane in lanes if len((part := lane.taken(until))[0])]
        if parts:
            yield _rows_of(parts[0] if len(parts) == 1 else _in_order(parts), names, buses, rate_hz)


@dataclass(slots=True)
class RowsBefore:
    """How many rows each bus has in each table, and each marker; those before one are where its own begin."""

    wiring: Wiring
    _buses: dict[tuple[str, str], int] = field(default_factory=dict)
    _markers: dict[str, int] = field(default_factory=dict)

    def count(self, batch: Batch) -> None:
        for bus, rows in batch.buses.items():
            for table in _REFERRED:
                self._buses[bus, table] = self._buses.get((bus, table), 0) + len(rows[table]["transfer"])
        for name, new in batch.markers.items():
            begun = self._markers.get(name, int(batch.initially_active.get(name, False)))
            self._markers[name] = begun + len(new.begins)

    def before_bus(self, bus: str, table: str) -> int:
        names = [b.name for b in self.wiring.buses]
        return sum(self._buses.get((name, table), 0) for name in names[: names.index(bus)])

    def before_marker(self, name: str) -> int:
        names = [m.name for m in self.wiring.markers]
        return sum(self._markers.get(one, 0) for one in names[: names.index(name)])


class _LaneEvents:
    """The events of one lane, with their rows, from when they are known until all lanes have come as far."""

    def __init__(
        self, wiring: Wiring, bus: str | None, batch: Batch, settle: int, names: list[str], before: RowsBefore
    ) -> None:
        self.until = 0
        self._lane = fresh_lane(wiring, bus, batch, settle)
        self._bus, self._number = bus, -1 if bus is None else [b.name for b in wiring.buses].index(bus)
        self._word_of = _words_of(self._lane, names)
        self._held: list[_Part] = []
        self._rows: dict[str, list[Columns]] = {table: [] for table in _REFERRED}
        self._bases = {table: before.before_bus(bus, table) for table in _REFERRED} if bus is not None else {}
        self._markers = [
            _MarkerRows(code, m, before.before_marker(m.name), batch.initially_active.get(m.name, False))
            for code, m in zip(range(MARKER_CODE, 1 << 15, 2), wiring.markers_of(bus), strict=False)
        ]

    def feed(self, batch: Batch) -> None:
        if self._bus is not None:
            for table, parts in self._rows.items():
                parts.append(batch.buses[self._bus][table])
        window = fed_to_the_end(self._lane, batch)
        if window is None:
            return
        self.until = window.end
        ref = np.full(len(window.at), -1, np.int64)
        if self._bus is not None:
            rows = {table: concatenate(parts, LAYOUT[table]) for table, parts in self._rows.items()}
            _refer(ref, rows, self._bases, window.at, window.code)
            for table, columns in rows.items():
                self._let_go(table, columns, window.end)
        for marker in self._markers:
            marker.refer(ref, window)
        bus = np.full(len(ref), self._number, np.int16)
        self._held.append((window.at, self._word_of[window.code], bus, window.transfer, ref))

    def taken(self, until: int) -> _Part:
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


def _words_of(lane: Lane, names: list[str]) -> NDArray[np.int16]:
    """For each code of a lane the place of its name in `names`, which takes up those it has not yet."""
    words = lane.names
    word_of = np.zeros(max(words, default=0) + 1, np.int16)
    for code, name in words.items():
        if name not in names:
            names.append(name)
        word_of[code] = names.index(name)
    return word_of


def _rows_of(part: _Part, names: list[str], buses: list[str], rate_hz: int | None) -> pa.Table:
    """Events in order as rows; `names` of words, `buses` by number."""
    at, word, bus, transfer, ref = part
    columns = [
        column(at),
        column(column_ns(at, rate_hz)) if rate_hz else pa.nulls(len(at), pa.int64()),
        coded(word, names),
        coded(bus, buses, bus < 0),
        column(transfer, transfer < 0),
        column(ref, ref < 0),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.TIMELINE)


def _in_order(parts: list[_Part]) -> _Part:
    order = np.argsort(np.concatenate([part[0] for part in parts]), kind="stable")
    at, transfer, ref = (np.concatenate([part[i] for part in parts])[order] for i in (0, 3, 4))
    word, bus = (np.concatenate([part[i] for part in parts])[order] for i in (1, 2))
    return at, word, bus, transfer, ref


def _refer(
    ref: NDArray[np.int64],
    rows: Mapping[str, Columns],
    bases: Mapping[str, int],
    at: NDArray[np.int64],
    code: NDArray[np.int16],
) -> None:
    """Writes into `ref` the row of each event of a bus, among `rows` of its tables, the first being row `bases`."""

    def place(mask: NDArray[np.bool_], table: str, key: str, keep: NDArray[np.bool_] | None = None) -> None:
        values = rows[table][key]
        index = None if keep is None else np.flatnonzero(keep)
        values = values if index is None else values[index]
        if (values[1:] < values[:-1]).any():
            order = np.argsort(values, kind="stable")
            index, values = order if index is None else index[order], values[order]
        if len(values):
            events = np.flatnonzero(mask)
            position = np.minimum(places_in(values, at[events], "left"), len(values) - 1)
            ref[events] = (position if index is None else index[position]) + bases[table]

    place(code == START, "transfers", "start")
    place(code == BUS_CODES["stop"], "transfers", "stop")
    place(code == RESTART, "messages", "start")
    place((code == BUS_CODES["address"]) | (code == BUS_CODES["data"]), "bytes", "at")
    place((code == BUS_CODES["ack"]) | (code == BUS_CODES["nack"]), "bytes", "end")
    for kind in range(len(words.ANOMALIES)):
        mine = code == ANOMALY_CODE + kind
        if mine.any():
            place(mine, "anomalies", "at", rows["anomalies"]["kind"] == kind)
