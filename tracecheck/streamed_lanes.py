"""Markers and the timeline, written while they are decoded: how often a capture is read, and in which pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pyarrow as pa

from tracecheck.capture.model import Capture
from tracecheck.decoding.lane import MARKER_CODE
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.whole_lane import fed_to_the_end, fresh_lane
from tracecheck.decoding.window import Window
from tracecheck.decoding.wiring import Wiring
from tracecheck.tables import Intervals, intervals_table
from tracecheck.timeline import RowsBefore, timeline_pieces

Progress = Callable[[int], None]


def decodes(wiring: Wiring, table: str) -> int:
    """How many times the capture is read for one of the tables."""
    return len(wiring.markers) if table == "markers" else 1 + _must_count(wiring)


def streamed_markers(
    capture: Capture, wiring: Wiring, settle: int, glitch_s: Fraction, progress: Progress
) -> Iterator[pa.Table]:
    """Intervals of all markers, marker by marker: each a decode of its own, together with its bus."""
    buses, names = [b.name for b in wiring.buses], [m.name for m in wiring.markers]
    for number, marker in enumerate(wiring.markers):
        part = Wiring(tuple(b for b in wiring.buses if b.name == marker.bus), (marker,))
        held: _Open | None = None
        for batch in decode_capture(capture, part, glitch_s=glitch_s, progress=onwards(progress, capture, number)):
            if held is None:
                active = batch.initially_active.get(marker.name, False)
                held, lane = _Open(active), fresh_lane(part, marker.bus, batch, settle)
            window = fed_to_the_end(lane, batch)
            if window is not None and (found := held.ended(window, final=batch.final)) is not None:
                bus = buses.index(marker.bus) if marker.bus else -1
                yield intervals_table(found, (bus, buses), (number, names), capture.rate_hz)


class _Open:
    """The begins of one marker whose ends have not come yet, and what each is known of."""

    def __init__(self, active: bool) -> None:
        first = np.full(int(active), -1, np.int64)
        self._begins = Intervals(begin=first, end=first, transfer=first, start=first, stop=first)

    def ended(self, window: Window, *, final: bool) -> Intervals | None:
        """The intervals that end in a window, with the last one all there are; None for none."""
        begins, ends = (window.places(MARKER_CODE + edge) for edge in (0, 1))
        row = window.owner_row[begins]
        owned = {"transfer": window.owner[begins]}
        owned |= {c: np.append(window.transfers[c], -1)[row] for c in ("start", "stop")}
        new = {"begin": window.at[begins], "end": np.full(len(begins), -1, np.int64), **owned}
        columns = {name: np.concatenate([getattr(self._begins, name), column]) for name, column in new.items()}
        n = len(ends)
        columns["end"][:n] = window.at[ends]
        ready = len(columns["begin"]) if final else n
        self._begins = Intervals(**{name: column[ready:].copy() for name, column in columns.items()})
        return Intervals(**{name: column[:ready] for name, column in columns.items()}) if ready else None


def streamed_timeline(
    capture: Capture, wiring: Wiring, settle: int, glitch_s: Fraction, progress: Progress
) -> Iterator[pa.Table]:
    """Every event of all buses and markers, in order: a decode, after one that counts rows where there must be."""
    counted, before = _must_count(wiring), RowsBefore(wiring)
    if counted:
        for batch in decode_capture(capture, wiring, glitch_s=glitch_s, progress=progress):
            before.count(batch)
    decoded = decode_capture(capture, wiring, glitch_s=glitch_s, progress=onwards(progress, capture, counted))
    return timeline_pieces(decoded, before, settle, capture.rate_hz)


def _must_count(wiring: Wiring) -> bool:
    return len(wiring.buses) > 1 or len(wiring.markers) > 1


def onwards(progress: Progress, capture: Capture, decodes_before: int) -> Progress:
    """Progress of one more decode of a capture."""
    return lambda done: progress(decodes_before * capture.samples + done)
