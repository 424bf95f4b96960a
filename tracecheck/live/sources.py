"""Streams without an end as blocks of edges: raw samples or a VCD through a pipe, a file that grows, sigrok-cli.

A source says what lines it has, and how long it waited for data: who waits is not the one who is slow.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, Protocol

import numpy as np

from tracecheck.capture.edge_list import narrowest
from tracecheck.capture.grid import scaled
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.capture.scan import WINDOW, scan_windows
from tracecheck.capture.vcd_changes import Changes, Lines

FOREVER: Final = 2**62
"""Where a stream without an end is said to end."""
STALL_S: Final = 5.0
"""So long without a sample is worth a word."""
_POLL_S: Final = 0.05
_IDLE_S: Final = 0.1


class Bytes:
    """Bytes of a file descriptor as they come. `follow`: the end of the file is not the end of the data."""

    def __init__(
        self, descriptor: int, *, follow: bool = False, stalled: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._descriptor, self._follow, self._stalled = descriptor, follow, stalled
        self.waited = 0.0
        """Seconds in which nothing was there to read."""
        self.idle: Callable[[], None] = lambda: None
        """Called while nothing is there to read: time to tell what is certain already."""
        self.total = 0
        self._back = b""

    def put_back(self, data: bytes) -> None:
        """What was read to see what it is: it comes first again."""
        self._back = data

    def __iter__(self) -> Iterator[bytes]:
        silent = 0.0
        told = False
        if self._back:
            data, self._back = self._back, b""
            yield data
        while True:
            begin = time.monotonic()
            ready, _, _ = select.select([self._descriptor], [], [], _IDLE_S)
            data = os.read(self._descriptor, WINDOW) if ready else b""
            if data:
                self.waited += time.monotonic() - begin
                self.total += len(data)
                silent, told = 0.0, False
                yield data
                continue
            if ready and not self._follow:
                return
            if ready:
                time.sleep(_POLL_S)
            self.idle()
            took = time.monotonic() - begin
            self.waited += took
            silent += took
            if silent >= STALL_S and not told:
                told = True
                self._stalled(silent)


class Stream(Protocol):
    """What is watched."""

    path: str
    rate_hz: int | None
    unitsize: int
    channels: tuple[Channel, ...]

    data: Bytes

    def blocks(self) -> Iterator[EdgeBlock]: ...
    def notes(self) -> Sequence[str]: ...


class RawStream:
    """Raw samples of `unitsize` bytes, little-endian. Without names the lines are called D0, D1 and so on."""

    def __init__(
        self, path: str, data: Bytes, unitsize: int, rate_hz: int | None, channels: Sequence[Channel] = ()
    ) -> None:
        self.path, self.rate_hz, self.unitsize = path, rate_hz, unitsize
        self.channels = tuple(channels) or tuple(Channel(f"D{bit}", bit) for bit in range(8 * unitsize))
        self.data = data

    def blocks(self) -> Iterator[EdgeBlock]:
        """Every line of every sample, as it comes."""
        mask = sum(1 << channel.bit for channel in self.channels)
        return scan_windows((memoryview(part) for part in self.data), self.unitsize, mask, 0, FOREVER)

    def notes(self) -> Sequence[str]:
        odd = self.data.total % self.unitsize
        return (f"The stream ended within a sample: {odd} of {self.unitsize} bytes are left out.",) if odd else ()


class VcdStream:
    """A VCD as it is written. Its times go on the grid of `rate_hz`, or on their own tick."""

    def __init__(self, path: str, data: Bytes, lines: Lines, head: bytes, line: int, rate_hz: int | None) -> None:
        self.path, self.channels = path, tuple(lines.channels)
        tick = max(lines.tick, Fraction(1, 10**9))
        rate = rate_hz or round(1 / tick)
        self.rate_hz: int | None = rate
        self._per_tick = lines.tick * rate
        self.unitsize = narrowest(np.empty(0, np.uint64), len(self.channels)).dtype.itemsize
        self.data, self._head = data, head
        self._changes = Changes(path, lines, line)

    def blocks(self) -> Iterator[EdgeBlock]:
        """What became certain with each piece of the text."""
        changes, begin, state = self._changes, 0, None
        for piece in self._pieces():
            if piece is None:
                changes.finish()
            else:
                changes.feed(piece)
            ticks, words, now = changes.drained()
            end = int(scaled(self.path, np.array([now], np.int64), self._per_tick)[0])
            if piece is None:
                end = max(end, begin) + 1
            if state is None:
                state = changes.initial
            if end <= begin:
                if len(ticks):
                    state = int(words[-1])
                continue
            at = scaled(self.path, ticks, self._per_tick)
            block = self._block(at, words, state, (begin, end))
            yield block
            if len(words):
                state = int(words[-1])
            begin = end

    def _pieces(self) -> Iterator[bytes | None]:
        yield self._head
        yield from self.data
        yield None

    def _block(self, at: Any, words: Any, state: int, span: tuple[int, int]) -> EdgeBlock:
        begin, end = span
        # Several changes on one sample are seen as the last; those on the first sample are its state.
        last = np.append(at[1:] != at[:-1], True) if len(at) else np.zeros(0, np.bool_)
        at, words = np.clip(at[last], begin, end - 1), words[last]
        while len(at) and at[0] <= begin and begin == 0:
            state, at, words = int(words[0]), at[1:], words[1:]
        differs = np.diff(words, prepend=np.uint64(state)) != 0 if len(words) else np.zeros(0, np.bool_)
        return EdgeBlock(at[differs], narrowest(words[differs], len(self.channels)), state, begin, end)

    def notes(self) -> Sequence[str]:
        return tuple(self._changes.notes())
