"""What the decoders gave, collected: raw columns that grow with the events, not with the samples.

They are kept in the parts in which they came. Tables are built part by part and share the columns; whoever asks for
all of a column has the parts joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from tracecheck.decoding.exchanges import SETTLE_S, settle_samples
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.packed import PackedEvents, packed
from tracecheck.decoding.rows import LAYOUT, TIMINGS, Columns
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.wiring import Wiring


@dataclass
class Collected:
    """The rows of one capture. `path` and `rate_hz` as the capture has them; `end`: samples decoded.

    `synced`, `known_to`: for each lane, the samples between which its rules judge (see `stream.Batch`).
    `settle`: how long after STOP an exchange stays open, in samples.
    """

    path: str
    rate_hz: int | None
    wiring: Wiring
    end: int = 0
    synced: dict[str | None, int] = field(default_factory=dict)
    known_to: dict[str | None, int] = field(default_factory=dict)
    initially_active: dict[str, bool] = field(default_factory=dict)
    settle: int = field(init=False)

    def __post_init__(self) -> None:
        self.settle = settle_samples(SETTLE_S, self.rate_hz)
        self._rows: dict[str, dict[str, list[Columns]]] = {
            b.name: {table: [] for table in LAYOUT if table != "events"} for b in self.wiring.buses
        }
        self._events: dict[str, list[PackedEvents | Columns]] = {b.name: [] for b in self.wiring.buses}
        self._timings: dict[str, list[Columns]] = {}
        self._markers: dict[str, list[MarkerRows]] = {m.name: [] for m in self.wiring.markers}

    def collect(self, batches: Iterable[Batch]) -> Self:
        """Take all batches of a decode; returns itself."""
        for batch in batches:
            self.add(batch)
        return self

    def add(self, batch: Batch) -> None:
        """Take one batch."""
        for bus, rows in batch.buses.items():
            for table, parts in self._rows[bus].items():
                if len(next(iter(rows[table].values()))):
                    parts.append(dict(rows[table]))
            if len(rows["events"]["at"]):
                self._events[bus].append(packed(rows["events"]) or rows["events"])
        for bus, measured in batch.timings.items():
            self._timings.setdefault(bus, []).append(dict(measured))
        for name, new in batch.markers.items():
            if len(new.begins) or len(new.ends):
                self._markers[name].append(new)
        self.end, self.synced, self.known_to = batch.end, batch.synced, batch.watermarks
        self.initially_active = batch.initially_active

    def columns(self, bus: str, table: str) -> Columns:
        """Raw columns of one bus, as `decode.rows.LAYOUT` describes them; -1 is null."""
        if table == "events":
            unpacked = [part.unpacked() if isinstance(part, PackedEvents) else part for part in self._events[bus]]
            return _joined(unpacked, LAYOUT[table])
        return _joined(self._rows[bus][table], LAYOUT[table])

    def parts(self, bus: str, table: str) -> Sequence[Columns]:
        """The columns as they are kept, one part after the other; of any table but `events`."""
        return self._rows[bus][table]

    def marker_rows(self, name: str) -> MarkerRows:
        """Begins and ends of one marker, as decoded."""
        parts = self._markers[name]
        return MarkerRows(
            np.concatenate([np.empty(0, np.int64), *(p.begins for p in parts)]),
            np.concatenate([np.empty(0, np.int64), *(p.ends for p in parts)]),
            np.concatenate([np.empty(0, np.int32), *(p.pulses for p in parts)]),
        )

    def batch(self) -> Batch:
        """Everything as one final batch: what a rule engine is fed to judge this trace."""
        return Batch(
            buses={b: {table: self.columns(b, table) for table in LAYOUT} for b in self._rows},
            markers={name: self.marker_rows(name) for name in self._markers},
            watermarks=self.known_to,
            synced=self.synced,
            initially_active=self.initially_active,
            end=self.end,
            final=True,
            timings={b: self.timing_columns(b) for b in self._timings},
        )

    @property
    def timed(self) -> bool:
        """Whether the timing of every bus was measured."""
        return all(b.name in self._timings for b in self.wiring.buses)

    def timing_columns(self, bus: str) -> Columns:
        """What was measured of the timing of one bus, as `decode.rows.TIMINGS` describes it."""
        return _joined(self._timings[bus], TIMINGS)

    def timing_parts(self, bus: str) -> Sequence[Columns]:
        """As `parts`, for the timing of one bus."""
        return self._timings[bus]


def _joined(parts: list[Columns], layout: dict[str, type]) -> Columns:
    """All parts as one, which takes their place. Column by column, so that no more than one is there twice."""
    if len(parts) == 1:
        return parts[0]
    whole: Columns = {}
    for name, kind in layout.items():
        whole[name] = np.concatenate([np.empty(0, kind), *(part[name] for part in parts)])
        begin = 0
        for part in parts:  # they stay good, were this interrupted
            end = begin + len(part[name])
            part[name] = whole[name][begin:end]
            begin = end
    if parts:
        parts[:] = [whole]
    return whole
