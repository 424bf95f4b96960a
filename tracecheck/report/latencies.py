"""For each transfer the interrupt that ended it and the wake that followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import FOREVER, Samples
from tracecheck.decoding.lane import Lane
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.whole_lane import fed_to_the_end, fresh_lane
from tracecheck.decoding.window import Window
from tracecheck.decoding.wiring import MarkerWire, Wiring
from tracecheck.report.undrawn import NONE


@dataclass(frozen=True, slots=True)
class Latencies:
    """For each transfer of a window, in samples: the interrupt that ended it and the wake after that; -1: none.

    The interrupt is the first at or after STOP, else the last before it. `wake` is its own: it came before the next.
    """

    irq: Samples
    wake: Samples


class Closed:
    """The transfers of a bus whose exchanges have closed."""

    def __init__(self, wiring: Wiring, bus: str, batch: Batch, settle: int) -> None:
        """`batch`: the first."""
        self._lane, self._markers = fresh_lane(wiring, bus, batch, settle), wiring.markers_of(bus)
        self.until = 0
        """Every transfer that STARTs before this sample has been handed over."""

    def feed(self, batch: Batch) -> Columns | None:
        """New columns transfer, start, outcome, irq and wake, as `undrawn.Rows` has them."""
        window = fed_to_the_end(self._lane, batch)
        if window is None:
            return None
        self.until = FOREVER if batch.final else window.end
        found = {name: window.transfers[name] for name in ("transfer", "start", "outcome", "stop")}
        told, stop = latencies(window, self._lane, self._markers), found.pop("stop")
        since = told.irq - np.where(stop >= 0, stop, found["start"])
        found["irq"] = np.where(told.irq >= 0, since * 2 + (stop < 0), NONE)
        found["wake"] = np.where(told.wake >= 0, told.wake - told.irq, NONE)
        return found


def latencies(window: Window, lane: Lane, markers: Sequence[MarkerWire]) -> Latencies:
    """Of every transfer of a window of a lane with these markers."""
    name = next((m.name for m in markers if m.role == "irq"), "irq")
    point = any(m.name == name and m.coding == "pulse-count" for m in markers)
    codes = {event: code for code, event in lane.names.items()}
    irq_at, irq_of = _events(window, codes.get(name if point else f"{name}.begin"))
    wake_at, wake_of = _events(window, codes.get("wake"))
    rows = window.transfers
    ids, ends = rows["transfer"], np.where(rows["stop"] >= 0, rows["stop"], rows["start"])
    after = np.searchsorted(irq_at, ends, side="left")
    irq = _own(irq_at, irq_of, after, ids)
    irq = np.where(irq >= 0, irq, _own(irq_at, irq_of, after - 1, ids))
    following = np.append(irq_at, FOREVER)[np.searchsorted(irq_at, irq, side="right")]
    wake = _own(wake_at, wake_of, np.searchsorted(wake_at, irq, side="left"), ids)
    wake = np.where((irq >= 0) & (wake >= irq) & (wake < following), wake, -1)
    return Latencies(irq, wake)


def _events(window: Window, code: int | None) -> tuple[Samples, Samples]:
    """The samples of a marker's, or a derived, event, and the transfers whose exchanges hold them."""
    if code is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = window.places(code)
    return window.at[places], window.owner[places]


def _own(at: Samples, owner: Samples, index: NDArray[np.intp], ids: Samples) -> Samples:
    """The event at each index where it belongs to that very transfer, else -1."""
    inside = (index >= 0) & (index < len(at))
    index = np.where(inside, index, 0)
    padded_at, padded_owner = np.append(at, -1), np.append(owner, -1)
    return np.where(inside & (padded_owner[index] == ids), padded_at[index], -1)
