"""Reading ahead in threads: the same items, the same errors, none too far ahead, and no thread left behind."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sr_builder import Entry, chunks, metadata, session

import tracecheck
from tracecheck.capture import inflate
from tracecheck.capture.ahead import ahead
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.errors import CaptureError
from tracecheck.rules.model import BusSpec

THREADS = st.integers(1, 4)
PATIENCE = 20
"""Seconds that nothing takes."""


def left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("tracecheck")]


def source(items: list[int], error: BaseException | None = None) -> Callable[[], Iterator[int]]:
    def each() -> Iterator[int]:
        yield from items
        if error is not None:
            raise error

    return each


@given(st.lists(st.lists(st.integers(), max_size=9), max_size=9), THREADS, st.integers(1, 4))
def test_items_come_as_if_the_sources_were_chained(lists: list[list[int]], threads: int, room: int) -> None:
    assert list(ahead([source(items) for items in lists], threads, room)) == list(itertools.chain(*lists))
    assert left() == []


@given(THREADS, st.integers(1, 4), st.integers(0, 5))
def test_an_error_comes_in_its_place_and_once(threads: int, room: int, failing: int) -> None:
    error = KeyError("what was wrong")
    sources = [source([k, k], error if k == failing else None) for k in range(failing)]
    sources += [source([failing], error), source([99], ValueError("never reached")), source([100])]
    got: list[int] = []
    with pytest.raises(KeyError) as caught:
        got.extend(ahead(sources, threads, room))
    assert caught.value is error
    items = ahead(sources, threads, room)
    for expected in [k for k in range(failing) for _ in range(2)] + [failing]:
        assert next(items) == expected
    with pytest.raises(KeyError):
        next(items)
    assert list(items) == []
    assert left() == []


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_source_runs_further_ahead_than_there_is_room(threads: int) -> None:
    """Sources count what they made; with nothing taken they come to rest at the bound, which is then looked at."""
    made = [0] * 20
    full = threading.Semaphore(0)

    def counting(k: int) -> Iterator[int]:
        for _ in range(50):
            made[k] += 1
            if made[k] == 4:
                full.release()
            yield k

    items = ahead([lambda k=k: counting(k) for k in range(20)], threads, 3)  # type: ignore[misc]
    assert next(items) == 0
    for _ in range(threads):
        assert full.acquire(timeout=PATIENCE)
    # The fourth item of a source waits to be put down; of the first, three were taken at most.
    assert all(count <= 4 for count in made[1:])
    assert made[0] <= 7
    assert sum(count > 0 for count in made) <= threads
    items.close()
    assert left() == []


def test_sources_that_are_done_do_not_pile_up() -> None:
    begun: list[int] = []
    enough = threading.Semaphore(0)

    def short(k: int) -> Iterator[int]:
        begun.append(k)
        enough.release()
        yield k

    items = ahead([lambda k=k: short(k) for k in range(100)], 2, 5)  # type: ignore[misc]
    assert next(items) == 0
    for _ in range(4):
        assert enough.acquire(timeout=PATIENCE)
    assert max(begun) <= 4
    assert list(items) == list(range(1, 100))
    assert left() == []


# Captures -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ahead")


def reading(monkeypatch: pytest.MonkeyPatch, threads: int, part_bytes: int) -> None:
    """Readers take so many threads, however small the capture."""
    monkeypatch.setattr(inflate, "cores", lambda: threads)
    monkeypatch.setattr(inflate, "_LEAST_BYTES", 0)
    monkeypatch.setattr(inflate, "_PART_BYTES", part_bytes)


Edges = tuple[list[int], list[int], str | None]


def edges_of(path: Path, bits: list[int], **span: Any) -> Edges:
    """All edges, and the error that ended them; the blocks are checked to follow each other."""
    at: list[int] = []
    words: list[int] = []
    end: int | None = None
    state: int | None = None
    try:
        for block in tracecheck.open(path).edges(bits, **span):
            assert end is None or block.begin == end
            assert state is None or block.initial == state
            at += block.at.tolist()
            words += block.words.tolist()
            end, state = block.end, words[-1] if words else block.initial
    except CaptureError as error:
        return at, words, str(error)
    return at, words, None


@settings(max_examples=80, deadline=None)
@given(
    unitsize=st.sampled_from([1, 2, 3, 5]),
    runs=st.lists(st.tuples(st.binary(min_size=5, max_size=5), st.integers(1, 90)), min_size=1, max_size=12),
    threads=st.integers(2, 4),
    part_bytes=st.sampled_from([0, 1, 40]),
    data=st.data(),
)
def test_how_many_read_changes_nothing(
    folder: Path,
    unitsize: int,
    runs: list[tuple[bytes, int]],
    threads: int,
    part_bytes: int,
    data: st.DataObject,
) -> None:
    raw = b"".join(word[:unitsize] * count for word, count in runs)
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=8))
    entries = chunks(raw, cuts, method=data.draw(st.sampled_from([0, 8])))
    for entry in data.draw(st.lists(st.sampled_from(entries), max_size=2)):
        entry.crc = 1
    path = folder / "capture.sr"
    path.write_bytes(session(*entries, meta=metadata(unitsize)))
    samples = len(raw) // unitsize
    span = {"start": data.draw(st.integers(0, samples)), "stop": data.draw(st.integers(0, samples + 1))}
    for chosen in ({}, span):
        alone = edges_of(path, [0, 1, 2, 7], **chosen)
        with pytest.MonkeyPatch.context() as patch:
            reading(patch, threads, part_bytes)
            assert edges_of(path, [0, 1, 2, 7], **chosen) == alone
    assert left() == []


def bus(samples: int) -> NDArray[np.uint8]:
    """A byte's clocks over and over, with START and STOP around every 3."""
    pulses = np.repeat(np.tile(np.array([2, 3], np.uint8), 27), 4)
    transfer = np.concatenate([[3] * 9, [1] * 4, pulses & 1, [0] * 4, [1] * 4, [3] * 9]).astype(np.uint8)
    return np.resize(transfer, samples)


