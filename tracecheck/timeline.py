"""The timeline: every event of every bus and marker in one table, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas, words
from tracecheck.arrow import coded, column, empty
from tracecheck.collected import Collected
from tracecheck.decoding.lane import BUS_CODES, MARKER_CODE, READY, RESTART, START, WAKE, Lane, LaneMarker
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.window import ANOMALY_CODE, places_in
from tracecheck.tables import paired
from tracecheck.timebase import column_ns

TimelinePart = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]
"""Events in order: sample, word, bus, transfer, row."""
REFERRED: Final = ("transfers", "messages", "bytes", "anomalies")
"""The tables of a bus that events have their rows in."""


def lane_of(collected: Collected, bus: str | None, settle: int | None = None) -> Lane:
    """A fresh lane for one bus of a trace (None: the markers of no bus)."""
    markers = tuple(
        LaneMarker(m.name, m.role, collected.initially_active.get(m.name, False), m.coding == "pulse-count")
        for m in collected.wiring.markers_of(bus)
    )
    return Lane(bus, markers, collected.settle if settle is None else settle)


def timeline_table(collected: Collected) -> pa.Table:
    """All lanes merged; events in one sample stand bus by bus, then in the order bus events, anomalies, markers."""
    parts: list[TimelinePart] = []
    names: list[str] = []
    buses = [b.name for b in collected.wiring.buses]
    batch = collected.batch()
    for bus in collected.wiring.lanes:
        lane = lane_of(collected, bus)
        rows = batch.buses[bus] if bus is not None else None
        window = lane.feed(rows, batch.markers, collected.end, synced=0, final=True)
        if window is None or not len(window.at):
            continue
        word_of = words_of(lane, names)
        index = buses.index(bus) if bus is not None else -1
        ref = _refs(collected, bus, window.at, window.code)
        parts.append((window.at, word_of[window.code], np.full(len(window.at), index, np.int16), window.transfer, ref))
    if not parts:
        return empty(schemas.TIMELINE)
    at, word, bus_index, transfer, ref = parts[0] if len(parts) == 1 else in_order(parts)
    return rows_of_timeline((at, word, bus_index, transfer, ref), names, buses, collected.rate_hz)


def words_of(lane: Lane, names: list[str]) -> NDArray[np.int16]:
    """For each code of a lane the place of its name in `names`, which takes up those it has not yet."""
    words = lane.names
    word_of = np.zeros(max(words, default=0) + 1, np.int16)
    for code, name in words.items():
        if name not in names:
            names.append(name)
        word_of[code] = names.index(name)
    return word_of


def rows_of_timeline(part: TimelinePart, names: list[str], buses: list[str], rate_hz: int | None) -> pa.Table:
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


def in_order(parts: list[TimelinePart]) -> TimelinePart:
    order = np.argsort(np.concatenate([part[0] for part in parts]), kind="stable")
    at, transfer, ref = (np.concatenate([part[i] for part in parts])[order] for i in (0, 3, 4))
    word, bus = (np.concatenate([part[i] for part in parts])[order] for i in (1, 2))
    return at, word, bus, transfer, ref


def _refs(collected: Collected, bus: str | None, at: NDArray[np.int64], code: NDArray[np.int16]) -> NDArray[np.int64]:
    """Row, in the table it comes from, of each event. Events of a table stand in the order of its rows."""
    ref = np.full(len(at), -1, np.int64)
    if bus is not None:
        before = [b.name for b in collected.wiring.buses]
        before = before[: before.index(bus)]
        rows = {table: collected.columns(bus, table) for table in REFERRED}
        bases = {t: sum(len(collected.columns(b, t)["transfer"]) for b in before) for t in REFERRED}
        refer(ref, rows, bases, at, code)
    _marker_refs(collected, bus, at, code, ref)
    return ref


def refer(
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


def _marker_refs(
    collected: Collected, bus: str | None, at: NDArray[np.int64], code: NDArray[np.int16], ref: NDArray[np.int64]
) -> None:
    wires = collected.wiring.markers_of(bus)
    base = 0
    for marker in collected.wiring.markers:
        begins, ends = paired(collected.marker_rows(marker.name), collected.initially_active.get(marker.name, False))
        if marker in wires:
            i = wires.index(marker)
            for offset, values in ((0, begins), (1, ends)):
                mine = code == MARKER_CODE + 2 * i + offset
                known = np.flatnonzero(values >= 0)
                ref[mine] = known[np.searchsorted(values[known], at[mine])] + base if len(known) else -1
            derived = {"run": WAKE, "pending": READY}.get(marker.role or "")
            mine = code == derived if derived is not None else np.zeros(len(code), np.bool_)
            if mine.any():
                ref[mine] = np.searchsorted(begins, at[mine], side="right") - 1 + base
        base += len(begins)
