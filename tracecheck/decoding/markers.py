"""Marker pins: from the edges of one line to begins and ends.

Two codings. `level`: active while the line is high (or low); every edge begins or ends an interval. `pulse-count`: one
pin carries several markers, told apart by how many pulses stand close together; a gap of four pulse widths or more
ends a code. Markers are never filtered: a pulse of one sample is a pulse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tracecheck import _edges
from tracecheck.capture.model import EdgeBlock

Coding = Literal["level", "pulse-count"]
CODE_GAP = 4
"""A gap this many times as wide as the pulse before it ends a code."""
CODE_SLACK = 2
"""... and this many samples more, so that one-sample quantisation of short pulses never splits a code."""


@dataclass(frozen=True, slots=True)
class MarkerRows:
    """New rows of one marker: `begins` and `ends` in samples, each ascending; `pulses` belongs to `begins`."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    pulses: NDArray[np.int32]


class LineEdges:
    """The rises and falls of one line, block by block."""

    def __init__(self, bit: int) -> None:
        self.bit = bit
        self.level = -1
        self.initial = -1

    def feed(self, block: EdgeBlock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Samples of the line's rises and of its falls within the block."""
        if self.level < 0:
            self.level = self.initial = block.initial >> self.bit & 1
        n = len(block.at)
        rises, falls = np.empty(n, np.int64), np.empty(n, np.int64)
        up, down = _edges.line_edges(block.at, block.words, self.bit, self.level, rises, falls)
        self.level ^= (up + down) & 1
        return rises[:up], falls[:down]


class LevelMarker:
    """Active while its line is high, or low when `active_low`."""

    def __init__(self, bit: int, *, active_low: bool = False) -> None:
        self._line, self._active_low = LineEdges(bit), active_low
        self._begins: list[NDArray[np.int64]] = []
        self._ends: list[NDArray[np.int64]] = []
        self.watermark = 0
        self.filled = 0

    @property
    def initially_active(self) -> bool:
        """Already active in the first sample: its first interval has no begin."""
        return self._line.initial == (0 if self._active_low else 1)

    def feed(self, block: EdgeBlock) -> None:
        rises, falls = self._line.feed(block)
        begins, ends = (falls, rises) if self._active_low else (rises, falls)
        if len(begins):
            self._begins.append(begins.copy())
        if len(ends):
            self._ends.append(ends.copy())
        self.filled += len(begins) + len(ends)
        self.watermark = block.end

    def finish(self, end: int) -> None:
        self.watermark = end

    def take(self) -> MarkerRows:
        begins, ends = _joined(self._begins), _joined(self._ends)
        self._begins, self._ends, self.filled = [], [], 0
        return MarkerRows(begins, ends, np.ones(len(begins), np.int32))


class PulseCountMarker:
    """Codes of `pulses` pulses on a shared line (any number when `pulses` is None).

    A code is known once the gap behind it is wide enough, so rows lag by one gap; `watermark` says how far.
    """

    def __init__(self, bit: int, pulses: int | None) -> None:
        self._line, self._pulses = LineEdges(bit), pulses
        self._rises = np.empty(0, np.int64)
        self._falls = np.empty(0, np.int64)
        self._begins: list[NDArray[np.int64]] = []
        self._ends: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int32]] = []
        self.watermark = 0
        self.filled = 0

    @property
    def initially_active(self) -> bool:
        """A code that began before the capture is not one: its pulses cannot be counted."""
        return False

    def feed(self, block: EdgeBlock) -> None:
        rises, falls = self._line.feed(block)
        if self._line.initial == 1 and len(falls) and not len(self._rises) and (not len(rises) or falls[0] < rises[0]):
            falls = falls[1:]  # the pulse under way at the first sample has no beginning
        self._rises = np.concatenate([self._rises, rises])
        self._falls = np.concatenate([self._falls, falls])
        self._decode(block.end)

    def finish(self, end: int) -> None:
        self._decode(end, final=True)
        self.watermark = end

    def _decode(self, end: int, *, final: bool = False) -> None:
        rises, falls = self._rises, self._falls
        whole = len(falls)  # pulses whose end is known; one more may be under way
        if whole == 0:
            self.watermark = int(rises[0]) if len(rises) else end
            return
        widths = falls - rises[:whole]
        limits = widths * CODE_GAP + CODE_SLACK
        following = np.append(rises[1 : whole + 1], end) if len(rises) == whole else rises[1 : whole + 1]
        closing = following - falls >= limits
        last = np.flatnonzero(closing)
        if final and len(rises) == whole and (not len(last) or last[-1] != whole - 1):
            # The capture ends within the gap: whether another pulse follows is unknown, so the code is not told.
            self._rises, self._falls = rises[:0], falls[:0]
        if not len(last):
            self.watermark = int(rises[0])
            return
        first = np.concatenate([[0], last[:-1] + 1])
        counts = (last - first + 1).astype(np.int32)
        mine = slice(None) if self._pulses is None else counts == self._pulses
        self._begins.append(rises[first][mine])
        self._ends.append(falls[last][mine])
        self._counts.append(counts[mine])
        self.filled += len(self._begins[-1])
        keep = int(last[-1]) + 1
        self._rises, self._falls = rises[keep:].copy(), falls[keep:].copy()
        self.watermark = int(self._rises[0]) if len(self._rises) else end

    def take(self) -> MarkerRows:
        counts = np.concatenate(self._counts) if self._counts else np.empty(0, np.int32)
        rows = MarkerRows(_joined(self._begins), _joined(self._ends), counts)
        self._begins, self._ends, self._counts, self.filled = [], [], [], 0
        return rows


MarkerDecoder = LevelMarker | PulseCountMarker


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
