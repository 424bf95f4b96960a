"""A capture as the toggles of its lines, and the edits that faults are made of.

The lines of one capture, each by itself: the samples in which it changes, and its level before. Edits give new lines
and leave the old ones as they are. `as_capture` turns them into edges again, so that a mutant goes through the very
decoders and checkers that a recorded fault would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.capture.scan import line_mask, sample_range, word_dtype

Samples = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """`toggles`: bit -> ascending samples in which the line changes; `initial`: bit -> its level in the first sample.

    `end`: samples in all.
    """

    toggles: Mapping[int, Samples]
    initial: Mapping[int, int]
    end: int

    @staticmethod
    def of(capture: Capture, bits: Iterable[int]) -> Lines:
        """The lines at `bits` of a whole capture, in memory: 8 bytes an edge."""
        wanted = sorted(set(bits))
        parts: dict[int, list[Samples]] = {bit: [] for bit in wanted}
        initial: dict[int, int] = {}
        for block in capture.edges(wanted):
            before = np.concatenate([np.array([block.initial], block.words.dtype), block.words[:-1]])
            changed = block.words ^ before[: len(block.words)]
            for bit in wanted:
                initial.setdefault(bit, block.initial >> bit & 1)
                parts[bit].append(block.at[(changed >> bit & 1).astype(bool)])
        toggles = {bit: np.concatenate([np.empty(0, np.int64), *found]) for bit, found in parts.items()}
        return Lines(toggles, {bit: initial.get(bit, 0) for bit in wanted}, capture.samples)

    def level(self, bit: int, at: int) -> int:
        """The line's level in sample `at`."""
        return int(np.searchsorted(self.toggles[bit], at, "right") + self.initial[bit]) & 1

    def within(self, bit: int, first: int, last: int) -> Samples:
        """Toggles of a line in samples [first, last]."""
        line = self.toggles[bit]
        return line[np.searchsorted(line, first, "left") : np.searchsorted(line, last, "right")]

    def toggled(self, bit: int, samples: Iterable[int]) -> Lines:
        """With the line changing in these samples as well; where it did change already it no longer does."""
        fresh = np.array(sorted(samples), np.int64)
        return self._with(bit, np.setxor1d(self.toggles[bit], fresh))

    def erased(self, bit: int, first: int, last: int) -> Lines:
        """Without the changes of a line in samples [first, last]; an even number of them leaves the rest as it was."""
        line = self.toggles[bit]
        return self._with(bit, line[(line < first) | (line > last)])

    def forced(self, bit: int, first: int, last: int, level: int) -> Lines:
        """The line at `level` in samples [first, last), and as it was before and after."""
        before, after = self.level(bit, first - 1), self.level(bit, last)
        edges = [at for at, was in ((first, before), (last, after)) if was != level]
        return self.erased(bit, first, last).toggled(bit, edges)

    def moved(self, bit: int, first: int, last: int, by: int) -> Lines:
        """The changes of a line in samples [first, last] so many samples later, or earlier."""
        return self.erased(bit, first, last).toggled(bit, (self.within(bit, first, last) + by).tolist())

    def waiting(self, since: Mapping[int, int], by: int) -> Lines:
        """What each of these lines does from its sample of `since` on comes `by` samples later."""
        lines = dict(self.toggles)
        for bit, at in since.items():
            lines[bit] = np.where(lines[bit] >= at, lines[bit] + by, lines[bit])
        return Lines(lines, self.initial, self.end + by)

    def cut(self, begin: int, end: int) -> Lines:
        """Samples [begin, end) only."""
        lines = {bit: line[(line > begin) & (line < end)] - begin for bit, line in self.toggles.items()}
        return Lines(lines, {bit: self.level(bit, begin) for bit in self.toggles}, end - begin)

    def as_capture(self, original: Capture) -> Capture:
        """These lines as a capture with the rate and the channels of the one they were taken from."""
        return _LinesCapture(self, original)

    def _with(self, bit: int, line: Samples) -> Lines:
        return Lines({**self.toggles, bit: line}, self.initial, self.end)


class _LinesCapture(Capture):
    """Edges of lines that are in memory, in one block."""

    def __init__(self, lines: Lines, original: Capture) -> None:
        self.path, self.format, self.rate_hz = original.path, original.format, original.rate_hz
        self.unitsize, self.channels, self.remarks = original.unitsize, original.channels, original.remarks
        self._lines = lines

    @property
    def samples(self) -> int:
        return self._lines.end

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        line_mask(self, bits)
        start, stop = sample_range(self, start, stop)
        if start >= stop:
            return
        part = self._lines.cut(start, stop)
        dtype = word_dtype(self.unitsize)
        chosen = sorted(set(bits))
        at = np.concatenate([np.empty(0, np.int64), *(part.toggles[bit] for bit in chosen)])
        flips = np.concatenate(
            [np.empty(0, dtype), *(np.full(len(part.toggles[bit]), 1 << bit, dtype) for bit in chosen)]
        )
        order = np.argsort(at, kind="stable")
        at = at[order]
        initial = sum(part.initial[bit] << bit for bit in chosen)
        words = np.bitwise_xor.accumulate(np.concatenate([np.array([initial], dtype), flips[order]]))[1:]
        last = np.append(at[1:] != at[:-1], True)[: len(at)]
        yield EdgeBlock(at[last] + start, words[last], initial, start, stop)
