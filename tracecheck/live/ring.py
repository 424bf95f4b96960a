"""The last samples of a stream, to be saved around what was found in them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.export.sr import write_sr

MAX_EDGES: Final = 1 << 22
"""Edges kept at most, whatever the time they span: 64 MB."""


class Ring:
    """Keeps the edge blocks of the last `samples` samples, and no more than MAX_EDGES edges."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._blocks: deque[EdgeBlock] = deque()
        self._edges = 0

    def add(self, block: EdgeBlock) -> None:
        """Take the next block; what is too old goes."""
        self._blocks.append(block)
        self._edges += len(block.at)
        while len(self._blocks) > 1 and (self._blocks[1].begin <= block.end - self._samples or self._edges > MAX_EDGES):
            self._edges -= len(self._blocks.popleft().at)

    @property
    def begin(self) -> int:
        """The first sample that is still there."""
        return self._blocks[0].begin if self._blocks else 0

    @property
    def end(self) -> int:
        """The sample behind the last."""
        return self._blocks[-1].end if self._blocks else 0

    def save(
        self,
        path: str | os.PathLike[str],
        span: tuple[int, int],
        *,
        rate_hz: int | None,
        channels: Sequence[Channel],
        remarks: Mapping[str, str],
    ) -> tuple[int, int]:
        """Writes the samples of `span` that are there as a .sr file; returns which. Raises OutputError."""
        start, stop = max(span[0], self.begin), min(span[1], self.end)
        write_sr(path, self._cut(start, stop), rate_hz=rate_hz, channels=channels, remarks=remarks)
        return start, stop

    def _cut(self, start: int, stop: int) -> Iterator[EdgeBlock]:
        for block in self._blocks:
            begin, end = max(block.begin, start), min(block.end, stop)
            if begin >= end:
                continue
            low, high = np.searchsorted(block.at, [begin, end])
            # An edge in the first sample that is kept is its state, not a change.
            if low < high and block.at[low] == begin:
                low += 1
            initial = int(block.words[low - 1]) if low else int(block.initial)
            yield EdgeBlock(block.at[low:high], block.words[low:high], initial, begin, end)
