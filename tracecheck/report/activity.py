"""When each marker of a capture was active, coarsely: what an overview of a long capture is drawn from.

Memory does not depend on the capture's length nor on what happens in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.stream import Batch

BINS = 2048
"""Parts that a capture is cut into; a drawing has fewer px."""


class Activity:
    """Collects the marker intervals of every batch."""

    def __init__(self, samples: int) -> None:
        """`samples`: of the whole capture."""
        self._samples = max(samples, 1)
        self._steps: dict[str, NDArray[np.int64]] = {}

    def add(self, batch: Batch) -> None:
        """Take one batch."""
        for name, rows in batch.markers.items():
            if name not in self._steps:
                self._steps[name] = np.zeros(BINS + 2, np.int64)
                self._steps[name][0] = batch.initially_active.get(name, False)
            steps = self._steps[name]
            steps += np.bincount(self.bins(rows.begins), minlength=len(steps))
            # A part in which an interval ends is one in which it was active.
            steps -= np.bincount(self.bins(rows.ends) + 1, minlength=len(steps))

    @property
    def markers(self) -> tuple[str, ...]:
        return tuple(self._steps)

    def bins(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which part each sample lies in."""
        return np.minimum(samples // -(-self._samples // BINS), BINS - 1)

    def active(self, name: str) -> Iterator[tuple[int, int]]:
        """The parts [begin, end) in which a marker was active, in order."""
        return stretches(np.cumsum(self._steps[name][:BINS]) > 0)


def stretches(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where a mask is true, as [begin, end)."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).tolist()
    return zip(edges[::2], edges[1::2], strict=True)
