"""A part of a block of edges."""

from __future__ import annotations

import numpy as np

from tracecheck.capture.model import EdgeBlock


def part(block: EdgeBlock, begin: int, end: int) -> EdgeBlock:
    """The samples [begin, end) of a block, as far as it has them, as a block that goes on from what came before."""
    begin, end = max(begin, block.begin), min(end, block.end)
    if (begin, end) == (block.begin, block.end):
        return block
    low, high = np.searchsorted(block.at, [begin, end])
    initial = int(block.words[low - 1]) if low else int(block.initial)
    return EdgeBlock(block.at[low:high], block.words[low:high], initial, begin, end)
