"""Captures over arrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from tracecheck.capture import ArrayCapture, Channel
from tracecheck.errors import ChannelError, UsageError

arrays = st.one_of(
    *(
        hnp.arrays(dtype, st.integers(0, 300), elements=st.integers(0, 7))
        for dtype in ("<u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8")
    ),
    hnp.arrays(np.bool_, st.integers(0, 300)),
)


@given(arrays, st.integers(0, 320), st.integers(0, 320), st.sampled_from([(0,), (1, 0), (0, 2), (2, 1, 0), ()]))
def test_edges_are_where_the_array_changes(samples: NDArray[Any], start: int, stop: int, bits: tuple[int, ...]) -> None:
    capture = ArrayCapture(samples, 1_000_000)
    blocks = list(capture.edges(bits, start=start, stop=stop))
    chosen = samples[start:stop].astype(np.uint64) & np.uint64(sum(1 << bit for bit in bits))
    places = np.flatnonzero(chosen[1:] != chosen[:-1]) + 1
    assert [at for block in blocks for at in block.at.tolist()] == (places + start).tolist()
    assert [word for block in blocks for word in block.words.tolist()] == chosen[places].tolist()
    if len(chosen):
        assert (blocks[0].begin, blocks[0].initial, blocks[-1].end) == (start, chosen[0], min(stop, len(samples)))
    else:
        assert blocks == []


def test_long_arrays_come_in_several_blocks() -> None:
    samples = np.zeros(700_000, np.uint8)
    samples[300_000:500_000] = 1
    blocks = list(ArrayCapture(samples).edges([0]))
    assert [(block.begin, block.end, block.initial, block.at.tolist()) for block in blocks] == [
        (0, 262_144, 0, []),
        (262_144, 524_288, 0, [300_000, 500_000]),
        (524_288, 700_000, 0, []),
    ]
    assert blocks[1].words.tolist() == [1, 0]


def test_a_column_of_a_larger_array_needs_no_copy_by_the_caller() -> None:
    table = np.arange(40, dtype=np.uint8).reshape(20, 2)
    (block,) = ArrayCapture(table[:, 1]).edges(range(8))
    assert block.words.tolist() == list(range(3, 40, 2))
    assert block.initial == 1


def test_names_and_facts() -> None:
    capture = ArrayCapture(np.zeros(5, np.uint16), 8_000_000, ["SCL", "SDA"], path="bench")
    assert capture.channels == (Channel("SCL", 0), Channel("SDA", 1))
    assert (capture.samples, capture.unitsize, capture.rate_hz, capture.format) == (5, 2, 8_000_000, "array")
    assert capture.channel("SDA").bit == 1
    with pytest.raises(ChannelError) as caught:
        capture.edges([16])
    assert str(caught.value) == "bench: there is no bit 16: a sample of this capture holds 16 bits (0 to 15)"


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        (
            np.zeros((2, 2), np.uint8),
            {},
            "samples must be one row of unsigned integers or bools, not 2 dimensions of uint8",
        ),
        (np.zeros(2), {}, "samples must be one row of unsigned integers or bools, not 1 dimensions of float64"),
        (np.zeros(2, np.uint8), {"names": "ABCDEFGHI"}, "9 names for samples of 8 bits"),
        (np.zeros(2, np.uint8), {"rate_hz": 0}, "a samplerate of 0 Hz is out of range (1 Hz to 9223372036 Hz)"),
    ],
)
def test_what_is_no_capture(samples: NDArray[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ArrayCapture(samples, **options)
    assert str(caught.value) == message


def test_ranges_count_from_zero() -> None:
    with pytest.raises(UsageError) as caught:
        ArrayCapture(np.zeros(2, np.uint8)).edges([0], start=-1)
    assert str(caught.value) == "<array>: samples count from 0: a range from -1 to None makes no sense"


ROW = np.array([0, 3, 3, 1, 0, 2], np.uint8)


@pytest.mark.parametrize(
    "samples",
    [
        pa.array(ROW),
        pa.chunked_array([ROW[:2], ROW[2:]]),
        pa.array(ROW.astype(np.uint16)),
        pa.table({"word": ROW}).column("word"),
        pd.Series(ROW),
    ],
    ids=["array", "chunks", "wide", "column", "pandas"],
)
def test_arrays_of_others(samples: Any) -> None:
    """Arrow's and a DataFrame's column read as NumPy's."""

    def edges(given: Any) -> list[tuple[int, int]]:
        blocks = ArrayCapture(given, 1_000_000, ["SCL", "SDA"]).edges([0, 1])
        return [edge for b in blocks for edge in zip(b.at.tolist(), b.words.tolist(), strict=True)]

    assert edges(samples) == edges(ROW) == [(1, 3), (3, 1), (4, 0), (5, 2)]


def test_an_arrow_array_of_bools() -> None:
    capture = ArrayCapture(pa.array([False, True, True, False]), 1_000_000, ["SCL"])
    assert [block.at.tolist() for block in capture.edges([0])] == [[1, 3]]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (pa.array([1, None, 3], pa.uint8()), "samples must be all there, and 1 of these are null"),
        (pa.array([1.0]), "samples must be one row of unsigned integers or bools, not 1 dimensions of float64"),
        (["x"], "samples must be a NumPy or an Arrow array, not list"),
    ],
)
def test_what_is_no_array_of_samples(samples: Any, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        ArrayCapture(samples, 1_000_000)
