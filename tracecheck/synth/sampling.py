"""What a logic analyzer makes of lines: an edge at t ns is first seen in sample ceil(t * rate / 1e9)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracecheck.capture.model import EdgeBlock
from tracecheck.synth.bus import Line

_NS = 10**9


def to_sample(at_ns: int, rate_hz: int) -> int:
    """The first sample that shows an edge at `at_ns`."""
    return -(-at_ns * rate_hz // _NS)


def sample_lines(lines: Sequence[Line], rate_hz: int, end_ns: int) -> EdgeBlock:
    """Samples [0, ceil(end_ns)) of `lines`, line k in bit k (at most 8); pulses between two samples go unseen."""
    changes = sorted(
        (to_sample(at, rate_hz), order, bit, level)
        for bit, line in enumerate(lines)
        for order, (at, level) in enumerate(line.edges)
    )
    end = to_sample(end_ns, rate_hz)
    word = initial = sum(line.idle << bit for bit, line in enumerate(lines))
    words: dict[int, int] = {}
    for sample, _, bit, level in changes:
        if sample < end:
            word = word & ~(1 << bit) | level << bit
            words[sample] = word
    if 0 in words:
        initial = words.pop(0)
    at: list[int] = []
    states = [initial]
    for sample, state in words.items():
        if state != states[-1]:
            at.append(sample)
            states.append(state)
    return EdgeBlock(np.array(at, dtype=np.int64), np.array(states[1:], dtype=np.uint8), initial, 0, end)


def crop(block: EdgeBlock, begin: int, end: int) -> EdgeBlock:
    """The samples [begin, end) of a block, counted from 0 again."""
    first, last = np.searchsorted(block.at, (begin, end - 1), side="right")
    initial = int(block.words[first - 1]) if first else block.initial
    return EdgeBlock(block.at[first:last] - begin, block.words[first:last], initial, 0, end - begin)
