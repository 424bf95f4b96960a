"""A lane of which all is wanted, in order, and nothing judged: for tables and text."""

from __future__ import annotations

from tracecheck.decoding.exchanges import FOREVER
from tracecheck.decoding.lane import Lane, lane_markers
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.window import Window
from tracecheck.decoding.wiring import Wiring


def fresh_lane(wiring: Wiring, bus: str | None, batch: Batch, settle: int) -> Lane:
    """A lane that holds back what it must, however much: nobody judges it. `batch`: the first."""
    return Lane(bus, lane_markers(wiring.markers_of(bus), batch.initially_active), settle, max_held=FOREVER)


def fed_to_the_end(lane: Lane, batch: Batch) -> Window | None:
    """A batch handed to such a lane, which goes on to the capture's very end."""
    rows = batch.buses[lane.bus] if lane.bus is not None else None
    watermark = batch.end if batch.final else batch.watermarks[lane.bus]
    return lane.feed(rows, batch.markers, watermark, synced=0, final=batch.final)
