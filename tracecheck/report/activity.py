"""When each marker of a capture was active and each bus had transfers, coarsely: what an overview is drawn from.

Memory does not depend on the capture's length nor on what happens in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.stream import Batch

BINS = 2048
"""Parts that a capture is cut into; a drawing has fewer px."""
OUTCOMES = ("acked", "nack", "other")
"""As what transfers are drawn."""


class Activity:
    """Collects the marker intervals, and the transfers, of every batch."""

    def __init__(self, samples: int) -> None:
        """`samples`: of the whole capture."""
        self._samples = max(samples, 1)
        self._steps: dict[str, NDArray[np.int64]] = {}
        self._transfers: dict[tuple[str, str], NDArray[np.int64]] = {}

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
        for bus, tables in batch.buses.items():
            transfers = tables["transfers"]
            first, last = self.bins(transfers["start"]), self.bins(transfers["end"]) + 1
            for outcome, mask in zip(OUTCOMES, _by_outcome(transfers["outcome"]), strict=True):
                steps = self._transfers.setdefault((bus, outcome), np.zeros(BINS + 2, np.int64))
                if mask.any():
                    steps += np.bincount(first[mask], minlength=len(steps))
                    steps -= np.bincount(last[mask], minlength=len(steps))

    @property
    def markers(self) -> tuple[str, ...]:
        return tuple(self._steps)

    def bins(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which part each sample lies in."""
        return np.minimum(samples // -(-self._samples // BINS), BINS - 1)

    def transfers(self, bus: str, outcome: str) -> Iterator[tuple[int, int]]:
        """The parts [begin, end) in which a bus had transfers of one of `OUTCOMES`, in order."""
        steps = self._transfers.get((bus, outcome))
        return iter(()) if steps is None else stretches(np.cumsum(steps[:BINS]) > 0)

    def active(self, name: str) -> Iterator[tuple[int, int]]:
        """The parts [begin, end) in which a marker was active, in order."""
        return stretches(np.cumsum(self._steps[name][:BINS]) > 0)


def _by_outcome(outcomes: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], ...]:
    acked = outcomes == words.OUTCOMES.index("acked")
    nack = np.isin(outcomes, [words.OUTCOMES.index(name) for name in ("address-nack", "data-nack")])
    return acked, nack, ~acked & ~nack


def stretches(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where a mask is true, as [begin, end)."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).tolist()
    return zip(edges[::2], edges[1::2], strict=True)
