"""A table that is written as it is decoded has the rows that a Trace has, wherever batches are cut."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pieces import in_pieces

import tracecheck
from tracecheck.capture.sr import SrCapture
from tracecheck.decoding import stream
from tracecheck.decoding.wiring import Wiring
from tracecheck.schemas import TABLES
from tracecheck.streamed import STREAMED, TableStream, decodes, streamed
from tracecheck.trace import TABLES as TRACE_TABLES

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = (
    "synthetic/synthetic-clean-two-buses.sr",
    "synthetic/synthetic-partial-byte.sr",
    "synthetic/synthetic-stretch.sr",
    "synthetic/synthetic-clean-ten-bit.sr",
    "synthetic/synthetic-cut-begin.sr",
    "synthetic/synthetic-clean-one-pin.sr",
    "pico/pico-clean-unseen-mixed-400k.sr",
)


@pytest.mark.parametrize("edges", [7, 100, 1 << 20])
@pytest.mark.parametrize("name", NAMES)
def test_streamed_rows_are_those_of_the_trace(name: str, edges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SrCapture.edges
    trace = tracecheck.decode(CAPTURES / name, timings=True)
    capture = tracecheck.open(CAPTURES / name)
    monkeypatch.setattr(SrCapture, "edges", lambda *args, **options: in_pieces(whole(*args, **options), edges))
    monkeypatch.setattr(stream, "BATCH_EVENTS", 1)
    for table in STREAMED:
        read: list[int] = []
        found = streamed(capture, trace.wiring, table, progress=read.append)
        rows = pa.Table.from_batches(list(found.to_batches(max_chunksize=5)), schema=found.schema)
        assert rows.to_pylist() == trace.table(table).to_pylist(), table
        assert found.schema == trace.table(table).schema
        assert read == sorted(read)
        assert read[-1] == capture.samples * decodes(trace.wiring, table)


def test_a_capture_without_a_bus_has_no_rows() -> None:
    capture = tracecheck.open(CAPTURES / NAMES[0])
    for table in STREAMED:
        assert list(streamed(capture, Wiring(), table).to_batches(max_chunksize=5)) == []


@pytest.mark.parametrize("sizes", [[], [0, 0], [3], [1, 1, 1, 1, 1], [12, 0, 1], [4, 4, 4]])
def test_batches_have_the_size_asked_for(sizes: list[int]) -> None:
    schema = pa.schema([("sample", pa.int64())])
    numbers = iter(range(100))
    pieces = [pa.table({"sample": [next(numbers) for _ in range(size)]}, schema=schema) for size in sizes]
    batches = list(TableStream(schema, iter(pieces)).to_batches(max_chunksize=4))
    assert [row for batch in batches for row in batch["sample"].to_pylist()] == list(range(sum(sizes)))
    assert all(len(batch) == 4 for batch in batches[:-1])
    assert all(0 < len(batch) <= 4 for batch in batches)


def test_what_is_streamed_are_tables() -> None:
    assert set(STREAMED) == set(TRACE_TABLES) < set(TABLES)
