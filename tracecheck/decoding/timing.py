"""Drives the compiled timing walk behind a bus's decoder: what was measured of each transfer, in rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracecheck import _timing
from tracecheck.capture.model import EdgeBlock
from tracecheck.decoding.i2c import BusDecoder
from tracecheck.decoding.rows import TIMINGS, Columns
from tracecheck.words import PARAMETERS

_NONE = np.empty(0, np.int64)


class BusTiming:
    """One bus. Feed each block after its decoder took it, `take` rows whenever convenient, `finish` after the decoder.

    How blocks are cut never changes which rows come.
    """

    def __init__(self, decoder: BusDecoder, scl: int, sda: int, *, glitch: int, begin: int = 0) -> None:
        """Before the decoder is fed anything. `glitch`: the decoder's, or the two will not agree."""
        self._decoder = decoder
        self._walker = _timing.Walker(scl, sda, glitch=glitch, begin=begin)
        self._parts: list[NDArray[np.int64]] = []
        decoder.keep_framing()

    def feed(self, block: EdgeBlock) -> None:
        """Measure one block."""
        starts, ends = self._decoder.framing()
        out = _room(ends)
        n = self._walker.feed(block.at, block.words, block.initial, block.end, starts, ends, out)
        self._keep(out[:n])

    def finish(self, end: int) -> None:
        """The capture ended: its last sample was `end` - 1."""
        starts, ends = self._decoder.framing()
        out = _room(ends)
        self._keep(out[: self._walker.finish(end, starts, ends, out)])

    def take(self) -> Columns:
        """All rows since the last take, as `rows.TIMINGS` describes them, by transfer and parameter."""
        rows = np.concatenate([_room(_NONE), *self._parts])
        self._parts = []
        return {name: rows[:, i].astype(kind) for i, (name, kind) in enumerate(TIMINGS.items())}

    def _keep(self, rows: NDArray[np.int64]) -> None:
        if len(rows):
            self._parts.append(rows)


def _room(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.empty((len(ends) * len(PARAMETERS), len(TIMINGS)), np.int64)
