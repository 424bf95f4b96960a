"""sigrok sessions: real ones, and every variant the format has."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sr_builder import Entry, archive, chunks, metadata, session

import tracecheck.capture
from tracecheck.capture import ArrayCapture, Capture, Channel
from tracecheck.errors import CaptureError, ChannelError, UsageError

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
REAL: list[dict[str, Any]] = json.loads((DUMPS / "manifest.json").read_text())["captures"]

Edges = tuple[list[int], list[int]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sr")


def written(folder: Path, data: bytes) -> Path:
    path = folder / "capture.sr"
    path.write_bytes(data)
    return path


def edges_of(capture: Capture, bits: Sequence[int], **span: Any) -> Edges:
    """All edges; the blocks are checked to be without gaps, and each to begin with the state the last one left."""
    at: list[int] = []
    words: list[int] = []
    end = span.get("start", 0)
    state: int | None = None
    for block in capture.edges(bits, **span):
        assert block.begin == end < block.end
        assert state is None or block.initial == state
        assert all(block.begin <= sample < block.end for sample in block.at.tolist())
        at += block.at.tolist()
        words += block.words.tolist()
        end, state = block.end, words[-1] if words else block.initial
    return at, words


def twin(data: bytes, unitsize: int, bits: Sequence[int]) -> Edges:
    mask = sum(1 << bit for bit in set(bits))
    samples = [int.from_bytes(data[i : i + unitsize], "little") & mask for i in range(0, len(data), unitsize)]
    places = [i for i in range(1, len(samples)) if samples[i] != samples[i - 1]]
    return places, [samples[i] for i in places]


@pytest.mark.parametrize("fact", REAL, ids=[fact["file"] for fact in REAL])
def test_real_captures(fact: dict[str, Any]) -> None:
    file_format = fact["format"]
    capture = tracecheck.capture.open(DUMPS / fact["file"])
    assert capture.path == str(DUMPS / fact["file"])
    assert capture.format == f"sigrok session {file_format['version']}"
    assert capture.rate_hz == file_format["samplerate_hz"]
    assert capture.unitsize == file_format["unitsize"]
    assert capture.samples == file_format["samples"]
    assert capture.channels == tuple(Channel(name, int(number) - 1) for number, name in fact["probes"].items())
    assert capture.notes == ()
    scl, sda = fact["scl"], fact["sda"]
    assert capture.channel(scl["name"]).bit == scl["bit"]
    first = next(iter(capture.edges([scl["bit"], sda["bit"]])))
    assert first.initial >> scl["bit"] & 1 == fact["initial_levels"]["scl"]
    assert first.initial >> sda["bit"] & 1 == fact["initial_levels"]["sda"]


@pytest.mark.parametrize("fact", REAL, ids=[fact["file"] for fact in REAL])
def test_edges_of_real_captures(fact: dict[str, Any]) -> None:
    """As many edges on the other lines as the manifest counted, and those of the bus where NumPy finds them."""
    capture = tracecheck.capture.open(DUMPS / fact["file"])
    for name, expected in fact["other_channels_with_edges"].items():
        count = sum(len(block.at) for block in capture.edges([capture.channel(name).bit]))
        assert count == expected
    with zipfile.ZipFile(DUMPS / fact["file"]) as archive:
        logic = sorted((n for n in archive.namelist() if n.startswith("logic-1")), key=lambda n: int(n.split("-")[-1]))
        samples = np.frombuffer(b"".join(map(archive.read, logic)), f"<u{capture.unitsize}")
    bits = (fact["scl"]["bit"], fact["sda"]["bit"])
    samples = samples & samples.dtype.type(sum(1 << bit for bit in bits))
    places = np.flatnonzero(samples[1:] != samples[:-1]) + 1
    blocks = list(capture.edges(bits))
    assert np.array_equal(np.concatenate([block.at for block in blocks]), places)
    assert np.array_equal(np.concatenate([block.words for block in blocks]), samples[places])


@pytest.mark.parametrize("method", [0, 8], ids=["stored", "deflated"])
@settings(max_examples=40, deadline=None)
@given(
    unitsize=st.sampled_from([1, 2, 3, 5, 8]),
    runs=st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.integers(1, 90)), min_size=1, max_size=12),
    data=st.data(),
)
def test_cuts_at_any_byte_change_nothing(
    folder: Path, method: int, unitsize: int, runs: list[tuple[bytes, int]], data: st.DataObject
) -> None:
    raw = b"".join(word[:unitsize] * count for word, count in runs)
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=6))
    bits = data.draw(st.lists(st.integers(0, 8 * unitsize - 1), max_size=5))
    path = written(folder, session(*chunks(raw, cuts, method=method), meta=metadata(unitsize)))
    capture = tracecheck.capture.open(path)
    at, words = twin(raw, unitsize, bits)
    assert edges_of(capture, bits) == (at, words)
    start = data.draw(st.integers(0, capture.samples + 2))
    stop = data.draw(st.integers(0, capture.samples + 2))
    inside = [i for i, sample in enumerate(at) if start < sample < stop]
    assert edges_of(capture, bits, start=start, stop=stop) == ([at[i] for i in inside], [words[i] for i in inside])


@pytest.mark.parametrize("unitsize", [1, 3, 4])
def test_members_of_many_windows(folder: Path, unitsize: int) -> None:
    rng = np.random.default_rng(unitsize)
    raw = np.repeat(rng.integers(0, 256, 9000, np.uint8), rng.integers(1, 300, 9000)).tobytes()
    raw = raw[: len(raw) // unitsize * unitsize]
    samples = np.zeros((len(raw) // unitsize, 4), np.uint8)
    samples[:, :unitsize] = np.frombuffer(raw, np.uint8).reshape(-1, unitsize)
    expected = edges_of(ArrayCapture(samples.view("<u4").ravel()), [0, 3, 7])
    for method in (0, 8):
        path = written(folder, session(*chunks(raw, [1_000_003], method=method), meta=metadata(unitsize)))
        capture = tracecheck.capture.open(path)
        assert edges_of(capture, [7, 3, 0]) == expected


def test_blocks_stay_small_where_every_sample_is_an_edge(folder: Path) -> None:
    raw = bytes([0, 1] * 150_000)
    capture = tracecheck.capture.open(written(folder, session(*chunks(raw, [170_000]))))
    blocks = list(capture.edges([0]))
    assert sum(len(block.at) for block in blocks) == 299_999
    assert max(len(block.at) for block in blocks) <= 33_000


RAW = bytes([3, 3, 1, 1, 0, 2, 3])
RAW_EDGES = ([2, 4, 5, 6], [1, 0, 2, 3])


@pytest.mark.parametrize(
    ("data", "file_format", "notes"),
    [
        (session(Entry("logic-1-1", RAW)), "sigrok session 2", ()),
        (session(Entry("logic-1", RAW)), "sigrok session 2", ()),
        (session(Entry("logic-1", RAW), meta=metadata(equals=" = "), version=b"1\n"), "sigrok session 1", ()),
        (session(Entry("logic-1", RAW, 0), meta=metadata().replace(b"\n", b"\r\n")), "sigrok session 2", ()),
        (session(Entry("logic-1", RAW), zip64=True), "sigrok session 2", ()),
        (session(*chunks(RAW, [2, 2, 5]), zip64=True), "sigrok session 2", ()),
        (session(Entry("logic-1", RAW, extra=b"\1\2\3\4extra")), "sigrok session 2", ()),
        (session(Entry("logic-1", RAW, flags=8)), "sigrok session 2", ()),
        (
            session(Entry("logic-1", RAW), version=None),
            "sigrok session",
            ('The archive has no member "version"; it is read as a session all the same.',),
        ),
        (
            session(Entry("analog-1-2-1", b"\xff" * 64), Entry("logic-1-1", RAW), meta=metadata(extra="analog2=A0")),
            "sigrok session 2",
            (),
        ),
        (
            archive([*reversed(chunks(RAW, [4])), Entry("metadata", metadata()), Entry("version", b"2")]),
            "sigrok session 2",
            (),
        ),
        (
            session(
                Entry("logic-1-1", RAW), Entry("../logic-1-2"), Entry("logic-1-02"), Entry("logic-1-2\0x"),
                Entry("LOGIC-1-2"), Entry("logic-1-2/"), Entry("logic-1-0"), Entry("/etc/x"), Entry(b"logic-1-\xb2"),
            ),
            "sigrok session 2",
            (),
        ),
    ],
    ids=[
        "chunk", "single", "version 1", "stored, CR LF", "zip64", "zip64 chunks", "local extra field", "descriptor",
        "no version", "analog beside", "metadata last, chunks backwards", "names that are not quite those of samples",
    ],
)  # fmt: skip
def test_variants(folder: Path, data: bytes, file_format: str, notes: tuple[str, ...]) -> None:
    capture = tracecheck.capture.open(written(folder, data))
    assert (capture.format, capture.notes, capture.samples) == (file_format, notes, 7)
    assert (capture.rate_hz, capture.unitsize) == (24_000_000, 1)
    assert capture.channels == (Channel("SCL", 0), Channel("SDA", 1))
    assert edges_of(capture, [0, 1]) == RAW_EDGES


def test_chunks_are_ordered_by_number(folder: Path) -> None:
    raw = bytes(range(25))
    entries = sorted(chunks(raw, range(1, 25)), key=lambda entry: entry.name)
    capture = tracecheck.capture.open(written(folder, session(*entries)))
    assert edges_of(capture, range(8)) == (list(range(1, 25)), list(range(1, 25)))


def test_a_capture_of_no_samples_can_be_opened(folder: Path) -> None:
    capture = tracecheck.capture.open(written(folder, session(Entry("logic-1-1"))))
    assert capture.samples == 0
    assert list(capture.edges([0])) == []


@pytest.mark.parametrize(
    ("probes", "channels", "notes"),
    [
        ({2: "SDA", 7: "IRQ"}, (Channel("SDA", 1), Channel("IRQ", 6)), ()),
        ({10: "SCL", 9: "SDA"}, (Channel("SDA", 8), Channel("SCL", 9)), (
            "2 of 2 named channels (SDA, SCL) were not recorded: a sample holds 8 bits.",)),
        ({1: "D", 3: "D"}, (Channel("D", 0), Channel("D", 2)), (
            "Several channels share a name (D); ask for them by bit number.",)),
        ({1: "24LC515 SCL", 2: r"\sa\\b"}, (Channel("24LC515 SCL", 0), Channel(" a\\b", 1)), ()),
        ({1: "Über=50% [x]", 2: "\udcff"}, (Channel("Über=50% [x]", 0), Channel("\\xff", 1)), ()),
        ({0: "X", 1: "A"}, (Channel("A", 0),), (
            "The metadata names a probe0, which is ignored: probes count from 1.",)),
        ({}, (), ()),
    ],
    ids=["gaps", "beyond the sample", "twice", "blanks and escapes", "not ASCII, not UTF-8", "probe0", "none"],
)  # fmt: skip
def test_channels(folder: Path, probes: dict[int, str], channels: tuple[Channel, ...], notes: tuple[str, ...]) -> None:
    meta = metadata(probes=probes).decode().encode("utf-8") if "\udcff" not in probes.values() else None
    if meta is None:
        meta = metadata(probes={**probes, 2: "?"}).replace(b"probe2=?", b"probe2=\xff")
    capture = tracecheck.capture.open(written(folder, session(Entry("logic-1", RAW), meta=meta)))
    assert (capture.channels, capture.notes) == (channels, notes)


def test_a_channel_that_was_not_recorded(folder: Path) -> None:
    path = written(folder, session(Entry("logic-1", RAW), meta=metadata(probes={1: "SCL", 2: "SDA", 9: "IRQ"})))
    capture = tracecheck.capture.open(path)
    with pytest.raises(ChannelError) as caught:
        capture.channel("IRQ")
    assert str(caught.value) == (
        f'{path}: channel "IRQ" is bit 8, but a sample of this file holds only 8 bits; it was not recorded'
    )
    assert caught.value.names == ("SCL", "SDA")
    with pytest.raises(ChannelError) as caught:
        capture.edges([0, 8])
    assert str(caught.value) == f"{path}: there is no bit 8: a sample of this capture holds 8 bits (0 to 7)"


@pytest.mark.parametrize(
    ("samplerate", "given_hz", "rate_hz", "notes"),
    [
        ("2 mHz", None, 2_000_000, ()),
        (None, None, None, ()),
        (None, 8_000_000, 8_000_000, ()),
        ("8 MHz", 8_000_000, 8_000_000, ()),
        ("8 MHz", 24_000_000, 24_000_000, (
            "The file says 8000000 Hz; the given samplerate of 24000000 Hz is used.",)),
        ("fast", None, None, ('The file\'s samplerate "fast" makes no sense; it is ignored.',)),
        ("0 Hz", 5, 5, ('The file\'s samplerate "0 Hz" makes no sense; it is ignored.',)),
    ],
)  # fmt: skip
def test_samplerate(
    folder: Path, samplerate: str | None, given_hz: int | None, rate_hz: int | None, notes: tuple[str, ...]
) -> None:
    path = written(folder, session(Entry("logic-1", RAW), meta=metadata(samplerate=samplerate)))
    capture = tracecheck.capture.open(path, rate_hz=given_hz)
    assert (capture.rate_hz, capture.notes) == (rate_hz, notes)


TWO_DEVICES = session(
    Entry("logic-1", RAW),
    Entry("logic-3-1", b"\5\5\4"),
    meta=metadata(
        extra="[device 2]\nanalog1=A0\n[device 3]\ncapturefile=logic-3\nunitsize=1\nsamplerate=1 kHz\nprobe3=X"
    ),
)


def test_several_devices(folder: Path) -> None:
    path = written(folder, TWO_DEVICES)
    first = tracecheck.capture.open(path)
    assert (first.samples, first.rate_hz) == (7, 24_000_000)
    assert first.notes == ("The session holds several devices: 1 (logic-1), 3 (logic-3); device 1 is read.",)
    third = tracecheck.capture.open(path, device=3)
    assert (third.samples, third.rate_hz, third.channels) == (3, 1000, (Channel("X", 2),))
    assert third.notes == ("The session holds several devices: 1 (logic-1), 3 (logic-3); device 3 is read.",)
    assert edges_of(third, [0]) == ([2], [0])
    with pytest.raises(UsageError) as caught:
        tracecheck.capture.open(path, device=2)
    assert str(caught.value) == f"{path}: no device 2 with logic samples (devices: 1 (logic-1), 3 (logic-3))"


def test_bytes_of_an_unfinished_sample_are_noted(folder: Path) -> None:
    path = written(folder, session(*chunks(bytes([1, 0, 0, 2, 0, 0, 3, 0]), [4]), meta=metadata(3)))
    capture = tracecheck.capture.open(path)
    assert capture.samples == 2
    assert capture.notes == ("The samples end with 2 bytes of a sample of 3; they are ignored.",)
    assert edges_of(capture, [0, 1]) == ([1], [2])


def test_members_before_the_range_are_not_inflated(folder: Path) -> None:
    broken = Entry("logic-1-1", bytes(1000), packed=b"\xff" * 20)
    path = written(folder, session(broken, Entry("logic-1-2", RAW)))
    capture = tracecheck.capture.open(path)
    assert edges_of(capture, [0, 1], start=1000) == ([1002, 1004, 1005, 1006], [1, 0, 2, 3])
    with pytest.raises(CaptureError):
        edges_of(capture, [0, 1], start=999)


def test_a_limit_of_samples(folder: Path) -> None:
    path = written(folder, session(Entry("logic-1", RAW)))
    assert tracecheck.capture.open(path, max_samples=7).samples == 7
    with pytest.raises(CaptureError) as caught:
        tracecheck.capture.open(path, max_samples=6)
    assert str(caught.value) == f"{path}: declares 7 samples, more than the limit of 6; raise --max-samples"


def test_a_file_that_changes_under_the_reader(folder: Path) -> None:
    path = written(folder, session(Entry("logic-1", RAW)))
    capture = tracecheck.capture.open(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(CaptureError) as caught:
        edges_of(capture, [0])
    assert str(caught.value) == f"{path}: has changed since it was opened; open it again"


def test_nothing_stays_open(folder: Path) -> None:
    path = written(folder, session(*chunks(bytes(600_000))))
    capture = tracecheck.capture.open(path)
    stopped = iter(capture.edges([0]))
    next(stopped)
    del stopped  # a reader that gives up early
    edges_of(capture, [0])
    held = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
    assert path not in held


def test_memory_does_not_grow_with_the_member(folder: Path) -> None:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    piece = (bytes(50) + b"\1" * 50) * 10_000
    crc, packed = 0, bytearray()
    for _ in range(200):
        packed += stream.compress(piece)
        crc = zlib.crc32(piece, crc)
    packed += stream.flush()
    entry = Entry("logic-1", packed=bytes(packed), crc=crc, size=200 * len(piece))
    path = written(folder, session(entry))
    script = """
import resource, sys, tracecheck.capture
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
edges = sum(len(block.at) for block in tracecheck.capture.open(sys.argv[1]).edges([0]))
print(edges, peak() - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True, timeout=60
    )
    edges, grown_kib = map(int, run.stdout.split())
    assert edges == 2 * 200 * 10_000 - 1
    assert grown_kib < 30 * 1024
