"""Raw decoder columns to Arrow tables of the published schemas: nulls, words, times. Vectorised throughout.

Rows come in the parts in which they are kept, and each becomes a chunk of the table, which shares its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck import schemas, words
from tracecheck.arrow import coded, column, empty, strings
from tracecheck.decoding.anomaly_text import describe_anomaly
from tracecheck.decoding.exchanges import Exchanges
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.rows import Columns
from tracecheck.timebase import column_ns, lengths_ns

_Each = Mapping[str, Sequence[Columns]]
"""The parts of each bus."""


@dataclass(frozen=True, slots=True)
class MarkerColumns:
    """Decoded rows of one marker and what its intervals need to be paired."""

    name: str
    bus: str | None
    rows: MarkerRows
    initially_active: bool


def bytes_table(each: _Each, rate_hz: int | None) -> pa.Table:
    return _stacked(
        schemas.BYTES,
        each,
        lambda rows: {
            **_plain(rows, "transfer", "message", "index", "value", "start", "at", "end"),
            "kind": _words(rows["kind"], words.BYTE_KINDS),
            "acked": _flag(rows["acked"]),
            "t_ns": _times(rows["start"], rate_hz),
        },
    )


def messages_table(each: _Each, all_bytes: _Each, rate_hz: int | None) -> pa.Table:
    buses = {name: _values(rows) for name, rows in all_bytes.items()}
    data = (part for name, parts in each.items() for part in _data_of(parts, buses[name]))

    def build(rows: Columns) -> dict[str, Any]:
        return {
            **_plain(rows, "transfer", "index", "start", "end"),
            "address": _nullable(rows["address"]),
            "address_kind": _words(rows["address_kind"], words.ADDRESS_KINDS),
            "ten_bit": column(rows["ten_bit"].astype(np.bool_)),
            "direction": _words(rows["direction"], words.DIRECTIONS),
            "restart": column(rows["restart"].astype(np.bool_)),
            "acked": _flag(rows["acked"]),
            "data": next(data),
            "t_ns": _times(rows["start"], rate_hz),
        }

    return _stacked(schemas.MESSAGES, each, build)


def _values(parts: Sequence[Columns]) -> NDArray[np.uint8]:
    """All data bytes of a bus, in order."""
    found = (rows["value"][rows["kind"] == words.BYTE_KINDS.index("data")] for rows in parts)
    return np.concatenate([np.empty(0, np.uint8), *found])


def _data_of(parts: Sequence[Columns], values: NDArray[np.uint8]) -> Iterator[pa.Array]:
    """The data bytes of each part's messages as a binary column; a slice of `values`, as they stand in order there.

    A message may be in a later part than its bytes are, as its row comes when it is over.
    """
    begin = 0
    for messages in parts:
        offsets = np.zeros(len(messages["n_bytes"]) + 1, np.int32)
        np.cumsum(messages["n_bytes"], out=offsets[1:])
        end = begin + int(offsets[-1])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(values[begin:end])]
        yield pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)
        begin = end


def transfers_table(each: _Each, rate_hz: int | None) -> pa.Table:
    def build(rows: Columns) -> dict[str, Any]:
        stopped = rows["stop"] >= 0
        period = rows["period"].astype(np.float64)
        with np.errstate(divide="ignore"):
            hz = np.where(period > 0, (rate_hz or 0) / period, np.nan)
        return {
            **_plain(rows, "transfer", "start", "end", "n_messages", "n_bytes"),
            "stop": _nullable(rows["stop"]),
            "t_ns": _times(rows["start"], rate_hz),
            "duration_ns": _lengths(rows["end"] - rows["start"], rate_hz, null=~stopped),
            "address": _nullable(rows["address"]),
            "ten_bit": column(rows["ten_bit"].astype(np.bool_)),
            "directions": _words(rows["directions"], words.TRANSFER_DIRECTIONS),
            "outcome": _words(rows["outcome"], words.OUTCOMES),
            "scl_hz": column(hz, (rows["period"] <= 0) | (not rate_hz)),
            "scl_period": column(rows["period"], rows["period"] <= 0),
            "stretch_ns": _lengths(rows["stretch"], rate_hz),
            "complete": column(rows["complete"].astype(np.bool_)),
        }

    return _stacked(schemas.TRANSFERS, each, build)


def anomalies_table(each: _Each, rate_hz: int | None) -> pa.Table:
    return _stacked(
        schemas.ANOMALY_ROWS,
        each,
        lambda rows: {
            "kind": _words(rows["kind"], words.ANOMALIES),
            "transfer": _nullable(rows["transfer"]),
            "sample": column(rows["at"]),
            "t_ns": _times(rows["at"], rate_hz),
            "width_ns": _lengths(rows["width"], rate_hz, null=rows["width"] < 0),
            "detail": _details(rows),
        },
    )


def stretches_table(each: _Each, rate_hz: int | None) -> pa.Table:
    return _stacked(
        schemas.STRETCHES,
        each,
        lambda rows: {
            **_plain(rows, "transfer", "bit", "begin", "end"),
            "message": _nullable(rows["message"]),
            "t_ns": _times(rows["begin"], rate_hz),
            "width_ns": _lengths(rows["end"] - rows["begin"], rate_hz),
            "excess_ns": _lengths(rows["excess"], rate_hz),
            "held_by": _words(rows["held_by"], words.HELD_BY),
            "complete": column(rows["complete"].astype(np.bool_)),
        },
    )


def timings_table(each: _Each, rate_hz: int | None) -> pa.Table:
    return _stacked(
        schemas.TIMINGS,
        each,
        lambda rows: {
            **_plain(rows, "transfer", "count", "low", "low_at", "high", "high_at"),
            "parameter": _words(rows["parameter"], words.PARAMETERS),
            "low_ns": _lengths(rows["low"], rate_hz),
            "high_ns": _lengths(rows["high"], rate_hz),
        },
    )


BUILDERS: Final[dict[str, Callable[[_Each, int | None], pa.Table]]] = {
    "bytes": bytes_table,
    "transfers": transfers_table,
    "anomalies": anomalies_table,
    "stretches": stretches_table,
    "timings": timings_table,
}
"""The tables whose rows need nothing but themselves."""


def markers_table(
    markers: list[MarkerColumns],
    exchanges: dict[str, Exchanges],
    transfers: dict[str, Columns],
    buses: list[str],
    rate_hz: int | None,
) -> pa.Table:
    """Intervals of all markers, marker by marker, each attributed to the exchange that holds its begin."""
    names, parts = [m.name for m in markers], []
    for i, marker in enumerate(markers):
        begin, end = paired(marker.rows, marker.initially_active)
        n = len(begin)
        owner = row = np.full(n, -1, np.int64)
        if marker.bus is not None and n:
            found = exchanges[marker.bus].find(begin)
            row = np.where(found >= 0, np.append(exchanges[marker.bus].rows, -1)[found], -1)
            owner = np.where(row >= 0, np.append(transfers[marker.bus]["transfer"], -1)[row], -1)
        nobody = np.array([0], np.int64)
        start, stop = ((transfers[marker.bus][c] if marker.bus else nobody[:0]) for c in ("start", "stop"))
        found_of = Intervals(begin, end, owner, np.append(start, 0)[row], np.append(stop, -1)[row])
        bus = buses.index(marker.bus) if marker.bus else -1
        parts.append(intervals_table(found_of, (bus, buses), (i, names), rate_hz))
    return pa.concat_tables(parts) if parts else empty(schemas.MARKERS)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one marker: `begin`, `end` with -1 for beyond the capture; the `transfer` whose exchange holds the
    begin, -1 for none, and its `start` and `stop`.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    transfer: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


def intervals_table(
    found: Intervals, bus: tuple[int, list[str]], marker: tuple[int, list[str]], rate_hz: int | None
) -> pa.Table:
    """Rows of `markers`; `bus` and `marker` by number, -1 for no bus, with the names of all."""
    begin, end, owner = found.begin, found.end, found.transfer
    buses = np.full(len(begin), bus[0], np.int16)
    return _table(
        schemas.MARKERS,
        {
            "bus": coded(buses, bus[1], buses < 0),
            "marker": coded(np.full(len(begin), marker[0], np.int16), marker[1]),
            "begin": _nullable(begin),
            "end": _nullable(end),
            "width_ns": _lengths(end - begin, rate_hz, null=(begin < 0) | (end < 0)),
            "t_ns": _times(begin, rate_hz, null=begin < 0),
            "transfer": _nullable(owner),
            "from_start_ns": _lengths(begin - found.start, rate_hz, null=owner < 0),
            "from_stop_ns": _lengths(begin - found.stop, rate_hz, null=(owner < 0) | (found.stop < 0)),
        },
    )


def paired(rows: MarkerRows, initially_active: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Begin and end of each interval; -1 for a begin before the capture or an end beyond it."""
    begins = np.concatenate([[-1], rows.begins]) if initially_active else rows.begins
    ends = np.append(rows.ends, -1) if len(rows.ends) < len(begins) else rows.ends
    return begins.astype(np.int64), ends.astype(np.int64)


