"""What a logic analyzer on the pins would have recorded: edges in time become samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tracecheck.capture.model import Channel, EdgeBlock

_NS = 10**9

SETTLE_NS = 50
"""A pull-up of 2 kOhm charges 100 pF to half the supply in 140 ns; what is let go for less than this never rises."""

ASSUMPTIONS: Final = (f"a bus line that is let go for less than {SETTLE_NS} ns does not rise",)


@dataclass(slots=True)
class Line:
    """One line: its name, its level at reset, and its edges as (ns, level), in order."""

    name: str
    idle: int
    edges: list[tuple[int, int]] = field(default_factory=list)
    settle_ns: int = 0
    """Rises that last less than this are left out."""

    def changed(self, level: int, now_ns: float) -> None:
        """The line is at `level` from `now_ns` on."""
        at = round(now_ns)
        if level == (self.edges[-1][1] if self.edges else self.idle):
            return  # driven where it was pulled
        if not level and self.edges and self.edges[-1][1] and at - self.edges[-1][0] < self.settle_ns:
            del self.edges[-1]
        else:
            self.edges.append((at, level))


def sample(lines: Sequence[Line], rate_hz: int, end_ns: int) -> tuple[tuple[Channel, ...], EdgeBlock]:
    """The channels and samples [0, ceil(end_ns * rate)) of `lines`, line k in bit k.

    An edge at t is first seen in sample ceil(t * rate), exactly; a pulse between two samples is not seen.
    """
    end = -(-end_ns * rate_hz // _NS)
    dtype = np.dtype(f"u{1 << max(0, (len(lines) - 1) // 8).bit_length()}")
    changes = sorted(
        (-(-at * rate_hz // _NS), order, bit, level)
        for bit, line in enumerate(lines)
        for order, (at, level) in enumerate(line.edges)
    )
    word = initial = sum(line.idle << bit for bit, line in enumerate(lines))
    at: list[int] = []
    words: list[int] = []
    for index, (when, _, bit, level) in enumerate(changes):
        if when >= end:
            break
        word = word & ~(1 << bit) | level << bit
        if index + 1 < len(changes) and changes[index + 1][0] == when:
            continue
        if when == 0:
            initial = word
        elif word != (words[-1] if words else initial):
            at.append(when)
            words.append(word)
    block = EdgeBlock(np.array(at, dtype=np.int64), np.array(words, dtype=dtype), initial, 0, end)
    return tuple(Channel(line.name, bit) for bit, line in enumerate(lines)), block
