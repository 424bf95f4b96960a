"""The .sr writer: bytes, members, metadata, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracecheck.capture
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.errors import OutputError, UsageError
from tracecheck.export.atomic import atomic_file
from tracecheck.export.sr import SrWriter, spell_rate, write_sr

LINES = (Channel("SCL", 0), Channel("SDA", 1))


def block(at: list[int], words: list[int], initial: int, begin: int, end: int) -> EdgeBlock:
    return EdgeBlock(np.array(at, dtype=np.int64), np.array(words, dtype=np.uint64), initial, begin, end)


def edges_of(samples: list[int], begin: int, end: int, origin: int = 0) -> EdgeBlock:
    """The edges of samples [begin, end), found one by one."""
    before = samples[begin - 1] if begin else samples[0]
    at, words, state = [], [], before
    for index in range(begin, end):
        if samples[index] != state:
            state = samples[index]
            at.append(origin + index)
            words.append(state)
    return block(at, words, before, origin + begin, origin + end)


def members(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.startswith("logic")]
        assert names == [f"logic-1-{number + 1}" for number in range(len(names))]
        return [archive.read(name) for name in names]


def metadata_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        assert archive.read("version") == b"2"
        return archive.read("metadata").decode()


@given(data=st.data(), unitsize=st.integers(1, 8), member_bytes=st.none() | st.integers(1, 40))
def test_edges_and_samples_give_the_same_bytes(
    data: st.DataObject, unitsize: int, member_bytes: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    palette = data.draw(st.lists(st.integers(0, 256**unitsize - 1), min_size=1, max_size=3))
    samples = data.draw(st.lists(st.sampled_from(palette), min_size=1, max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(samples)), max_size=4)) | {0, len(samples)})
    origin = data.draw(st.integers(0, 1000))
    folder = tmp_path_factory.mktemp("sr")
    channels = [Channel("a", 0)]
    blocks = [edges_of(samples, a, b, origin) for a, b in pairwise(cuts)]
    traits: dict[str, Any] = {"rate_hz": 1, "channels": channels, "unitsize": unitsize, "member_bytes": member_bytes}
    assert write_sr(folder / "edges.sr", blocks, **traits) == len(samples)
    with SrWriter(folder / "samples.sr", **traits) as writer:
        for a, b in pairwise(cuts):
            writer.write_samples(np.array(samples[a:b], dtype=np.uint64))
    expected = b"".join(word.to_bytes(unitsize, "little") for word in samples)
    parts = members(folder / "edges.sr")
    assert b"".join(parts) == expected
    assert [len(part) for part in parts[:-1]] == [member_bytes or 0] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= (member_bytes or len(expected))
    assert (folder / "edges.sr").read_bytes() == (folder / "samples.sr").read_bytes()


def test_the_metadata_is_what_sigrok_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.sr"
    channels = [Channel("SDA", 9), Channel("SCL", 0)]
    write_sr(path, [], rate_hz=24_000_000, channels=channels, remarks={"origin": "synthetic"})
    assert metadata_of(path) == (
        "[global]\norigin=synthetic\n\n[device 1]\ncapturefile=logic-1\ntotal probes=10\nsamplerate=24 MHz\n"
        "total analog=0\nprobe1=SCL\nprobe10=SDA\nunitsize=2\n"
    )
    assert members(path) == []


def test_a_rate_that_is_not_known_is_left_out(tmp_path: Path) -> None:
    write_sr(tmp_path / "a.sr", [], rate_hz=None, channels=LINES)
    assert "samplerate" not in metadata_of(tmp_path / "a.sr")


@pytest.mark.parametrize(
    ("rate_hz", "text"),
    [(1, "1 Hz"), (32_768, "32768 Hz"), (500_000, "500 kHz"), (12_500_000, "12500 kHz"), (2_000_000_000, "2 GHz")],
)
def test_rates_are_spelled_exactly(rate_hz: int, text: str) -> None:
    assert spell_rate(rate_hz) == text


def test_the_reader_reads_it_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    at = np.unique(rng.integers(1, 900_000, 5_000))
    words = (np.arange(len(at)) % 3 + 1).astype(np.uint8)
    written = EdgeBlock(at, words, 0, 0, 900_000)
    write_sr(tmp_path / "a.sr", [written], rate_hz=24_000_000, channels=LINES, member_bytes=100_000)
    capture = tracecheck.capture.open(tmp_path / "a.sr")
    assert (capture.rate_hz, capture.samples, capture.channels) == (24_000_000, 900_000, LINES)
    blocks = list(capture.edges([0, 1]))
    assert np.array_equal(np.concatenate([b.at for b in blocks]), at)
    assert np.array_equal(np.concatenate([b.words for b in blocks]), words)


def test_the_same_samples_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.sr", "b.sr"):
        write_sr(tmp_path / name, [block([3], [1], 3, 0, 10)], rate_hz=1_000, channels=LINES)
    assert (tmp_path / "a.sr").read_bytes() == (tmp_path / "b.sr").read_bytes()


def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        write_sr(tmp_path / "a.sr", [block([5], [1], 3, 0, 60_000_000)], rate_hz=24_000_000, channels=LINES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    assert (tmp_path / "a.sr").stat().st_size < 100_000


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, MemoryError])
@pytest.mark.parametrize("before", [None, b"the old file"])
def test_an_unfinished_file_leaves_no_trace(tmp_path: Path, failure: type[BaseException], before: bytes | None) -> None:
    path = tmp_path / "a.sr"
    if before is not None:
        path.write_bytes(before)

    def blocks() -> Iterator[EdgeBlock]:
        yield block([5], [1], 3, 0, 5_000_000)
        raise failure

    with pytest.raises(failure):
        write_sr(path, blocks(), rate_hz=1, channels=LINES)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([] if before is None else [("a.sr", before)])


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.sr"
    with pytest.raises(OutputError) as caught:
        write_sr(path, [], rate_hz=1, channels=LINES)
    assert str(caught.value) == f'{path}: cannot write here: No such file or directory; make the folder "none" first'


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_sr(tmp_path, [], rate_hz=1, channels=LINES)
    assert str(caught.value) == f"{tmp_path}: this is a folder; name a file in it"


def test_a_full_disk_is_said_and_cleaned_up(tmp_path: Path) -> None:
    path = tmp_path / "a.sr"

    def blocks() -> Iterator[EdgeBlock]:
        yield block([5], [1], 3, 0, 5_000_000)
        raise OSError(errno.ENOSPC, "No space left on device")  # as a write does, without a file's name

    with pytest.raises(OutputError) as caught:
        write_sr(path, blocks(), rate_hz=1, channels=LINES)
    assert str(caught.value) == f"{path}: writing failed: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_another_files_error_stays_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a.sr"):
        (tmp_path / "source").read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.sr").write_bytes(b"old")
    (tmp_path / "link.sr").symlink_to("real.sr")
    with atomic_file(tmp_path / "link.sr") as file:
        file.write(b"new")
    assert (tmp_path / "link.sr").is_symlink()
    assert (tmp_path / "real.sr").read_bytes() == b"new"


@pytest.mark.parametrize("failing", [False, True])
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path, failing: bool) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with suppress(RuntimeError), atomic_file(path) as file:
            file.write(b"data")
            if failing:
                raise RuntimeError
        assert os.read(reader, 100) == b"data"
    finally:
        os.close(reader)
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"] and path.is_fifo()


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"unitsize": 9}, "a sample of 9 bytes: a .sr file holds 1 to 8 bytes a sample"),
        ({"rate_hz": 0}, "a samplerate of 0 Hz: it must be positive, or None when it is not known"),
        ({"member_bytes": 0}, "members of 0 bytes: the size must be positive, or None for one member"),
        (
            {"channels": [Channel("IRQ", 8)], "unitsize": 1},
            'channel "IRQ" is bit 8, but a sample of 1 bytes has bits 0 to 7',
        ),
        (
            {"channels": [Channel("A", 1), Channel("B", 1)]},
            'channel "B" is bit 1, which another channel already is',
        ),
        (
            {"channels": [Channel("A\nunitsize=9", 1)]},
            "a name or remark 'A\\nunitsize=9': the metadata of a .sr file holds one printable line each",
        ),
        (
            {"remarks": {"origin": ""}},
            "a name or remark '': the metadata of a .sr file holds one printable line each",
        ),
    ],
)
def test_what_no_file_can_hold_is_refused(tmp_path: Path, traits: dict[str, Any], message: str) -> None:
    given_traits: dict[str, Any] = {"rate_hz": 1, "channels": LINES, **traits}
    with pytest.raises(UsageError) as caught:
        write_sr(tmp_path / "a.sr", [], **given_traits)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            [block([], [], 3, 0, 10), block([], [], 3, 11, 20)],
            "a block of samples [11, 20) cannot follow sample 9",
        ),
        ([block([5, 5], [1, 2], 3, 0, 10)], "the edges of block [0, 10) must ascend and lie within it"),
        ([block([10], [1], 3, 0, 10)], "the edges of block [0, 10) must ascend and lie within it"),
        ([block([5], [], 3, 0, 10)], "the edges of block [0, 10) must ascend and lie within it"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(tmp_path: Path, blocks: list[EdgeBlock], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_sr(tmp_path / "a.sr", blocks, rate_hz=1, channels=LINES)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []
