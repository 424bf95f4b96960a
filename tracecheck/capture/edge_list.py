"""Captures of formats that store changes, not samples: read once, when they are opened, and kept as edges.

Memory is 9 to 16 bytes an edge, whatever the time between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.capture.scan import line_mask, sample_range
from tracecheck.errors import CaptureError

BLOCK_EDGES = 1 << 16
"""Edges of one block, so that who reads works in its processor's cache."""


class EdgeListCapture(Capture):
    """A capture over changes that are in memory.

    `at`       int64, ascending, from 1 to `samples` - 1: the samples at which a line changed
    `words`    the lines from each of them on, unsigned, as wide as `unitsize` asks for
    `initial`  the lines in sample 0

    Raises CaptureError where there are more samples than `max_samples`.
    """

    def __init__(
        self,
        path: str,
        form: str,
        changes: tuple[NDArray[np.int64], NDArray[Any], int],
        *,
        samples: int,
        rate_hz: int | None,
        channels: Sequence[Channel],
        remarks: Mapping[str, str] | None = None,
        notes: Sequence[str] = (),
        max_samples: int | None = None,
    ) -> None:
        if max_samples is not None and samples > max_samples:
            raise CaptureError(
                path, f"lasts {samples} samples, more than the limit of {max_samples}; raise --max-samples"
            )
        self.path, self.format, self.rate_hz = path, form, rate_hz
        self._at, words, self._initial = changes
        self._words = np.ascontiguousarray(words)
        self.unitsize = self._words.dtype.itemsize
        self._samples = samples
        self.channels, self.notes = tuple(channels), tuple(notes)
        self.remarks = dict(remarks or {})

    @property
    def samples(self) -> int:
        return self._samples

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        mask = line_mask(self, bits)
        start, stop = sample_range(self, start, stop)
        return self._blocks(mask, start, stop) if start < stop else iter(())

    def _blocks(self, mask: int, start: int, stop: int) -> Iterator[EdgeBlock]:
        chosen = self._words.dtype.type(mask)
        first = int(np.searchsorted(self._at, start, "right"))
        last = int(np.searchsorted(self._at, stop))
        state = (int(self._words[first - 1]) if first else self._initial) & mask
        begin = start
        for low in range(first, max(last, first + 1), BLOCK_EDGES):
            high = min(low + BLOCK_EDGES, last)
            words = self._words[low:high] & chosen
            differs = np.diff(words, prepend=self._words.dtype.type(state)) != 0
            at = self._at[low:high][differs]
            end = stop if high == last else int(self._at[high])
            yield EdgeBlock(at, words[differs], state, begin, end)
            state = int(words[-1]) if len(words) else state
            begin = end


def narrowest(words: NDArray[np.uint64], lines: int) -> NDArray[Any]:
    """Words as narrow as so many lines allow: uint8, uint16, uint32 or uint64."""
    width = next(size for size in (8, 16, 32, 64) if lines <= size)
    return words.astype(f"u{width // 8}")
