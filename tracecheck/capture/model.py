"""What every reader gives: a `Capture` with channels, a rate, and blocks of edges.

Everything is edges. A reader, whatever its format, yields `EdgeBlock`s: the samples at which one of the chosen lines
changed, and the state of all chosen lines from that sample on. Decoders know nothing of files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracecheck.errors import ChannelError, did_you_mean


@dataclass(frozen=True, slots=True)
class Channel:
    """One line of a capture: its `name` and its `bit` in a sample word, counted from the lowest."""

    name: str
    bit: int


class EdgeBlock(NamedTuple):
    """The changes of the chosen lines within one stretch of samples [begin, end).

    `at`      int64, ascending: the samples at which at least one chosen line changed
    `words`   uint8/16/32/64, same length: the chosen lines from that sample on, each at its own bit, all others 0
    `initial` the chosen lines just before the first edge (for the first block: in sample `begin` itself)
    `begin`, `end`  samples covered; the next block begins at `end`. A block without edges still moves time on.
    """

    at: NDArray[np.int64]
    words: NDArray[Any]
    initial: int
    begin: int
    end: int


class Capture(ABC):
    """A recorded capture. `rate_hz` is None where the file has none (then no time is known, only samples)."""

    path: str
    format: str
    """Short name of the format, with its version where it has one: "sigrok session 2"."""
    rate_hz: int | None
    unitsize: int
    """Bytes of one sample."""
    channels: tuple[Channel, ...]
    remarks: Mapping[str, str] = MappingProxyType({})
    """What the file says of itself, by key: `origin` ("emulated", "synthetic") and how it was made."""
    notes: tuple[str, ...] = ()
    """What is odd about the file and was understood all the same, one sentence each."""

    @property
    @abstractmethod
    def samples(self) -> int:
        """Samples in the capture, as its directory declares them (checked while reading)."""

    @abstractmethod
    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        """Blocks of edges of the lines at `bits`, for samples [start, stop), in order and without gaps.

        The concatenation of all blocks does not depend on how the file is cut into members. The lines before sample
        `start` count as equal to sample `start`, so no edge lies at `start` itself. An empty range yields nothing.
        Raises CaptureError where the data turns out to be damaged, after the blocks before the damage.
        """

    def channel(self, name: str) -> Channel:
        """The channel called `name`, or, if there is none and `name` is a number, the one at that bit.

        Raises ChannelError naming the channels there are; a name that two channels bear is an error that says so.
        """
        found = [c for c in self.channels if c.name == name]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            bits = ", ".join(str(c.bit) for c in found)
            raise ChannelError(
                self.path, f'{len(found)} channels are called "{name}" (bits {bits}); give the bit number instead', name
            )
        if name.isdecimal():
            bit = int(name)
            by_bit = [c for c in self.channels if c.bit == bit]
            if by_bit:
                return by_bit[0]
            if bit < self.unitsize * 8:
                return Channel(f"bit {bit}", bit)
        names = [c.name for c in self.channels]
        raise ChannelError(
            self.path,
            f'no channel "{name}"{did_you_mean(name, names)} (channels: {", ".join(names) or "none"})',
            name,
            names,
        )
