"""What a trace keeps: in parts, some of it packed; whoever asks has it as it came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import in_pieces

import tracecheck
from tracecheck import words
from tracecheck.capture.sr import SrCapture
from tracecheck.decoding import stream
from tracecheck.decoding.packed import packed
from tracecheck.decoding.rows import LAYOUT, TIMINGS, Columns, concatenate
from tracecheck.trace import TABLES, Trace

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = (
    "synthetic/synthetic-clean-two-buses.sr",
    "synthetic/synthetic-late-wake.sr",
    "synthetic/synthetic-stretch.sr",
    "sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
)
STEPS = st.one_of(st.just(0), st.just(1), st.integers(0, 40), st.integers(0, 1 << 17), st.integers(0, 1 << 33))
FEW = st.one_of(st.sampled_from([0, 0, 0, 1]), st.integers(0, 33))


def equal(a: Columns, b: Columns) -> bool:
    return list(a) == list(b) and all(a[name].dtype == b[name].dtype and np.array_equal(a[name], b[name]) for name in a)


@given(
    st.lists(st.tuples(STEPS, st.integers(0, len(words.BUS_EVENTS) - 1), FEW), min_size=1, max_size=30),
    st.integers(0, 1 << 60),
    st.integers(0, 1 << 40),
)
def test_what_is_packed_comes_back(steps: list[tuple[int, int, int]], begin: int, transfer: int) -> None:
    after, kinds, transfers = zip(*steps, strict=True)
    events: Columns = {
        "at": begin + np.cumsum(np.array(after, np.int64)),
        "kind": np.array(kinds, np.uint8),
        "transfer": transfer + np.cumsum(np.array(transfers, np.int64)),
    }
    found = packed(events)
    if found is None:
        assert max(after[1:]) >= 1 << 32 or max(transfers[1:]) >= 32
    else:
        assert equal(found.unpacked(), events)
        assert found.codes.nbytes + found.after.nbytes <= (3 if max((0, *after[1:])) < 1 << 16 else 5) * len(steps)


def test_events_out_of_order_are_not_packed() -> None:
    for at, transfer in (([5, 4], [0, 0]), ([4, 5], [1, 0])):
        assert packed({"at": np.array(at), "kind": np.zeros(2, np.uint8), "transfer": np.array(transfer)}) is None


def in_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Trace, list[stream.Batch]]:
    """A trace of many small batches; and these."""
    whole, decode = SrCapture.edges, stream.decode_capture
    monkeypatch.setattr(SrCapture, "edges", lambda *args, **options: in_pieces(whole(*args, **options), 50))
    monkeypatch.setattr(stream, "BATCH_EVENTS", 20)
    wiring = tracecheck.decode(CAPTURES / name).wiring
    capture = tracecheck.open(CAPTURES / name)
    batches = list(decode(capture, wiring, timings=True))
    trace = Trace(capture.path, capture.rate_hz, wiring, capture=capture).collect(batches)
    monkeypatch.undo()
    assert len(batches) > 3
    return trace, batches


@pytest.mark.parametrize("first", ["tables", "columns"])
@pytest.mark.parametrize("name", NAMES)
def test_parts_make_the_tables_that_a_whole_makes(name: str, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, batches = in_parts(name, monkeypatch)
    whole = tracecheck.decode(CAPTURES / name, timings=True)
    if first == "columns":
        trace.batch()
    for table in TABLES:
        assert trace.table(table).equals(whole.table(table)), table
        trace.table(table).validate(full=True)
    if first == "tables":  # a chunk a part, by which one sees that there were any
        assert trace.bytes.column(0).num_chunks > whole.bytes.column(0).num_chunks
    for bus in trace.wiring.buses:
        for table, layout in LAYOUT.items():
            given = concatenate([batch.buses[bus.name][table] for batch in batches], layout)
            assert equal(trace.columns(bus.name, table), given), table
            assert equal(trace.columns(bus.name, table), given), f"{table}, asked again"
        given = concatenate([batch.timings[bus.name] for batch in batches], TIMINGS)
        assert equal(trace.timing_columns(bus.name), given)
    for table in TABLES:
        assert trace.table(table).equals(whole.table(table)), f"{table}, after its columns were joined"


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_judged_as_a_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, _ = in_parts(name, monkeypatch)
    found, expected = (tracecheck.check(t).findings for t in (trace, tracecheck.decode(CAPTURES / name, timings=True)))
    assert found == expected


def test_joining_that_is_interrupted_loses_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    trace, batches = in_parts(NAMES[0], monkeypatch)
    bus, calls, join = trace.wiring.buses[0].name, 0, np.concatenate

    def interrupted(*args: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise MemoryError
        return join(*args, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        patched.setattr(np, "concatenate", interrupted)
        with pytest.raises(MemoryError):
            trace.columns(bus, "bytes")
    given = concatenate([batch.buses[bus]["bytes"] for batch in batches], LAYOUT["bytes"])
    assert equal(trace.columns(bus, "bytes"), given)
