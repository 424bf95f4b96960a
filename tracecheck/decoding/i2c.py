"""Drives the compiled I2C decoder over edge blocks and hands its rows over in pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracecheck import _i2c, words
from tracecheck.capture.model import EdgeBlock
from tracecheck.decoding.rows import LAYOUT, Columns, allocate, concatenate

Samples = NDArray[np.int64]
_START = words.BUS_EVENTS.index("start")
_NONE = np.empty(0, np.int64)

BUFFER_ROWS = 1 << 14
"""Rows a table the core may fill before they are taken away; bytes and events come far faster than the rest."""
BUFFER_EVENTS = 5 << 15
"""Events: a batch of them (`stream.BATCH_EVENTS`) and what the block that completes it adds, to come in one piece."""


class BusDecoder:
    """One bus, strict. Feed blocks in order, `take` rows whenever convenient, `finish` at the end.

    How blocks are cut and when rows are taken never changes which rows come.
    """

    def __init__(self, scl: int, sda: int, *, glitch: int, idle: int, stuck: int, begin: int = 0) -> None:
        self._core = _i2c.Decoder(scl, sda, glitch=glitch, idle=idle, stuck=stuck, begin=begin)
        self._buffers = allocate(LAYOUT, BUFFER_ROWS, events=BUFFER_EVENTS, bytes=BUFFER_EVENTS // 2)
        self._core.bind(self._buffers)
        self._parts: dict[str, list[Columns]] = {table: [] for table in LAYOUT}
        self.pending = 0
        """Event rows waiting to be taken."""
        self._framing: list[tuple[Samples, Samples]] | None = None
        self._framed = (0, 0)

    def feed(self, block: EdgeBlock) -> None:
        """Decode one block; blocks must follow each other without gaps."""
        core, at, words = self._core, block.at, block.words
        done = core.feed(at, words, 0, block.initial, block.end)
        while not core.done:
            self._set_aside()
            done = core.feed(at, words, done, block.initial, block.end)

    def finish(self, end: int) -> None:
        """The capture ended: its last sample was `end` - 1."""
        self._set_aside()
        self._core.finish(end)

    def take(self) -> dict[str, Columns]:
        """All rows since the last take, per table of `rows.LAYOUT`."""
        self._set_aside()
        taken = {table: concatenate(parts, LAYOUT[table]) for table, parts in self._parts.items()}
        self._parts = {table: [] for table in LAYOUT}
        self.pending = 0
        return taken

    def keep_framing(self) -> None:
        """From now on `framing` can be asked after each block."""
        self._framing = []

    def framing(self) -> tuple[Samples, Samples]:
        """Samples of the STARTs, and of the ends of transfers, that were found since the last call."""
        self._note_framing()
        parts, self._framing = self._framing or [], []
        if len(parts) == 1:
            return parts[0]
        starts, ends = zip(*parts, strict=True) if parts else ((), ())
        return np.concatenate([_NONE, *starts]), np.concatenate([_NONE, *ends])

    @property
    def filled(self) -> int:
        """Event rows not yet taken, in the buffers and aside."""
        return self.pending + int(self._core.counts[0])

    @property
    def watermark(self) -> int:
        """No row to come holds an event before this sample."""
        return int(self._core.watermark)

    @property
    def synced(self) -> int:
        """First sample at which both lines were high, -1 while they never were: nothing before it is judged."""
        return int(self._core.synced)

    def _set_aside(self) -> None:
        counts = self._core.counts
        if not any(counts):
            return
        self._note_framing()
        self._framed = (0, 0)
        for table, n in zip(LAYOUT, counts, strict=True):
            if n:
                self._parts[table].append({name: column[:n].copy() for name, column in self._buffers[table].items()})
        self.pending += counts[0]
        self._core.bind(self._buffers)

    def _note_framing(self) -> None:
        # What is in the buffers and was not looked at yet.
        counts = self._core.counts
        (event, transfer), (events, transfers) = self._framed, (counts[0], counts[3])
        if self._framing is None or (event, transfer) == (events, transfers):
            return
        kinds, at = (self._buffers["events"][name][event:events] for name in ("kind", "at"))
        self._framing.append((at[kinds == _START], self._buffers["transfers"]["end"][transfer:transfers].copy()))
        self._framed = events, transfers
