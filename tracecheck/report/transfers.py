"""A decoded capture as text: one line a transfer, with the interrupt that ended it and the wake that followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracecheck.arrow import having, integers
from tracecheck.report.findings import instant_text
from tracecheck.report.style import Style
from tracecheck.timebase import time_text, to_ns
from tracecheck.trace import Trace

_PIECE = 4096
"""Transfers formatted at once."""
_BYTES_AT = (16, 12, 8, 6, 2, 1, 0)
"""Data bytes of a message shown on a terminal before some are left out, as many as fit into its width; at last their
number alone."""

Samples = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Latencies:
    """For each transfer of one bus, in samples: the interrupt that ended it and the wake after that; -1: none.

    The interrupt is the first at or after STOP, else the last before it. `wake` is its own: it came before the next.
    """

    irq: Samples
    wake: Samples


def transfer_lines(
    trace: Trace,
    style: Style,
    *,
    whole: bool = False,
    below: Callable[[str, int], Iterable[str]] = lambda bus, transfer: (),
) -> Iterator[str]:
    """A head and a line a transfer, in order of START over all buses. `whole`: however long, all bytes.

    `below` gives the lines that stand under a transfer's.
    """
    several = len(trace.wiring.buses) > 1
    timed = any(m.role == "irq" for m in trace.wiring.markers)
    head = f"{'time':>14}  {'bus  ' if several else ''}{'#':>5}  {'outcome':<12}"
    head += f"  {'irq':>9}  {'wake':>9}" if timed else ""
    yield style.paint(f"{head}  transfer", "dim")
    rows = trace.transfers.sort_by([("start", "ascending")]) if several else trace.transfers
    latencies = {b.name: latencies_of(trace, b.name) for b in trace.wiring.buses} if timed else {}
    messages = {b.name: _messages(trace, b.name) for b in trace.wiring.buses}
    room = None if whole else style.width - len(head) - 2
    for batch in rows.to_batches(max_chunksize=_PIECE):
        for row in batch.to_pylist():
            bus, number = row["bus"], row["transfer"]
            when = str(row["start"]) if not trace.rate_hz else instant_text(to_ns(row["start"], trace.rate_hz))
            outcome = f"{row['outcome']:<12}"
            colour = {"acked": (), "void": ("dim",)}.get(row["outcome"], ("yellow",))
            line = f"{when:>14}  {f'{bus:<5}' if several else ''}{number:>5}  {style.paint(outcome, *colour)}"
            if timed:
                line += _latency_cells(row, latencies[bus], trace.rate_hz)
            yield f"{line}  {_text(messages[bus].get(number, ()), room)}".rstrip()
            yield from below(bus, number)


def latencies_of(trace: Trace, bus: str) -> Latencies:
    """The interrupt and wake of every transfer of a bus."""
    timeline = having(trace.timeline, "bus", bus)
    names = next((m.name for m in trace.wiring.markers_of(bus) if m.role == "irq"), "irq")
    wires = {m.name: m for m in trace.wiring.markers_of(bus)}
    begin = names if names in wires and wires[names].coding == "pulse-count" else f"{names}.begin"
    irq_at, irq_of = _events(timeline, begin)
    wake_at, wake_of = _events(timeline, "wake")
    rows = trace.columns(bus, "transfers")
    ids, ends = rows["transfer"], np.where(rows["stop"] >= 0, rows["stop"], rows["start"])
    after = np.searchsorted(irq_at, ends, side="left")
    irq = _own(irq_at, irq_of, after, ids)
    irq = np.where(irq >= 0, irq, _own(irq_at, irq_of, after - 1, ids))
    following = np.append(irq_at, np.iinfo(np.int64).max)[np.searchsorted(irq_at, irq, side="right")]
    wake = _own(wake_at, wake_of, np.searchsorted(wake_at, irq, side="left"), ids)
    wake = np.where((irq >= 0) & (wake >= irq) & (wake < following), wake, -1)
    return Latencies(irq, wake)


def _events(timeline: pa.Table, name: str) -> tuple[Samples, Samples]:
    mine = having(timeline, "event", name)
    return integers(mine["sample"]), integers(mine["transfer"])


def _own(at: Samples, owner: Samples, index: NDArray[np.intp], ids: Samples) -> Samples:
    """The event at each index where it belongs to that very transfer, else -1."""
    inside = (index >= 0) & (index < len(at))
    index = np.where(inside, index, 0)
    padded_at, padded_owner = np.append(at, -1), np.append(owner, -1)
    return np.where(inside & (padded_owner[index] == ids), padded_at[index], -1)


def _latency_cells(row: dict[str, object], found: Latencies, rate_hz: int | None) -> str:
    number, stop, start = row["transfer"], row["stop"], row["start"]
    assert isinstance(number, int)
    irq, wake = int(found.irq[number]), int(found.wake[number])
    since = stop if isinstance(stop, int) else start
    assert isinstance(since, int)
    first = ("" if isinstance(stop, int) else "S+") + time_text(irq - since, rate_hz) if irq >= 0 else "-"
    second = time_text(wake - irq, rate_hz) if wake >= 0 else "-"
    return f"  {first:>9}  {second:>9}"


def _messages(trace: Trace, bus: str) -> dict[int, list[tuple[str, bytes]]]:
    """`0x50 W` and its data, `Sr R` and its, of each transfer of a bus."""
    messages = having(trace.messages, "bus", bus)
    columns = [
        messages[c].to_pylist() for c in ("transfer", "address", "ten_bit", "direction", "restart", "acked", "data")
    ]
    found: dict[int, list[tuple[str, bytes]]] = {}
    before: dict[int, int | None] = {}
    for transfer, address, ten_bit, direction, restart, acked, data in zip(*columns, strict=True):
        where = "0x???" if address is None else f"0x{address:0{3 if ten_bit else 2}X}"
        words = ["Sr"] if restart else []
        if not restart or before.get(transfer) != address:
            words.append(where)
        words.append("R" if direction == "read" else "W")
        if acked is False:
            words.append("NACK")
        before[transfer] = address
        found.setdefault(transfer, []).append((" ".join(words), data))
    return found


def _text(messages: Sequence[tuple[str, bytes]], room: int | None) -> str:
    """`0x50 W 10  Sr R DE AD` in so many columns, if it can be; None: with all bytes."""
    for limit in _BYTES_AT if room is not None else (None,):
        text = "  ".join(f"{words} {_hex(data, limit)}" if data else words for words, data in messages)
        if room is None or len(text) <= room:
            break
    return text


def _hex(data: bytes, limit: int | None) -> str:
    if limit is None or len(data) <= max(limit, 1):
        return data.hex(" ").upper()
    first, last = (limit // 2 - 1,) * 2 if limit > 4 else (limit, 0)
    shown = [
        data[:first].hex(" ").upper(),
        f"({len(data) - first - last} more)",
        data[len(data) - last :].hex(" ").upper(),
    ]
    return " ".join(part for part in shown if part) if first else f"({len(data)})"


def summary(trace: Trace) -> str:
    """`8 transfers, 2 anomalies (see decode --table anomalies)`.

    Both lines changing in one sample is a note that slow sampling makes everywhere: it is not counted.
    """
    transfers = len(trace.transfers)
    anomalies = sum(kind != "simultaneous" for kind in trace.anomalies["kind"].to_pylist())
    text = f"{transfers} transfer{'' if transfers == 1 else 's'}"
    if anomalies:
        text += f", {anomalies} anomal{'y' if anomalies == 1 else 'ies'} (see decode --table anomalies)"
    return text
