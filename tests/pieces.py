"""Edges of a capture in smaller blocks than its reader makes."""

from __future__ import annotations

from collections.abc import Iterator

from tracecheck.capture.model import EdgeBlock


def in_pieces(blocks: Iterator[EdgeBlock], edges: int) -> Iterator[EdgeBlock]:
    """Blocks of so many edges."""
    for block in blocks:
        begin, before = block.begin, block.initial
        for first in range(0, max(len(block.at), 1), edges):
            at, words = block.at[first : first + edges], block.words[first : first + edges]
            end = int(at[-1]) + 1 if first + edges < len(block.at) else block.end
            yield EdgeBlock(at, words, before, begin, end)
            begin, before = end, int(words[-1]) if len(words) else before
