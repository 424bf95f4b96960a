"""The time axis of a waveform: straight while the lines are busy, shortened where nothing happens for long.

Between two neighbouring instants of interest time runs evenly. A clock gets the same width everywhere; a gap that would
be wider than a few clocks grows with the logarithm of what it lasts, and is marked; whole bytes in the middle of a
long transfer are left out. So order is always true, and what is not to scale can be seen not to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int64]

_STRAIGHT = 44.0
"""Gaps up to so many px are drawn to scale."""
_DOUBLING = 17.0
"""What a gap gets for each doubling beyond."""
_HOLE = 66.0
"""Width of what is left out."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Samples [begin, end) that are left out, with `count` bytes in them."""

    begin: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Shortened:
    """A gap that lasts longer than it is drawn: samples, and px."""

    begin: int
    end: int
    x: float
    width: float


class Timescale:
    """Maps samples to px. `width`: of all of it."""

    def __init__(
        self, begin: int, end: int, points: Iterable[int], px_per_sample: float, holes: Sequence[Hole] = ()
    ) -> None:
        """`points`: instants between which time runs evenly; those outside [begin, end] are of no account."""
        inner = {begin, end, *(p for p in points if begin < p < end)}
        inner = {p for p in inner if not any(h.begin < p < h.end for h in holes)}
        inner |= {edge for hole in holes for edge in (hole.begin, hole.end)}
        at = sorted(inner)
        starts = {hole.begin for hole in holes}
        x, xs = 0.0, [0.0]
        self.shortened: list[Shortened] = []
        self.holes = tuple(holes)
        for a, b in pairwise(at):
            straight = (b - a) * px_per_sample
            if a in starts:
                width = _HOLE
            elif straight <= _STRAIGHT:
                width = straight
            else:
                width = _STRAIGHT + _DOUBLING * log2(straight / _STRAIGHT)
                if straight > 1.25 * width:
                    self.shortened.append(Shortened(a, b, x, width))
            x += width
            xs.append(x)
        self.begin, self.end, self.width = begin, end, x
        self._at, self._x = np.array(at, np.float64), np.array(xs)

    def x(self, sample: float) -> float:
        """Where a sample is drawn; those beyond the ends lie at the ends."""
        return float(np.interp(sample, self._at, self._x))

    def xs(self, samples: Samples) -> NDArray[np.float64]:
        """As `x`, of many."""
        found: NDArray[np.float64] = np.interp(samples, self._at, self._x)
        return found

    def left_out(self, sample: int) -> bool:
        """Whether a sample lies in a hole."""
        return any(hole.begin < sample < hole.end for hole in self.holes)

    def drawn(self, samples: Samples) -> Samples:
        """Those that are not left out."""
        keep = np.ones(len(samples), np.bool_)
        for hole in self.holes:
            keep &= (samples <= hole.begin) | (samples >= hole.end)
        return samples[keep]
