"""Trace: what one capture's decode gave, as Arrow tables.

Rows are collected as they come from the decoders and grow with the events, not with the samples. Times, marker
positions and the timeline are computed when a table is asked for, and pyarrow is loaded then: a verdict without
findings needs none. `trace.transfers` is a `pyarrow.Table`;
`trace.df("transfers")` a DataFrame with Arrow types.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tracecheck import notebook
from tracecheck.capture.model import Capture
from tracecheck.collected import Collected
from tracecheck.decoding.exchanges import Exchanges
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.stream import GLITCH_S
from tracecheck.errors import UsageError, did_you_mean
from tracecheck.words import TABLES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes


@dataclass
class Trace(Collected):
    """The tables of one capture.

    `capture`, `glitch_s`: what it was decoded from and with, where the waves of a transfer are to be had again.
    """

    capture: Capture | None = field(default=None, repr=False, compare=False)
    glitch_s: Fraction = GLITCH_S

    @cached_property
    def bytes(self) -> pa.Table:
        return _builders().bytes_table(self._each("bytes"), self.rate_hz)

    @cached_property
    def messages(self) -> pa.Table:
        return _builders().messages_table(self._each("messages"), self._each("bytes"), self.rate_hz)

    @cached_property
    def transfers(self) -> pa.Table:
        return _builders().transfers_table(self._each("transfers"), self.rate_hz)

    @cached_property
    def anomalies(self) -> pa.Table:
        return _builders().anomalies_table(self._each("anomalies"), self.rate_hz)

    @cached_property
    def stretches(self) -> pa.Table:
        return _builders().stretches_table(self._each("stretches"), self.rate_hz)

    @cached_property
    def timings(self) -> pa.Table:
        """What was measured of the bus's timing. Raises UsageError where the decode was not asked to."""
        if not self.timed:
            raise UsageError("bus timing was not measured; decode with timings=True")
        return _builders().timings_table({b.name: self.timing_parts(b.name) for b in self.wiring.buses}, self.rate_hz)

    @cached_property
    def markers(self) -> pa.Table:
        """Intervals and codes of all markers, each attributed to the exchange that holds its begin."""
        buses = [b.name for b in self.wiring.buses]
        rows = [
            _builders().MarkerColumns(m.name, m.bus, self.marker_rows(m.name), self.initially_active.get(m.name, False))
            for m in self.wiring.markers
        ]
        transfers = {m.bus: self.columns(m.bus, "transfers") for m in self.wiring.markers if m.bus is not None}
        exchanges = {bus: Exchanges(columns, self.settle) for bus, columns in transfers.items()}
        return _builders().markers_table(rows, exchanges, transfers, buses, self.rate_hz)

    @cached_property
    def timeline(self) -> pa.Table:
        """Every event of all buses and markers in order, computed at the first access."""
        from tracecheck.timeline import timeline_table  # noqa: PLC0415  (loads pyarrow)

        return timeline_table(self)

    def table(self, name: str) -> pa.Table:
        """A table by name. Raises UsageError for one that does not exist."""
        if name not in TABLES:
            raise UsageError(f'no table "{name}"{did_you_mean(name, TABLES)} (tables: {", ".join(TABLES)})')
        found: pa.Table = getattr(self, name)
        return found

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables there are: `timings` only where it was measured."""
        return tuple(name for name in TABLES if name != "timings" or self.timed)

    def df(self, name: str, *, timedelta: bool = False) -> pd.DataFrame:
        """A table as a DataFrame with Arrow types; words as plain strings. Needs pandas.

        With `timedelta`, columns in nanoseconds become durations, without the `_ns` in their names: they compare with
        `pd.Timedelta("20us")` and print as times.
        """
        table = self.table(name)
        return to_frame(durations(table) if timedelta else table)

    def plot(self, transfer: int, bus: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw one transfer, read from its capture again: decoded bytes, SCL, SDA, and markers as in `tracecheck show`.

        `bus` only where there are several; `ax` to draw into. Returns matplotlib's Axes. Raises UsageError for a
        transfer or bus that does not exist, ExtraError where matplotlib is missing.
        """
        from tracecheck import exchange, outline, plots  # noqa: PLC0415  (loads pyarrow)

        names = [b.name for b in self.wiring.buses]
        if bus is None and len(names) != 1:
            raise UsageError(f"say which bus: {', '.join(names)}" if names else f"{self.path}: no bus was decoded")
        chosen = names[0] if bus is None else bus
        if chosen not in names:
            raise UsageError(f'no bus "{chosen}"{did_you_mean(chosen, names)} (buses: {", ".join(names) or "none"})')
        known = outline.Outline()
        known.add(self.batch())
        facts = known.facts(chosen, transfer)
        if facts is None:
            n = len(self.columns(chosen, "transfers")["start"])
            have = f"0 to {n - 1}" if n > 1 else "0" if n else "none"
            raise UsageError(f"no transfer {transfer} on {chosen} (transfers: {have})")
        if self.capture is None:
            raise UsageError(f"{self.path}: waves are read from the capture, and this trace was built without one")
        drawn = exchange.read_exchange(self.capture, self.wiring, facts, self.settle, glitch_s=self.glitch_s)
        return plots.waves(drawn, ax)

    def message_bytes(self, bus: str) -> Iterator[tuple[int, int, builtins.bytes]]:
        """(transfer, message, data) of every message, in order."""
        from tracecheck.arrow import having  # noqa: PLC0415  (loads pyarrow)

        messages = having(self.messages, "bus", bus)
        yield from zip(*(messages[c].to_pylist() for c in ("transfer", "index", "data")), strict=True)

    def _each(self, table: str) -> dict[str, Sequence[Columns]]:
        return {b.name: self.parts(b.name, table) for b in self.wiring.buses}

    def _repr_html_(self) -> str:
        """What a notebook shows: the first transfers."""
        columns = ("bus", "transfer", "t_ns", "address", "directions", "n_bytes", "outcome", "duration_ns")
        rows = self.transfers.select(columns).slice(0, notebook.ROWS).to_pylist()
        for row in rows:
            row["address"] = None if row["address"] is None else f"0x{row['address']:02X}"
        shown = notebook.table(columns, (list(row.values()) for row in rows), len(self.transfers))
        markers = ", ".join(marker.name for marker in self.wiring.markers) or "none"
        return notebook.titled(self.path, f"{len(self.transfers)} transfers; markers: {markers}", shown)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{len(self.columns(b.name, 'transfers')['start'])} transfers on {b.name}" for b in self.wiring.buses
        )
        return f"<Trace of {self.path}: {counts or 'no bus'}, {len(self.wiring.markers)} markers>"


