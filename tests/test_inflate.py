"""The core's inflating against zlib, and its edges against the scanner's twin, however members and pieces are cut."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_edges import slow_scan, word_type

from tracecheck._inflate import LEAST_ROOM, PIECE, Stream


def deflated(data: bytes, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY, flush: int = 0) -> bytes:
    """As one raw deflate stream; with `flush`, in pieces of so many bytes with empty stored blocks between them."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    if not flush:
        return stream.compress(data) + stream.flush()
    steps = [data[i : i + flush] for i in range(0, len(data), flush)]
    return b"".join(stream.compress(step) + stream.flush(zlib.Z_SYNC_FLUSH) for step in steps) + stream.flush()


def pieces(packed: bytes, cuts: list[int]) -> Iterator[tuple[bytes, bool]]:
    """`packed` in pieces as long as `cuts` say, again and again; the last one may be empty."""
    at, k = 0, 0
    while True:
        piece = packed[at : at + cuts[k % len(cuts)]]
        at, k = at + len(piece), k + 1
        yield piece, at == len(packed)


def inflated(packed: bytes, declared: int, cuts: list[int] | None = None, *, stored: bool = False) -> tuple[str, bytes]:
    """How it ended, and the bytes that came."""
    stream, parts, source = Stream(1, 0), [], pieces(packed, cuts or [PIECE])
    stream.begin(declared, stored=stored)
    while stream.state in ("input", "room"):
        if stream.state == "input":
            piece, last = next(source)
            stream.give(piece, last=last)
        parts.append(stream.read())
    data = b"".join(parts)
    assert stream.crc == zlib.crc32(data) or stream.state == "more"
    if stream.state == "done":
        assert stream.size == len(data)
    return stream.state, data


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Bytes with runs, repetitions near and far, and noise; sometimes longer than several windows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([0, 1, 7, 300, 5_000, 40_000, 140_000, 500_000]))
    kind = draw(st.sampled_from(["noise", "runs", "period", "few"]))
    if kind == "noise":
        return bytes(rng.integers(0, 256, size, np.uint8))
    if kind == "few":
        return bytes(rng.integers(0, 3, size, np.uint8))
    if kind == "period":
        period = bytes(rng.integers(0, 256, draw(st.sampled_from([1, 2, 3, 5, 8, 31_000, 32_768])), np.uint8))
        return (period * (size // len(period) + 1))[:size]
    lengths = rng.integers(1, draw(st.sampled_from([3, 300, 60_000])), size // 20 + 1)
    return bytes(np.repeat(rng.integers(0, 4, len(lengths), np.uint8), lengths)[:size])


cut_sizes = st.lists(st.sampled_from([1, 2, 7, 100, 1023, 1024, 1025, 5000, PIECE]), min_size=1, max_size=3)
levels = st.sampled_from([0, 1, 6, 9])
strategies = st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY])


@given(contents(), levels, strategies, st.sampled_from([0, 50, 70_000]), cut_sizes)
def test_inflating_gives_the_bytes_back(data: bytes, level: int, strategy: int, flush: int, cuts: list[int]) -> None:
    if len(data) > 5_000:
        flush = flush and 70_000
        cuts = [max(cut, 100) for cut in cuts]
    assert inflated(deflated(data, level, strategy, flush), len(data), cuts) == ("done", data)


@given(contents(), cut_sizes)
def test_stored_members_come_as_they_are(data: bytes, cuts: list[int]) -> None:
    assert inflated(data, len(data), [max(cut, 100) for cut in cuts], stored=True) == ("done", data)


@given(contents(), levels, strategies, st.integers(1, 1000), cut_sizes)
def test_a_stream_cut_short_says_so(data: bytes, level: int, strategy: int, cut: int, cuts: list[int]) -> None:
    packed = deflated(data, level, strategy)
    packed = packed[: max(len(packed) - cut, 0)]
    state, found = inflated(packed, len(data), [max(size, 100) for size in cuts])
    assert state == "short"
    assert data.startswith(found)


@given(contents(), levels, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4), cut_sizes)
def test_damaged_streams_end_somehow_and_never_in_other_bytes_than_zlibs(
    data: bytes, level: int, damage: list[tuple[float, int]], cuts: list[int]
) -> None:
    packed = bytearray(deflated(data, level))
    for place, value in damage:
        packed[min(int(place * len(packed)), len(packed) - 1)] = value
    state, found = inflated(bytes(packed), len(data), [max(size, 100) for size in cuts])
    assert len(found) <= len(data)
    twin = zlib.decompressobj(-15)
    try:
        expected = twin.decompress(bytes(packed), len(data) + 1)
    except zlib.error:
        # libdeflate takes a code of one symbol for complete, where zlib waits for its other half to come up.
        assert state in ("bad", "short", "more", "done")
        return
    if state == "done":
        assert (found, twin.eof) == (expected, True)
    elif twin.eof:
        assert len(expected) > len(data) and state == "more"


