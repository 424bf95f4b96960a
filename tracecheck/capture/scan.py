"""Windows of raw samples to blocks of edges: what every reader of raw samples shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tracecheck._edges import scan
from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.errors import ChannelError, UsageError

WINDOW = 256 * 1024
"""Bytes of samples handled at a time: they stay in a core's second-level cache from inflating to scanning."""


def word_dtype(unitsize: int) -> np.dtype[np.unsignedinteger]:
    """The smallest unsigned type that holds samples of `unitsize` (1 to 8) bytes."""
    return np.dtype(f"<u{1 << (unitsize - 1).bit_length()}")


def line_mask(capture: Capture, bits: Sequence[int]) -> int:
    """The lines at `bits` as a mask. Raises ChannelError for a bit that the capture's samples do not have."""
    mask = 0
    for bit in bits:
        if not 0 <= bit < 8 * capture.unitsize:
            raise ChannelError(
                capture.path,
                f"there is no bit {bit}: a sample of this capture holds {8 * capture.unitsize} bits "
                f"(0 to {8 * capture.unitsize - 1})",
            )
        mask |= 1 << bit
    return mask


def sample_range(capture: Capture, start: int, stop: int | None) -> tuple[int, int]:
    """[start, stop) within the capture. `stop` beyond the end, or None, is the end. Raises UsageError below 0."""
    if start < 0 or (stop is not None and stop < 0):
        raise UsageError(f"{capture.path}: samples count from 0: a range from {start} to {stop} makes no sense")
    end = capture.samples if stop is None else min(stop, capture.samples)
    return min(start, end), end


def scan_windows(windows: Iterator[memoryview], unitsize: int, mask: int, start: int, stop: int) -> Iterator[EdgeBlock]:
    """The edges of the lines in `mask` in raw bytes that begin with sample `start`; one block a window.

    `windows` may be cut anywhere, also within a sample; it is run to its end, and bytes from sample `stop` on are
    ignored. Samples are little-endian, `unitsize` bytes each. Memory: 16 bytes for each sample of the largest window.
    """
    dtype = word_dtype(unitsize)
    at: NDArray[np.int64] = np.empty(0, np.int64)
    words = np.empty(0, dtype)
    state: int | None = None
    rest = b""  # the beginning of a sample whose end is in the next window
    for window in windows:
        data = memoryview(rest + window) if rest else window
        whole = len(data) // unitsize
        rest = bytes(data[whole * unitsize :])
        whole = min(whole, stop - start)
        if not whole:
            continue
        if whole > len(at):
            at, words = np.empty(whole, np.int64), np.empty(whole, dtype)
        if state is None:
            state = int.from_bytes(data[:unitsize], "little") & mask
        count = scan(data[: whole * unitsize], unitsize, mask, state, start, at, words)
        yield EdgeBlock(at[:count].copy(), words[:count].copy(), state, start, start + whole)
        if count:
            state = int(words[count - 1])
        start += whole
