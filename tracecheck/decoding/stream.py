"""A capture's edge blocks through all decoders at once, in batches of rows.

Memory is bounded by the block and the batch, not by the capture. Cutting the input anywhere never changes the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.decoding.i2c import BusDecoder
from tracecheck.decoding.markers import LevelMarker, MarkerDecoder, MarkerRows, PulseCountMarker
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.timing import BusTiming
from tracecheck.decoding.wiring import MarkerWire, Wiring

BATCH_EVENTS = 1 << 17
"""Events a batch holds at least, but for the last: what comes after decoding is vectorised over a batch."""

GLITCH_S = Fraction(50, 10**9)
"""UM10204's tSP: spikes up to 50 ns are suppressed by Fast-mode and Fast-mode Plus devices."""
IDLE_S = Fraction(50, 10**6)
"""Both lines high for longer than this (SMBus's tHIGH:MAX) and 10 SCL periods means the bus is free."""
STUCK_S = Fraction(100, 1000)
"""A line low for longer than this is worth a row: three times SMBus's tTIMEOUT."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The decoder's thresholds in samples. `glitch`: widest pulse ignored; `idle`, `stuck`: 0 without a rate."""

    glitch: int
    idle: int
    stuck: int

    @staticmethod
    def at(rate_hz: int | None, glitch_s: Fraction = GLITCH_S) -> Timing:
        """For a samplerate. A pulse is ignored when it is seen for a shorter time than `glitch_s`."""
        if not rate_hz:
            return Timing(0, 0, 0)
        limit = glitch_s * rate_hz
        widest = max(0, -(-limit.numerator // limit.denominator) - 1)
        return Timing(widest, int(IDLE_S * rate_hz), int(STUCK_S * rate_hz))


@dataclass(frozen=True, slots=True)
class Batch:
    """New rows. `watermarks`: for each lane the sample before which every event has been handed over; `synced`: for
    each lane the first sample at which something is judged, -1 while there is none. `timings`: what was measured of the
    transfers in `buses`, for each bus, where it was asked for.

    At the final batch a watermark may lie before `end`: what is on the lane's markers from there on cannot be told.
    """

    buses: dict[str, dict[str, Columns]]
    markers: dict[str, MarkerRows]
    watermarks: dict[str | None, int]
    synced: dict[str | None, int]
    initially_active: dict[str, bool]
    end: int
    final: bool
    timings: dict[str, Columns] = field(default_factory=dict)


class Undersampled:
    """Counts the transfers in which SCL was high or low for a single sample: the rate is too low for that bus.

    Such a capture still decodes, mostly, but edges may be lost without a trace, and no verdict says so by itself.
    """

    SHARE = 100
    """One in so many transfers is worth a warning; a single runt is the bus's doing, not the samplerate's."""

    def __init__(self) -> None:
        self._seen = self._short = 0

    def add(self, batch: Batch) -> None:
        for rows in batch.buses.values():
            transfers = rows["transfers"]
            shortest = np.minimum(transfers["low"], transfers["high"])
            self._seen += int((shortest > 0).sum())
            self._short += int((shortest == 1).sum())

    def notes(self) -> tuple[str, ...]:
        """A sentence, or nothing."""
        if not self._short or self._short * self.SHARE < self._seen:
            return ()
        where = f"in {self._short} of {self._seen} transfers SCL keeps a level for one sample only"
        return (f"sampled too slowly: {where}, so edges may be missing; record with a higher samplerate",)


class Decoding:
    """All decoders of one wiring. Feed blocks, take batches, finish. `timings`: bus timing is measured as well."""

    def __init__(self, wiring: Wiring, timing: Timing, begin: int = 0, *, timings: bool = False) -> None:
        self.wiring = wiring
        self._buses = {
            b.name: BusDecoder(
                b.scl.bit, b.sda.bit, glitch=timing.glitch, idle=timing.idle, stuck=timing.stuck, begin=begin
            )
            for b in wiring.buses
        }
        self._timings = {
            b.name: BusTiming(self._buses[b.name], b.scl.bit, b.sda.bit, glitch=timing.glitch, begin=begin)
            for b in (wiring.buses if timings else ())
        }
        self._markers = {m.name: _marker_decoder(m, begin) for m in wiring.markers}
        self.end = begin

    def feed(self, block: EdgeBlock) -> None:
        for bus in self._buses.values():
            bus.feed(block)
        for each in self._timings.values():
            each.feed(block)
        for marker in self._markers.values():
            marker.feed(block)
        self.end = block.end

    def finish(self) -> Batch:
        for bus in self._buses.values():
            bus.finish(self.end)
        for each in self._timings.values():
            each.finish(self.end)
        for marker in self._markers.values():
            marker.finish(self.end)
        return self.take(final=True)

    @property
    def filled(self) -> int:
        """Events waiting to be taken."""
        return sum(b.filled for b in self._buses.values()) + sum(m.filled for m in self._markers.values())

    def take(self, *, final: bool = False) -> Batch:
        """All rows since the last take."""
        rows = {name: bus.take() for name, bus in self._buses.items()}
        return Batch(
            buses=rows,
            markers={name: marker.take() for name, marker in self._markers.items()},
            watermarks={lane: self._watermark(lane, final=final) for lane in self.wiring.lanes},
            synced={lane: self._synced(lane) for lane in self.wiring.lanes},
            initially_active={name: m.initially_active for name, m in self._markers.items()},
            end=self.end,
            final=final,
            timings={name: each.take() for name, each in self._timings.items()},
        )

    def _watermark(self, lane: str | None, *, final: bool) -> int:
        marks = [self._markers[m.name].watermark for m in self.wiring.markers_of(lane)]
        if lane is not None and not final:
            marks.append(self._buses[lane].watermark)
        return min([*marks, self.end])

    def _synced(self, lane: str | None) -> int:
        """From where on the bus was high once and every marker can be told; -1 while the bus never was."""
        known = [self._markers[m.name].known_from for m in self.wiring.markers_of(lane)]
        if lane is None:
            return max(known)
        synced = self._buses[lane].synced
        return max([synced, *known]) if synced >= 0 else -1


def batches(
    blocks: Iterable[EdgeBlock],
    wiring: Wiring,
    timing: Timing,
    progress: Callable[[int], None] | None = None,
    *,
    timings: bool = False,
) -> Iterator[Batch]:
    """Decode blocks; the last batch is final. `progress` is called with the samples read so far.

    `timings`: measure the bus's timing, too.
    """
    decoding: Decoding | None = None
    try:
        for block in blocks:
            if decoding is None:
                decoding = Decoding(wiring, timing, block.begin, timings=timings)
            decoding.feed(block)
            if progress is not None:
                progress(block.end)
            if decoding.filled >= BATCH_EVENTS:
                yield decoding.take()
    finally:
        if isinstance(blocks, Generator):
            blocks.close()  # a reader's threads end here, not when an exception's traceback is let go
    yield (decoding or Decoding(wiring, timing, timings=timings)).finish()


def decode_capture(
    capture: Capture,
    wiring: Wiring,
    *,
    glitch_s: Fraction = GLITCH_S,
    progress: Callable[[int], None] | None = None,
    timings: bool = False,
) -> Iterator[Batch]:
    """Batches of a whole capture; with `timings` its bus timing is measured, too."""
    blocks: Iterable[EdgeBlock] = capture.edges(wiring.bits) if wiring.bits else ()
    return batches(blocks, wiring, Timing.at(capture.rate_hz, glitch_s), progress, timings=timings)


def _marker_decoder(wire: MarkerWire, begin: int) -> MarkerDecoder:
    if wire.coding == "pulse-count":
        return PulseCountMarker(wire.channel.bit, wire.pulses, active_low=wire.active == "low", begin=begin)
    return LevelMarker(wire.channel.bit, active_low=wire.active == "low", begin=begin)
