"""Samples that are in memory already: NumPy or Arrow arrays, from a notebook or a test."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.capture.rate import check_rate
from tracecheck.capture.scan import WINDOW, line_mask, sample_range, scan_windows
from tracecheck.errors import UsageError


class ArrayCapture(Capture):
    """A capture over an array of samples, which is not copied.

    `samples`  one-dimensional, uint8/16/32/64 or bool: bit 0 is the lowest of each element. A NumPy array, an Arrow
               array (bools and chunks are copied), a column of a DataFrame
    `rate_hz`  samples per second, or None when it is not known
    `names`    of the lines, from bit 0 on; lines without a name can be asked for by number
    `path`     what messages call this capture

    Raises UsageError for arrays that are not samples, for a rate out of range and for more names than bits.
    """

    format = "array"

    def __init__(
        self,
        samples: NDArray[Any] | Any,
        rate_hz: int | None = None,
        names: Sequence[str] = (),
        *,
        path: str = "<array>",
    ) -> None:
        samples = _as_numpy(samples)
        if samples.ndim != 1 or samples.dtype.kind not in "ub":
            found = f"{samples.ndim} dimensions of {samples.dtype}"
            raise UsageError(f"samples must be one row of unsigned integers or bools, not {found}")
        self.path = path
        self.rate_hz = None if rate_hz is None else check_rate(rate_hz)
        self.unitsize = samples.dtype.itemsize
        if len(names) > 8 * self.unitsize:
            raise UsageError(f"{len(names)} names for samples of {8 * self.unitsize} bits")
        self.channels = tuple(Channel(name, bit) for bit, name in enumerate(names))
        self._array = samples

    @property
    def samples(self) -> int:
        return len(self._array)

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        mask = line_mask(self, bits)
        start, stop = sample_range(self, start, stop)
        return scan_windows(self._windows(start, stop), self.unitsize, mask, start, stop)

    def _windows(self, start: int, stop: int) -> Iterator[memoryview]:
        swap = self._array.dtype.byteorder == ">" or (self._array.dtype.byteorder == "=" and sys.byteorder == "big")
        for first in range(start, stop, WINDOW // self.unitsize):
            part = np.ascontiguousarray(self._array[first : min(first + WINDOW // self.unitsize, stop)])
            yield (part.byteswap() if swap else part).view(np.uint8).data


def _as_numpy(samples: Any) -> NDArray[Any]:
    """An array of whoever's, as NumPy's. Raises UsageError where some of it is missing, or it is no array."""
    if isinstance(samples, np.ndarray):
        return samples
    if getattr(samples, "null_count", 0):
        raise UsageError(f"samples must be all there, and {samples.null_count} of these are null")
    if not hasattr(samples, "to_numpy"):
        raise UsageError(f"samples must be a NumPy or an Arrow array, not {type(samples).__name__}")
    # Arrow wants to be told where a copy will do, as it has to for bools.
    allowed = {"zero_copy_only": False} if type(samples).__module__.startswith("pyarrow") else {}
    found: NDArray[Any] = samples.to_numpy(**allowed)
    return found
