"""Marker pins: from the edges of one line to begins and ends.

Two codings. `level`: active while the line is high (or low); every edge begins or ends an interval. `pulse-count`: one
pin carries several markers, told apart by how many pulses stand close together; a gap of four pulse widths or more
ends a code. Markers are never filtered: a pulse of one sample is a pulse.

What the capture's ends leave of a pulse-count code cannot be told: one pulse may be an interrupt, or the rest of a
wake. Such a code becomes no row, but bounds what is known of the marker: `known_from` moves behind one that was under
way at the beginning, and the last `watermark` stays before one that the end cuts. Rules judge nothing beyond.
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

CODE_LEAD = 4096
"""Samples of quiet at the capture's beginning that show, whatever the pulses' width, that no code was under way."""


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

    def __init__(self, bit: int, *, active_low: bool = False, begin: int = 0) -> None:
        self._line, self._active_low = LineEdges(bit), active_low
        self._begins: list[NDArray[np.int64]] = []
        self._ends: list[NDArray[np.int64]] = []
        self.known_from = begin
        self.watermark = begin
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
        """A level is known to the last sample."""
        self.watermark = end

    def take(self) -> MarkerRows:
        begins, ends = _joined(self._begins), _joined(self._ends)
        self._begins, self._ends, self.filled = [], [], 0
        return MarkerRows(begins, ends, np.ones(len(begins), np.int32))


class PulseCountMarker:
    """Codes of `pulses` pulses on a shared line (any number when `pulses` is None), of low pulses when `active_low`.

    A code is known once the gap behind it is wide enough, so rows lag by one gap; `watermark` says how far.
    """

    def __init__(self, bit: int, pulses: int | None, *, active_low: bool = False, begin: int = 0) -> None:
        self._line, self._pulses, self._active_low = LineEdges(bit), pulses, active_low
        self._ups = np.empty(0, np.int64)
        self._downs = np.empty(0, np.int64)
        self._begins: list[NDArray[np.int64]] = []
        self._ends: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int32]] = []
        self._first = True
        self._headless = False
        self._begin = begin
        self.known_from = begin
        self.watermark = begin
        self.filled = 0

    @property
    def initially_active(self) -> bool:
        """A code that began before the capture is not one: its pulses cannot be counted."""
        return False

    def feed(self, block: EdgeBlock) -> None:
        fresh = self._line.level < 0
        rises, falls = self._line.feed(block)
        ups, downs = (falls, rises) if self._active_low else (rises, falls)
        if fresh and self._line.initial == int(not self._active_low):
            # The pulse under way has no beginning; the code it is part of is told from its width so far.
            self._headless = True
            self._ups = np.array([self._begin], np.int64)
        self._ups = np.concatenate([self._ups, ups])
        self._downs = np.concatenate([self._downs, downs])
        self._decode(block.end)

    def finish(self, end: int) -> None:
        """The watermark stays where the last code that could not be told begins."""
        self._decode(end)
        self.watermark = int(self._ups[0]) if len(self._ups) else end

    def _decode(self, end: int) -> None:
        ups, downs = self._ups, self._downs
        whole = len(downs)  # pulses whose end is known; one more may be under way
        limits = (downs - ups[:whole]) * CODE_GAP + CODE_SLACK
        following = ups[1 : whole + 1] if len(ups) > whole else np.append(ups[1:], end)
        last = np.flatnonzero(following - downs >= limits)
        if len(last):
            first = np.concatenate([[0], last[:-1] + 1])
            counts = (last - first + 1).astype(np.int32)
            told = np.ones(len(last), np.bool_)
            if self._first:
                told[0] = self._told(int(ups[0]), int(downs[0]), int(downs[last[0]]))
            mine = told if self._pulses is None else told & (counts == self._pulses)
            self._begins.append(ups[first][mine])
            self._ends.append(downs[last][mine])
            self._counts.append(counts[mine])
            self.filled += int(mine.sum())
            keep = int(last[-1]) + 1
            self._ups, self._downs = ups[keep:].copy(), downs[keep:].copy()
        known = int(self._ups[0]) if len(self._ups) else end
        # As long as the first code may turn out to have begun before the capture, nothing is known.
        if not self._first or known - self._begin >= CODE_LEAD:
            self.watermark = known

    def _told(self, up: int, down: int, end: int) -> bool:
        """Whether the first code is whole: the line was still for a gap before it. If not, all is known after it."""
        self._first = False
        whole = not self._headless and up - self._begin >= min((down - up) * CODE_GAP + CODE_SLACK, CODE_LEAD)
        if not whole:
            self.known_from = end + 1
        return whole

    def take(self) -> MarkerRows:
        counts = np.concatenate(self._counts) if self._counts else np.empty(0, np.int32)
        rows = MarkerRows(_joined(self._begins), _joined(self._ends), counts)
        self._begins, self._ends, self._counts, self.filled = [], [], [], 0
        return rows


MarkerDecoder = LevelMarker | PulseCountMarker


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
