"""Tables that are written as they are decoded: piece by piece, in memory that does not grow with the capture.

The tables whose rows tell everything themselves are made here; those that need what comes later in `streamed_lanes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa

from tracecheck import schemas, tables, words
from tracecheck.capture.model import Capture
from tracecheck.decoding.exchanges import SETTLE_S, settle_samples
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.stream import GLITCH_S, Batch, decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.streamed_lanes import Progress, onwards, streamed_markers, streamed_timeline
from tracecheck.streamed_lanes import decodes as lane_decodes

STREAMED: Final = ("bytes", "messages", "transfers", "anomalies", "stretches", "timings", "markers", "timeline")
_DATA: Final = words.BYTE_KINDS.index("data")


@dataclass(frozen=True, slots=True)
class TableStream:
    """A table that is still being made; can be read once. What a writer asks of a `pyarrow.Table` it answers, too."""

    schema: pa.Schema
    pieces: Iterable[pa.Table]

    def to_batches(self, max_chunksize: int) -> Iterator[pa.RecordBatch]:
        """All rows in batches of that size; the last is shorter."""
        held: list[pa.Table] = []
        for piece in self.pieces:
            held.append(piece)
            if sum(len(part) for part in held) >= max_chunksize:
                whole = pa.concat_tables(held).combine_chunks()
                ready = len(whole) // max_chunksize * max_chunksize
                yield from whole.slice(0, ready).to_batches(max_chunksize=max_chunksize)
                held = [whole.slice(ready)]
        if held:
            yield from pa.concat_tables(held).combine_chunks().to_batches(max_chunksize=max_chunksize)

    def unify_dictionaries(self) -> TableStream:
        """The pieces have the same dictionaries already."""
        return self


def streamed(
    capture: Capture,
    wiring: Wiring,
    table: str,
    *,
    settle: int | None = None,
    glitch_s: Fraction = GLITCH_S,
    progress: Progress | None = None,
) -> TableStream:
    """One of the tables `STREAMED`, with the rows that a Trace has, in its order: bus by bus, marker by marker.

    `settle` in samples, 5 ms if not given. `progress` is called with the samples read so far, in all `decodes` that the
    table takes. Raises CaptureError as the pieces are read.
    """
    settle = settle_samples(SETTLE_S, capture.rate_hz) if settle is None else settle
    told: Progress = progress or (lambda done: None)
    if table == "markers":
        pieces = streamed_markers(capture, wiring, settle, glitch_s, told)
    elif table == "timeline":
        pieces = streamed_timeline(capture, wiring, settle, glitch_s, told)
    else:
        pieces = _pieces(capture, wiring, table, glitch_s, told)
    return TableStream(schemas.TABLES[table], pieces)


def decodes(wiring: Wiring, table: str) -> int:
    """How many times a capture is read for a table."""
    return lane_decodes(wiring, table) if table in ("markers", "timeline") else len(wiring.buses)


def _pieces(capture: Capture, wiring: Wiring, table: str, glitch_s: Fraction, progress: Progress) -> Iterator[pa.Table]:
    """Each bus is a decode of its own."""
    nothing: dict[str, list[Columns]] = {bus.name: [] for bus in wiring.buses}
    for number, bus in enumerate(wiring.buses):
        data = _Data()
        told = onwards(progress, capture, number)
        decoded = decode_capture(capture, Wiring((bus,)), glitch_s=glitch_s, progress=told, timings=table == "timings")
        for batch in decoded:
            rows = _rows(batch, bus.name, table)
            if table == "messages":
                data.take(batch.buses[bus.name]["bytes"])
            if len(rows["transfer"]):
                each = {**nothing, bus.name: [rows]}
                yield _built(table, each, data, bus.name, capture.rate_hz)
            del batch, rows


def _rows(batch: Batch, bus: str, table: str) -> Columns:
    return batch.timings[bus] if table == "timings" else batch.buses[bus][table]


def _built(table: str, each: dict[str, list[Columns]], data: _Data, bus: str, rate_hz: int | None) -> pa.Table:
    if table != "messages":
        return tables.BUILDERS[table](each, rate_hz)
    of = {name: [data.of(rows) for rows in parts] if name == bus else [] for name, parts in each.items()}
    return tables.messages_table(each, of, rate_hz)


class _Data:
    """Data bytes whose message has not ended yet: its row comes after them, maybe in another batch."""

    def __init__(self) -> None:
        self._values = np.empty(0, np.uint8)

    def take(self, rows: Columns) -> None:
        self._values = np.concatenate([self._values, rows["value"][rows["kind"] == _DATA]])

    def of(self, messages: Columns) -> Columns:
        """Rows with the data of these messages, which are the next ones, for `tables.messages_table`."""
        n = int(messages["n_bytes"].sum())
        values, self._values = self._values[:n], self._values[n:].copy()
        return {"value": values, "kind": np.full(n, _DATA, np.uint8)}