def _stacked(schema: pa.Schema, each: _Each, build: Callable[[Columns], dict[str, Any]]) -> pa.Table:
    """One table of all buses, bus by bus."""
    names = list(each)
    chunks = []
    for i, parts in enumerate(each.values()):
        same = np.full(max((len(next(iter(rows.values()))) for rows in parts), default=0), i, np.int16)
        for rows in parts:
            columns = build(rows)
            columns["bus"] = coded(same[: len(next(iter(rows.values())))], names)
            chunks.append(_table(schema, columns))
    return pa.concat_tables(chunks) if chunks else empty(schema)


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _plain(rows: Columns, *names: str) -> dict[str, pa.Array]:
    return {name: column(rows[name]) for name in names}


def _words(indices: NDArray[np.uint8], words: tuple[str, ...]) -> pa.DictionaryArray:
    return coded(indices.view(np.int8), words)


def _nullable(values: NDArray[Any]) -> pa.Array:
    return column(values, values < 0)


def _flag(values: NDArray[np.int8]) -> pa.Array:
    null = values < 0
    return column(values > 0, null)


def _times(samples: NDArray[np.int64], rate_hz: int | None, null: NDArray[np.bool_] | None = None) -> pa.Array:
    if not rate_hz:
        return pa.nulls(len(samples), pa.int64())
    return column(column_ns(samples, rate_hz), null)


def _lengths(samples: NDArray[np.int64], rate_hz: int | None, null: NDArray[np.bool_] | None = None) -> pa.Array:
    if not rate_hz:
        return pa.nulls(len(samples), pa.int64())
    return column(lengths_ns(samples, rate_hz), null)


def _details(rows: Columns) -> pa.Array:
    """Few distinct sentences, many rows: each is written once."""
    if not len(rows["kind"]):
        return strings([])
    keys = rows["kind"].astype(np.int64) << 32 | rows["arg"].astype(np.int64) & 0xFFFFFFFF
    distinct, index = np.unique(keys, return_inverse=True)
    texts = [describe_anomaly(words.ANOMALIES[k >> 32], k & 0xFFFFFFFF) for k in distinct.tolist()]
    return coded(index.astype(np.int32), texts).cast(pa.string())