@pytest.fixture(scope="module")
def long(folder: Path) -> Path:
    """Twelve members, cut anywhere."""
    raw = bus(1_200_000).tobytes()
    path = folder / "long.sr"
    path.write_bytes(session(*chunks(raw, range(99_991, len(raw), 99_991)), meta=metadata(1)))
    return path


@pytest.mark.parametrize("threads", [2, 3])
def test_decoding_is_the_same_to_the_bit(long: Path, threads: int) -> None:
    alone = tracecheck.decode(long, "SCL", "SDA")
    with pytest.MonkeyPatch.context() as patch:
        reading(patch, threads, 1)
        other = tracecheck.decode(long, "SCL", "SDA")
    for name in ("bytes", "messages", "transfers", "anomalies", "stretches"):
        assert getattr(other, name).equals(getattr(alone, name)), name
    assert other.bytes.num_rows > 5000
    assert left() == []


def test_one_giant_member_is_read_by_one_thread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "giant.sr"
    path.write_bytes(session(*chunks(bus(1_000_000).tobytes()), meta=metadata(1)))
    alone = edges_of(path, [0, 1])
    reading(monkeypatch, 4, 1)
    capture = tracecheck.open(path)
    blocks = capture.edges([0, 1])
    next(blocks)
    assert len(left()) == 1
    blocks.close()  # type: ignore[attr-defined]
    assert left() == []
    assert edges_of(path, [0, 1]) == alone


def test_a_reader_that_is_let_go_leaves_no_thread(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading(monkeypatch, 2, 1)
    blocks = tracecheck.open(long).edges([0, 1])
    next(blocks)
    assert len(left()) == 2
    del blocks
    assert left() == []


def test_an_interrupt_in_the_decoder_leaves_no_thread(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading(monkeypatch, 2, 1)
    capture = tracecheck.open(long)

    def interrupt(samples: int) -> None:
        if samples > 300_000:
            raise KeyboardInterrupt

    wiring = wire(capture, [BusSpec(name="i2c0", scl="SCL", sda="SDA")], [])
    with pytest.raises(KeyboardInterrupt) as caught:
        list(decode_capture(capture, wiring, progress=interrupt))
    assert caught.tb is not None  # it keeps the frames, whose threads have ended all the same
    assert left() == []


def test_ctrl_c_while_waiting_for_a_thread_ends_the_process(tmp_path: Path) -> None:
    """The source waits for good, and the caller for it; the signal must get through, and the exit not hang."""
    program = textwrap.dedent("""\
        import os, signal, threading, time
        from tracecheck.capture.ahead import ahead
        gate = threading.Event()
        def source():
            os.write(1, b"waiting\\n")  # a line whole, whoever else prints
            gate.wait()
            yield 1
        signal.signal(signal.SIGINT, lambda *_: (gate.set(), signal.default_int_handler(2, None)))
        try:
            list(ahead([source, source], 2, 1))
        except KeyboardInterrupt:
            for _ in range(100):  # one that was being started right then ends by itself
                if threading.active_count() > 1:
                    time.sleep(0.05)
            print("threads left:", threading.active_count() - 1)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert out.replace("waiting\n", "") == "threads left: 0\n"


def test_damage_is_told_after_the_blocks_before_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bus(300_000).tobytes()
    good, bad = chunks(raw, [100_000, 200_000]), chunks(raw, [100_000, 200_000])
    bad[1] = Entry(bad[1].name, bad[1].data, crc=1)
    path = folder / "damaged.sr"
    path.write_bytes(session(*good, meta=metadata(1)))
    at, words, _ = edges_of(path, [0, 1], stop=200_000)
    path.write_bytes(session(*bad, meta=metadata(1)))
    reading(monkeypatch, 2, 1)
    found = edges_of(path, [0, 1])
    assert (found[0], found[1]) == (at, words)
    assert found[2] is not None
    assert 'member "logic-1-2" has CRC' in found[2]
    assert left() == []
