"""The timeline: every event of every bus and marker in one table, in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas, words
from tracecheck.arrow import coded, column, empty
from tracecheck.collected import Collected
from tracecheck.decoding.lane import BUS_CODES, MARKER_CODE, READY, RESTART, START, WAKE, Lane, LaneMarker
from tracecheck.decoding.window import ANOMALY_CODE, places_in
from tracecheck.tables import paired
from tracecheck.timebase import column_ns

_Part = tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16], NDArray[np.int64], NDArray[np.int64]]
"""Events of one lane: sample, word, bus, transfer, row."""


def lane_of(collected: Collected, bus: str | None, settle: int | None = None) -> Lane:
    """A fresh lane for one bus of a trace (None: the markers of no bus)."""
    markers = tuple(
        LaneMarker(m.name, m.role, collected.initially_active.get(m.name, False), m.coding == "pulse-count")
        for m in collected.wiring.markers_of(bus)
    )
    return Lane(bus, markers, collected.settle if settle is None else settle)


def timeline_table(collected: Collected) -> pa.Table:
    """All lanes merged; events in one sample stand bus by bus, then in the order bus events, anomalies, markers."""
    parts: list[_Part] = []
    names: list[str] = []
    buses = [b.name for b in collected.wiring.buses]
    batch = collected.batch()
    for bus in collected.wiring.lanes:
        lane = lane_of(collected, bus)
        rows = batch.buses[bus] if bus is not None else None
        window = lane.feed(rows, batch.markers, collected.end, synced=0, final=True)
        if window is None or not len(window.at):
            continue
        words = lane.names
        word_of = np.zeros(max(words) + 1, np.int16)
        for code, name in words.items():
            if name not in names:
                names.append(name)
            word_of[code] = names.index(name)
        index = buses.index(bus) if bus is not None else -1
        ref = _refs(collected, bus, window.at, window.code)
        parts.append((window.at, word_of[window.code], np.full(len(window.at), index, np.int16), window.transfer, ref))
    if not parts:
        return empty(schemas.TIMELINE)
    at, word, bus_index, transfer, ref = parts[0] if len(parts) == 1 else _in_order(parts)
    times = column(column_ns(at, collected.rate_hz)) if collected.rate_hz else pa.nulls(len(at), pa.int64())
    columns = [
        column(at),
        times,
        coded(word, names),
        coded(bus_index, buses, bus_index < 0),
        column(transfer, transfer < 0),
        column(ref, ref < 0),
    ]
    return pa.Table.from_arrays(columns, schema=schemas.TIMELINE)


def _in_order(parts: list[_Part]) -> _Part:
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

        def place(mask: NDArray[np.bool_], table: str, key: str, keep: NDArray[np.bool_] | None = None) -> None:
            values = collected.columns(bus, table)[key]
            index = None if keep is None else np.flatnonzero(keep)
            values = values if index is None else values[index]
            if (values[1:] < values[:-1]).any():
                order = np.argsort(values, kind="stable")
                index, values = order if index is None else index[order], values[order]
            if len(values):
                base = sum(len(collected.columns(b, table)[key]) for b in before)
                events = np.flatnonzero(mask)
                position = np.minimum(places_in(values, at[events], "left"), len(values) - 1)
                ref[events] = (position if index is None else index[position]) + base

        place(code == START, "transfers", "start")
        place(code == BUS_CODES["stop"], "transfers", "stop")
        place(code == RESTART, "messages", "start")
        place((code == BUS_CODES["address"]) | (code == BUS_CODES["data"]), "bytes", "at")
        place((code == BUS_CODES["ack"]) | (code == BUS_CODES["nack"]), "bytes", "end")
        for kind in range(len(words.ANOMALIES)):
            mine = code == ANOMALY_CODE + kind
            if mine.any():
                place(mine, "anomalies", "at", collected.columns(bus, "anomalies")["kind"] == kind)
    _marker_refs(collected, bus, at, code, ref)
    return ref


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
