"""Which lines of a stream are what: found on its beginning, which is then judged like the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np

from tracecheck.capture.edge_list import EdgeListCapture, narrowest
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.live.sources import Stream

MOST_SECONDS: Final = 2.0
MOST_EDGES: Final = 1 << 18
"""So much of a stream is looked at before it is decided what its lines are."""


def begin_with(stream: Stream, *, look: bool) -> tuple[EdgeListCapture, Iterator[EdgeBlock]]:
    """The beginning of a stream as a capture, and all its blocks, those of the beginning too.

    `look`: what the lines do has to be seen; otherwise a capture without samples tells their names.
    """
    blocks = stream.blocks()
    read: list[EdgeBlock] = []
    if look:
        enough = MOST_SECONDS * (stream.rate_hz or 1_000_000)
        edges = 0
        for block in blocks:
            read.append(block)
            edges += len(block.at)
            if block.end >= enough or edges >= MOST_EDGES:
                break
    return _capture(stream, read), chain(read, blocks)


def _capture(stream: Stream, read: Sequence[EdgeBlock]) -> EdgeListCapture:
    at = np.concatenate([np.empty(0, np.int64), *(block.at for block in read)])
    words = np.concatenate([np.empty(0, np.uint64), *(block.words.astype(np.uint64) for block in read)])
    return EdgeListCapture(
        stream.path,
        "stream",
        (at, narrowest(words, _lines(stream.channels)), int(read[0].initial) if read else 0),
        samples=read[-1].end if read else 0,
        rate_hz=stream.rate_hz,
        channels=stream.channels,
    )


def _lines(channels: Sequence[Channel]) -> int:
    return max((channel.bit for channel in channels), default=0) + 1