def test_no_byte_more_than_declared_comes_out() -> None:
    bomb = deflated(bytes(50_000_000))
    for declared in (0, 1, 131_072, 131_073, 49_999_999):
        state, data = inflated(bomb, declared)
        assert state == "more"
        assert len(data) <= declared


def test_garbage_is_bad_and_nothing_is_short() -> None:
    assert inflated(b"\x07" + bytes(2000), 100) == ("bad", b"")
    assert inflated(b"", 100) == ("short", b"")
    # A match that reaches back before the beginning: fixed codes, length 3, distance 1.
    assert inflated(b"\x03\x02\x00" + bytes(2000), 100)[0] == "bad"


def test_what_the_stream_leaves_is_unused() -> None:
    packed = deflated(b"abc" * 100)
    stream = Stream(1, 0)
    stream.begin(300)
    stream.give(packed + b"the next member", last=True)
    assert stream.read() == b"abc" * 100
    assert (stream.state, stream.given, stream.unused) == ("done", len(packed) + 15, 15)


@st.composite
def members(draw: st.DrawFn) -> tuple[list[bytes], int]:
    """Samples cut into members, anywhere."""
    unitsize = draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dense = draw(st.sampled_from([1, 2, 40, 3000]))
    count = draw(st.integers(1, 400))
    words = rng.integers(0, 256, (count, unitsize), np.uint8)
    raw = np.repeat(words, rng.integers(1, dense + 1, count), axis=0).tobytes()
    raw = raw[: len(raw) - draw(st.integers(0, unitsize - 1))]
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=4)))
    return [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)], unitsize


@given(
    members(),
    st.one_of(st.just(2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 3, 0x80])),
    st.sampled_from([LEAST_ROOM, LEAST_ROOM + 1, 200, 5000]),
    cut_sizes,
    st.booleans(),
    st.data(),
)
def test_edges_equal_the_scanners_twin(
    cut: tuple[list[bytes], int], mask: int, room: int, cuts: list[int], stored: bool, draw: st.DataObject
) -> None:
    parts, unitsize = cut
    raw = b"".join(parts)
    start = draw.draw(st.integers(0, len(raw) // unitsize))
    stop = draw.draw(st.integers(start, len(raw) // unitsize))
    at, words = np.empty(room, np.int64), np.empty(room, word_type(unitsize))
    found, now, skip = [], start, start * unitsize
    stream = Stream(unitsize, mask, at=start, stop=stop)
    for part in parts:
        stream.begin(len(part), stored=stored, skip=min(skip, len(part)))
        skip -= min(skip, len(part))
        source = pieces(part if stored else deflated(part), [max(size, 100) for size in cuts])
        while stream.state != "done":
            if stream.state == "input":
                piece, last = next(source)
                stream.give(piece, last=last)
            count, samples, lines = stream.edges(at, words)
            if samples:
                expected = int.from_bytes(raw[max(now - 1, start) * unitsize :][:unitsize], "little")
                assert lines == expected & mask
            now += samples
            found += zip(at[:count].tolist(), words[:count].tolist(), strict=True)
        assert stream.crc == zlib.crc32(part)
    data = raw[start * unitsize : stop * unitsize]
    assert now == stream.at == start + len(data) // unitsize
    initial = int.from_bytes(data[:unitsize], "little")
    assert found == slow_scan(data, unitsize, mask, initial, start)


def test_room_for_few_edges_stops_and_goes_on() -> None:
    raw = bytes([0, 1] * 100_000)
    stream = Stream(1, 1)
    stream.begin(len(raw))
    stream.give(deflated(raw), last=True)
    at, words = np.empty(1000, np.int64), np.empty(1000, np.uint8)
    found: list[int] = []
    while stream.state == "room":
        count, _, _ = stream.edges(at, words)
        assert 0 < count <= 1000
        found += at[:count].tolist()
    assert found == list(range(1, 200_000))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: Stream(0, 1), "unitsize must be 1 to 8 bytes, not 0"),
        (lambda s: Stream(1, 1, at=5, stop=4), "samples 5 to 4 make no range"),
        (lambda s: s.begin(-1), "a member of -1 bytes without the first 0 makes no sense"),
        (lambda s: s.give(b"", last=True), "no input is asked for"),
        (lambda s: (s.begin(5), s.begin(5)), "the member before has not come to its end"),
        (lambda s: (s.begin(5), s.give(b"", last=False)), f"a piece of 0 bytes; 1 to {PIECE} are taken at a time"),
        (
            lambda s: (s.begin(5), s.give(bytes(PIECE + 1), last=False)),
            f"a piece of {PIECE + 1} bytes; 1 to {PIECE} are taken at a time",
        ),
        (
            lambda s: s.edges(np.empty(63, np.int64), np.empty(99, np.uint8)),
            "edges need room for 64 at least; there is room for 63",
        ),
    ],
)
def test_calls_that_make_no_sense_are_refused(call: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(Stream(1, 1))  # type: ignore[operator]
    assert str(caught.value) == message