def _builders() -> ModuleType:
    from tracecheck import tables  # noqa: PLC0415  (loads pyarrow)

    return tables


def durations(table: pa.Table) -> pa.Table:
    """The table with its columns in ns as durations: `t_ns` as `t`, `width_ns` as `width`; no name twice."""
    import pyarrow as pa  # noqa: PLC0415  (heavy)
    import pyarrow.compute as pc  # noqa: PLC0415

    columns, names = list(table.columns), list(table.column_names)
    for i, name in enumerate(table.column_names):
        short = name.removesuffix("_ns")
        if short == name or short in table.column_names:
            continue
        whole = columns[i] if pa.types.is_integer(columns[i].type) else pc.round(columns[i])
        columns[i], names[i] = whole.cast(pa.int64()).cast(pa.duration("ns")), short
    return pa.table(columns, names=names)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as pandas, dictionary columns as plain strings."""
    try:
        import pandas as pd  # noqa: PLC0415  (heavy, and an extra)
    except ImportError:
        raise UsageError('DataFrames need pandas: pip install "tracecheck[pandas]"') from None
    import pyarrow as pa  # noqa: PLC0415

    plain: list[Any] = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns
    ]
    return pa.table(plain, names=table.column_names).to_pandas(types_mapper=pd.ArrowDtype)
