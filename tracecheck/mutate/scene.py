"""What a capture that passes shows, exchange by exchange: the places where faults can be injected."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.stream import Timing
from tracecheck.decoding.window import WIRE, Window
from tracecheck.decoding.wiring import BusWire, MarkerWire
from tracecheck.mutate.lines import Lines
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.model import RuleSet
from tracecheck.rules.select import chosen
from tracecheck.rules.selector import Selector
from tracecheck.shapes import Shape, shapes_of
from tracecheck.tables import paired
from tracecheck.timeline import lane_of
from tracecheck.trace import Trace


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval, or one code of pulses, of a marker: all of its line's changes in samples [begin, end]."""

    bit: int
    begin: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Interrupt:
    """An interrupt, and what followed before the next: the task made ready, and polled."""

    irq: Interval
    ready: Interval | None
    wake: Interval | None

    @property
    def intervals(self) -> tuple[Interval, ...]:
        return tuple(i for i in (self.irq, self.ready, self.wake) if i is not None)

    @property
    def end(self) -> int:
        return max(i.end for i in self.intervals)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A transfer that the capture holds whole, and its interrupts; `row` in the bus's transfers.

    `start`, `stop`: samples of START and STOP; `close`: of the next START, or where `settle` closes it.
    """

    row: int
    transfer: int
    shape: Shape
    start: int
    stop: int
    close: int
    interrupts: tuple[Interrupt, ...]


@dataclass
class Scene:
    """One bus of a capture, with its markers, as it was before any fault."""

    lines: Lines
    bus: BusWire
    markers: tuple[MarkerWire, ...]
    rules: RuleSet
    window: Window
    bytes: Columns
    rate_hz: int | None
    codes: dict[str, int]
    timing: Timing
    initially_active: dict[str, bool]
    rows: dict[str, tuple[Samples, Samples]]
    exchanges: tuple[Exchange, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.exchanges = tuple(self._exchanges())

    @staticmethod
    def of(trace: Trace, bus: BusWire, lines: Lines, rules: RuleSet) -> Scene | None:
        """None where the bus shows nothing."""
        lane, batch = lane_of(trace, bus.name), trace.batch()
        window = lane.feed(
            batch.buses[bus.name],
            batch.markers,
            batch.watermarks[bus.name],
            synced=batch.synced[bus.name],
            end=batch.end,
            final=True,
        )
        if window is None:
            return None
        markers = trace.wiring.markers_of(bus.name)
        active = {m.name: trace.initially_active.get(m.name, False) for m in markers}
        rows = {m.name: paired(trace.marker_rows(m.name), active[m.name]) for m in markers}
        return Scene(
            lines=lines,
            bus=bus,
            markers=markers,
            rules=rules,
            window=window,
            bytes=trace.columns(bus.name, "bytes"),
            rate_hz=trace.rate_hz,
            codes=lane.codes,
            timing=Timing.at(trace.rate_hz, rules.glitch.amount),
            initially_active=active,
            rows=rows,
        )

    @property
    def bits(self) -> list[int]:
        """The lines of this bus and of its markers: what waits when something on them is late."""
        return sorted({self.bus.scl.bit, self.bus.sda.bit, *(m.channel.bit for m in self.markers)})

    @property
    def marker_bits(self) -> list[int]:
        return sorted({m.channel.bit for m in self.markers})

    @property
    def scheme(self) -> str:
        """Which of the marker schemes the bus has; what is none of them counts as the one it can show as much as."""
        roles = {m.role: m for m in self.markers}
        if "irq" not in roles:
            return "bus-only"
        if "run" not in roles:
            return "irq-only"
        if "pulse-count" in (roles["irq"].coding, roles["run"].coding):
            return "one-pin"
        return "three-pin" if "pending" in roles else "two-pin"

    @cached_property
    def clearance(self) -> int:
        """Samples that keep an injected marker apart from its neighbours: a code of pulses ends by its gap."""
        widths = [12]
        for marker in self.markers:
            if marker.coding == "pulse-count":
                line = self.lines.toggles[marker.channel.bit]
                gaps = np.diff(line)[::2]
                widths.append(5 * int(gaps.max()) if len(gaps) else 0)
        return max(widths) + 8

    def has_fewest(self, exchange: Exchange) -> bool:
        """Whether the driver that the rules name cannot take fewer interrupts for a transfer of this shape."""
        drivers = (getattr(rule, "driver", None) for rule in self.rules.rules)
        driver = next((found for found in drivers if found is not None), None)
        if driver is None:
            return False
        counts = driver.interrupts(Shapes.of(self.window).where(np.array([exchange.row], np.int64)))
        return bool(counts.known[0]) and len(exchange.interrupts) <= int(counts.least[0])

    def marker(self, role: str) -> MarkerWire | None:
        return next((m for m in self.markers if m.role == role), None)

    def chosen(self, *selectors: Selector) -> NDArray[np.bool_]:
        """Which transfers all of these select."""
        mask = np.ones(len(self.window.transfers["start"]), np.bool_)
        for selector in selectors:
            mask &= chosen(selector, self.window.transfers, self.bus.name, self.rate_hz)
        return mask

    def events(self, name: str) -> Samples:
        """Samples of an event, `wire` for any of the bus; empty where this capture has none."""
        if name not in self.codes:
            return np.empty(0, np.int64)
        code = self.codes[name]
        return self.window.at[self.window.code < WIRE if code == WIRE else self.window.code == code]

    def quiet(self, bit: int, first: int, last: int, lines: Lines | None = None, apart: int | None = None) -> bool:
        """Whether a marker's line is inactive, and stays so, around samples [first, last]."""
        lines = lines or self.lines
        marker = next(m for m in self.markers if m.channel.bit == bit)
        idle = int(marker.active == "low")
        clearance = self.clearance if apart is None else apart
        first, last = first - clearance, last + clearance
        inside = first >= 0 and last < lines.end
        return inside and lines.level(bit, first) == idle and not len(lines.within(bit, first, last))

    def _exchanges(self) -> list[Exchange]:
        window, transfers = self.window, self.window.transfers
        shapes, index = shapes_of(transfers, self.bus.name)
        marked = [s.where for m in self.markers if (s := self.rules.markers.get(m.name)) and s.where is not None]
        judged = self.chosen(*marked)
        found = []
        for row, close in zip(window.exchanges.rows.tolist(), window.exchanges.close.tolist(), strict=True):
            transfer, start, stop = (int(transfers[c][row]) for c in ("transfer", "start", "stop"))
            whole = stop >= 0 and close <= window.end and transfer not in (window.cut_begin, window.cut_end)
            if whole and judged[row] and window.synced >= 0 and start >= window.synced:
                shape = shapes[index[row]]
                found.append(Exchange(row, transfer, shape, start, stop, close, self._interrupts(start, close)))
        return found

    def _interrupts(self, start: int, close: int) -> tuple[Interrupt, ...]:
        irq = self.marker("irq")
        if irq is None:
            return ()
        begins, ends = self.rows[irq.name]
        known = (begins >= start) & (begins < close) & (ends >= 0)
        found = []
        for begin, end in zip(begins[known].tolist(), ends[known].tolist(), strict=True):
            following = int(np.append(begins[begins > begin], close)[0])
            limit = min(following, close)
            found.append(
                Interrupt(
                    Interval(irq.channel.bit, begin, end),
                    self._first("pending", begin, limit),
                    self._first("run", begin, limit),
                )
            )
        return tuple(found)

    def _first(self, role: str, at: int, limit: int) -> Interval | None:
        """The first interval of a marker that begins in [at, limit)."""
        marker = self.marker(role)
        if marker is None:
            return None
        begins, ends = self.rows[marker.name]
        mine = np.flatnonzero((begins >= at) & (begins < limit) & (ends >= 0))
        return Interval(marker.channel.bit, int(begins[mine[0]]), int(ends[mine[0]])) if len(mine) else None
