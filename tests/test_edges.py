"""The edge scanner against slow, obvious twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tracecheck._edges import line_edges, scan

Edges = list[tuple[int, int]]


def slow_scan(data: bytes, unitsize: int, mask: int, previous: int, base: int) -> Edges:
    """One sample after the other."""
    edges = []
    mask &= 2 ** (8 * unitsize) - 1
    for i in range(len(data) // unitsize):
        word = int.from_bytes(data[i * unitsize : (i + 1) * unitsize], "little") & mask
        if word != previous & mask:
            edges.append((base + i, word))
        previous = word
    return edges


def slow_line_edges(edges: Edges, bit: int, level: int) -> tuple[list[int], list[int]]:
    rises, falls = [], []
    for at, word in edges:
        now = word >> bit & 1
        if now > level:
            rises.append(at)
        if now < level:
            falls.append(at)
        level = now
    return rises, falls


def word_type(unitsize: int) -> type[np.unsignedinteger[Any]]:
    types: dict[int, type[np.unsignedinteger[Any]]] = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.uint32}
    return types.get(unitsize, np.uint64)


def fast_scan(data: bytes, unitsize: int, mask: int, previous: int, base: int, *, plain: bool = False) -> Edges:
    """`scan` with exactly the room it asks for, and a fence behind it."""
    room = len(data) // unitsize
    at = np.full(room + 8, -7, np.int64)
    words = np.full(room + 8, 77, word_type(unitsize))
    count = scan(data, unitsize, mask, previous, base, at[:room], words[:room], plain=plain)
    assert (at[room:] == -7).all()
    assert (words[room:] == 77).all()
    return list(zip(at[:count].tolist(), words[:count].tolist(), strict=True))


@st.composite
def samples(draw: st.DrawFn) -> tuple[bytes, int]:
    """Raw samples with stretches where nothing changes, of all lengths around the 64 bytes looked at together."""
    unitsize = draw(st.integers(1, 8))
    runs = draw(st.lists(st.tuples(st.binary(min_size=unitsize, max_size=unitsize), st.integers(1, 200)), max_size=12))
    dense = draw(st.binary(max_size=80 * unitsize))
    dense = dense[: len(dense) // unitsize * unitsize]
    quiet = b"".join(word * count for word, count in runs)
    return (dense + quiet if draw(st.booleans()) else quiet + dense), unitsize


masks = st.one_of(st.just(2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 3, 0x80, 0x8000, 1 << 63]))


@given(samples(), masks, st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_scan_equals_its_twin(raw: tuple[bytes, int], mask: int, previous: int, base: int) -> None:
    data, unitsize = raw
    expected = slow_scan(data, unitsize, mask, previous, base)
    assert fast_scan(data, unitsize, mask, previous, base) == expected
    assert fast_scan(data, unitsize, mask, previous, base, plain=True) == expected


@given(samples(), masks, st.data())
def test_cutting_the_samples_anywhere_changes_nothing(raw: tuple[bytes, int], mask: int, draw: st.DataObject) -> None:
    data, unitsize = raw
    whole = fast_scan(data, unitsize, mask, 0, 0)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data) // unitsize), max_size=4)))
    pieces: Edges = []
    state = 0
    for first, last in zip([0, *cuts], [*cuts, len(data) // unitsize], strict=True):
        pieces += fast_scan(data[first * unitsize : last * unitsize], unitsize, mask, state, first)
        state = pieces[-1][1] if pieces else 0
    assert pieces == whole


@pytest.mark.parametrize("unitsize", range(1, 9))
def test_an_edge_is_found_wherever_it_lies(unitsize: int) -> None:
    top = 1 << (8 * unitsize - 1)
    for length in (1, 2, 63, 64, 65, 66, 127, 128, 129, 200):
        for place in range(length):
            data = bytes(place * unitsize) + top.to_bytes(unitsize, "little") * (length - place)
            assert fast_scan(data, unitsize, 2**64 - 1, 0, 5) == [(5 + place, top)]


@pytest.mark.parametrize("unitsize", range(1, 9))
def test_every_sample_may_be_an_edge(unitsize: int) -> None:
    data = (bytes(unitsize) + b"\xff" * unitsize) * 500
    ones = 2 ** (8 * unitsize) - 1
    assert fast_scan(data, unitsize, 2**64 - 1, ones, 0) == [(i, ones * (i % 2)) for i in range(1000)]


@pytest.mark.parametrize("unitsize", range(1, 9))
def test_lines_outside_the_mask_make_no_edges(unitsize: int) -> None:
    noise = np.random.default_rng(unitsize).integers(0, 256, 3000 * unitsize, np.uint8)
    noise[::unitsize] &= 0xFE  # line 0 stays low but for samples 1000 to 1999
    noise[1000 * unitsize : 2000 * unitsize : unitsize] |= 1
    assert fast_scan(noise.tobytes(), unitsize, 1, 0, 0) == [(1000, 1), (2000, 0)]


def test_scan_takes_unaligned_data() -> None:
    rng = np.random.default_rng(1)
    data = rng.integers(0, 4, 4096, np.uint8).tobytes()
    for unitsize in range(1, 9):
        for shift in range(8):
            part = memoryview(data)[shift : shift + 400 * unitsize]
            at, words = np.empty(400, np.int64), np.empty(400, word_type(unitsize))
            count = scan(part, unitsize, 0x03030303, 0, 0, at, words)
            found = list(zip(at[:count].tolist(), words[:count].tolist(), strict=True))
            assert found == slow_scan(bytes(part), unitsize, 0x03030303, 0, 0)


def room(samples: int, dtype: Any = np.uint8) -> tuple[NDArray[np.int64], NDArray[Any]]:
    return np.full(samples, -7, np.int64), np.full(samples, 77, dtype)


@pytest.mark.parametrize(
    ("data", "unitsize", "base", "n_at", "n_words", "message"),
    [
        (b"\0\1", 0, 0, 2, 2, "unitsize must be 1 to 8 bytes, not 0"),
        (b"\0\1", -1, 0, 2, 2, "unitsize must be 1 to 8 bytes, not -1"),
        (b"\0\1", 9, 0, 2, 2, "unitsize must be 1 to 8 bytes, not 9"),
        (b"\0\1\2", 2, 0, 2, 2, "3 bytes are not whole samples of 2 bytes"),
        (b"\0\1\0", 1, 0, 2, 3, "3 samples need as much room for edges; there is room for 2"),
        (b"\0\1\0", 1, 0, 3, 1, "3 samples need as much room for edges; there is room for 1"),
        (b"\0\1", 1, -1, 2, 2, "sample numbers from -1 on do not fit into 63 bits"),
        (b"\0\1", 1, 2**63 - 2, 2, 2, "sample numbers from 9223372036854775806 on do not fit into 63 bits"),
    ],
)
def test_scan_refuses_what_does_not_fit(
    data: bytes, unitsize: int, base: int, n_at: int, n_words: int, message: str
) -> None:
    at, words = room(n_at)[0], room(n_words)[1]
    with pytest.raises(ValueError) as caught:
        scan(data, unitsize, 0xFF, 0, base, at, words)
    assert str(caught.value) == message
    assert (at == -7).all()
    assert (words == 77).all()


@pytest.mark.parametrize(
    ("unitsize", "wrong"), [(1, np.uint16), (2, np.uint8), (3, np.uint16), (4, np.uint64), (5, np.uint32)]
)
def test_scan_refuses_words_of_another_size(unitsize: int, wrong: type[np.unsignedinteger[Any]]) -> None:
    at, words = room(4, wrong)
    with pytest.raises(ValueError, match=r"^Buffer dtype mismatch"):
        scan(bytes(range(4 * unitsize)), unitsize, 0xFF, 0, 0, at, words)
    assert (at == -7).all()


def test_scan_refuses_buffers_it_cannot_write_or_walk() -> None:
    at, words = room(4)
    words.flags.writeable = False
    with pytest.raises(BufferError, match="not writable"):
        scan(b"\0\1\2\3", 1, 0xFF, 0, 0, at, words)
    with pytest.raises(ValueError, match="not C-contiguous"):
        scan(b"\0\1\2\3", 1, 0xFF, 0, 0, room(8)[0][::2], room(4)[1])


def test_scan_of_nothing_needs_no_room() -> None:
    assert scan(b"", 3, 0xFF, 0, 0, *room(0, np.uint32)) == 0


@given(
    st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]),
    st.lists(st.integers(0, 2**64 - 1), max_size=50),
    st.integers(0, 63),
    st.integers(0, 1),
)
def test_line_edges_equals_its_twin(dtype: Any, values: list[int], bit: int, level: int) -> None:
    width = 8 * np.dtype(dtype).itemsize
    bit %= width
    words = np.array([value % 2**width for value in values], dtype)
    at = np.arange(len(values), dtype=np.int64) * 3 + 1
    rises, falls = np.full(len(at) + 1, -7, np.int64), np.full(len(at) + 1, -7, np.int64)
    n_rises, n_falls = line_edges(at, words, bit, level, rises[:-1], falls[:-1])
    expected = slow_line_edges(list(zip(at.tolist(), words.tolist(), strict=True)), bit, level)
    assert (rises[:n_rises].tolist(), falls[:n_falls].tolist()) == expected
    assert (rises[-1], falls[-1]) == (-7, -7)


@pytest.mark.parametrize(
    ("n_words", "bit", "level", "n_rises", "n_falls", "message"),
    [
        (3, 0, 0, 4, 4, "4 samples and 3 words are not one block of edges"),
        (4, 8, 0, 4, 4, "there is no bit 8 in words of 8 bits"),
        (4, -1, 0, 4, 4, "there is no bit -1 in words of 8 bits"),
        (4, 0, 2, 4, 4, "a level is 0 or 1, not 2"),
        (4, 0, 0, 3, 4, "4 edges need as much room for rises and for falls; there is room for 3"),
        (4, 0, 0, 4, 2, "4 edges need as much room for rises and for falls; there is room for 2"),
    ],
)
def test_line_edges_refuses_what_does_not_fit(
    n_words: int, bit: int, level: int, n_rises: int, n_falls: int, message: str
) -> None:
    rises, falls = room(n_rises)[0], room(n_falls)[0]
    with pytest.raises(ValueError) as caught:
        line_edges(np.arange(4), np.zeros(n_words, np.uint8), bit, level, rises, falls)
    assert str(caught.value) == message
    assert (rises == -7).all()
    assert (falls == -7).all()


def test_line_edges_takes_read_only_blocks() -> None:
    at, words = np.arange(3), np.array([1, 0, 1], np.uint8)
    at.flags.writeable = words.flags.writeable = False
    rises, falls = room(3)[0], room(3)[0]
    assert line_edges(at, words, 0, 0, rises, falls) == (2, 1)
    assert (rises[:2].tolist(), falls[:1].tolist()) == ([0, 2], [1])


def test_an_array_that_lies_about_its_length_is_not_believed() -> None:
    class Long(np.ndarray[Any, Any]):
        def __len__(self) -> int:
            return 1000

    short = np.zeros(2, np.uint8).view(Long)
    with pytest.raises(ValueError, match=r"^100 samples need as much room for edges; there is room for 2$"):
        scan(bytes(100), 1, 0xFF, 0, 0, np.empty(100, np.int64), short)
