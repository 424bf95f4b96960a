"""One exchange, read from its capture again: waves, decoded bytes and events of a single transfer.

Only the samples from just before START to the last thing that happened are read, so any transfer of a long capture
can be drawn without keeping its tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.collected import Collected
from tracecheck.decoding.markers import LineEdges
from tracecheck.decoding.rows import distinct
from tracecheck.decoding.stream import GLITCH_S, Timing, batches
from tracecheck.decoding.wiring import MarkerWire, Wiring
from tracecheck.outline import TransferFacts

Samples = NDArray[np.int64]

LEAD_PERIODS = 2
"""SCL periods drawn before START."""
MARKER_EDGES = 24
"""Marker edges drawn after STOP; what comes later in the exchange is left out."""
_UNTIMED_PERIODS = 1000
"""How far to look behind STOP where no samplerate says how long an exchange stays open."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One line: its level before the first of `edges`, each of which toggles it. `bus`: it is SCL or SDA."""

    name: str
    initial: int
    edges: Samples
    bus: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What was decoded from sample `begin` to `end`: `text` is S, Sr, P, A, N, a byte, or an address with R or W."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is drawn: samples [begin, end). `marks` and `events` in order; `cut_tail`: later edges are left out."""

    facts: TransferFacts
    rate_hz: int | None
    begin: int
    end: int
    waves: tuple[Wave, ...]
    marks: tuple[Mark, ...]
    events: tuple[tuple[int, str], ...]
    cut_tail: bool = False


def read_exchange(
    capture: Capture, wiring: Wiring, facts: TransferFacts, settle: int, *, glitch_s: Fraction = GLITCH_S
) -> Exchange:
    """Read the samples around one transfer. `settle` in samples, as the rules have it."""
    bus = next(b for b in wiring.buses if b.name == facts.bus)
    markers = (*wiring.markers_of(bus.name), *wiring.markers_of(None))
    part = Wiring((bus,), tuple(m for m in markers if m.bus == bus.name))
    lead = max(LEAD_PERIODS * facts.period, 4)
    begin = max(facts.start - lead, facts.previous_end, 0)
    close = min(
        capture.samples if facts.following is None else facts.following,
        facts.end + min(settle + 1, capture.samples)
        if capture.rate_hz
        else facts.end + _UNTIMED_PERIODS * max(facts.period, 1),
        capture.samples,
    )
    bits = sorted({bus.scl.bit, bus.sda.bit, *(m.channel.bit for m in markers)})
    blocks = list(capture.edges(bits, start=begin, stop=close))
    pins = _pins(markers)
    waves = [_wave("SCL", bus.scl.bit, blocks, bus=True), _wave("SDA", bus.sda.bit, blocks, bus=True)]
    waves += [_wave(name, bit, blocks) for bit, name in pins.items()]
    later = distinct(np.concatenate([np.empty(0, np.int64), *(w.edges for w in waves[2:])]))
    later = later[later > facts.end]
    last = int(later[min(len(later), MARKER_EDGES) - 1]) if len(later) else facts.end
    end = min(last + lead, close)
    if len(later) > MARKER_EDGES:
        end = min(end, int(later[MARKER_EDGES]))
    collected = Collected(capture.path, capture.rate_hz, part)
    collected.settle = settle
    collected.collect(batches(blocks, part, Timing.at(capture.rate_hz, glitch_s)))
    return Exchange(
        facts=facts,
        rate_hz=capture.rate_hz,
        begin=begin,
        end=end,
        waves=tuple(_cropped(wave, end) for wave in waves),
        marks=tuple(_marks(collected, facts)),
        events=tuple(_events(collected, facts.start, end)),
        cut_tail=len(later) > MARKER_EDGES,
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some samples [begin, end) of the lines of one bus, whatever happens in them. Parts as of an Exchange."""

    begin: int
    end: int
    waves: tuple[Wave, ...]
    marks: tuple[Mark, ...]
    events: tuple[tuple[int, str], ...]


def read_stretch(
    capture: Capture,
    wiring: Wiring,
    bus: str | None,
    begin: int,
    end: int,
    settle: int,
    *,
    glitch_s: Fraction = GLITCH_S,
) -> Stretch:
    """Read samples [begin, end) of one bus and its markers, and of those that belong to none.

    Only transfers whose START lies in it have bytes.
    """
    buses = tuple(b for b in wiring.buses if b.name == bus)
    markers = (*(wiring.markers_of(bus) if bus is not None else ()), *wiring.markers_of(None))
    part = Wiring(buses, tuple(m for m in markers if m.bus in (bus, None)))
    blocks = list(capture.edges(part.bits, start=begin, stop=end)) if part.bits else []
    waves = [_wave(name, line.bit, blocks, bus=True) for b in buses for name, line in (("SCL", b.scl), ("SDA", b.sda))]
    waves += [_wave(name, bit, blocks) for bit, name in _pins(markers).items()]
    collected = Collected(capture.path, capture.rate_hz, part)
    collected.settle = settle
    collected.collect(batches(blocks, part, Timing.at(capture.rate_hz, glitch_s)))
    marks: list[Mark] = []
    for b in buses:
        rows = collected.columns(b.name, "transfers")
        for number, start, stop, whole in zip(*(rows[c].tolist() for c in _ROW), strict=True):
            if whole or start > begin:
                marks += _transfer_marks(collected, b.name, number, start, stop if stop >= 0 else None)
    return Stretch(begin, end, tuple(waves), tuple(marks), tuple(_events(collected, begin, end)))


_ROW = ("transfer", "start", "stop", "complete")


def _pins(markers: tuple[MarkerWire, ...]) -> dict[int, str]:
    """Bit and name of each marker line; one that several markers share goes by its channel's name."""
    pins: dict[int, str] = {}
    for marker in markers:
        bit = marker.channel.bit
        pins[bit] = marker.channel.name if bit in pins else marker.name
    return pins


def _wave(name: str, bit: int, blocks: list[EdgeBlock], *, bus: bool = False) -> Wave:
    line = LineEdges(bit)
    edges: list[Samples] = [np.empty(0, np.int64)]
    for block in blocks:
        edges += (part.copy() for part in line.feed(block))
    return Wave(name, max(line.initial, 0), np.sort(np.concatenate(edges)), bus)


def _cropped(wave: Wave, end: int) -> Wave:
    return Wave(wave.name, wave.initial, wave.edges[wave.edges < end], wave.bus)


def _marks(collected: Collected, facts: TransferFacts) -> list[Mark]:
    """What was decoded of the one transfer; nothing where it was not decoded again."""
    transfers = collected.columns(facts.bus, "transfers")
    row = np.flatnonzero(transfers["start"] == facts.start)
    if not len(row):
        return []
    return _transfer_marks(collected, facts.bus, int(transfers["transfer"][row[0]]), facts.start, facts.stop)


def _transfer_marks(collected: Collected, bus: str, number: int, start: int, stop: int | None) -> list[Mark]:
    """START, bytes, acknowledges and STOP of one transfer, by sample."""
    messages, rows = (_of(collected.columns(bus, table), number) for table in ("messages", "bytes"))
    marks = [Mark(start, start, "S")]
    for i, begin in enumerate(messages["start"].tolist()):
        if messages["restart"][i]:
            marks.append(Mark(begin, begin, "Sr"))
    ends = rows["end"].tolist()
    for i, at in enumerate(rows["at"].tolist()):
        marks.append(Mark(int(rows["start"][i]), at, _byte_text(int(rows["value"][i]), int(rows["kind"][i]))))
        if rows["acked"][i] >= 0:
            marks.append(Mark(ends[i], ends[i], "A" if rows["acked"][i] else "N"))
    if stop is not None:
        marks.append(Mark(stop, stop, "P"))
    return sorted(marks, key=lambda m: (m.begin, m.end))


def _of(columns: dict[str, NDArray[Any]], number: int) -> dict[str, NDArray[Any]]:
    mine = columns["transfer"] == number
    return {name: column[mine] for name, column in columns.items()}


def _byte_text(value: int, kind: int) -> str:
    if words.BYTE_KINDS[kind] == "address":
        return f"{value >> 1:02X} {'R' if value & 1 else 'W'}"
    return f"{value:02X}"


_TOLD = frozenset({"start", "restart", "stop", "wake", "ready"})


def _events(collected: Collected, begin: int, end: int) -> list[tuple[int, str]]:
    """What the list below a drawing tells: START, STOP, interrupts, wakes, anomalies; by sample."""
    from tracecheck.timeline import timeline_table  # noqa: PLC0415  (loads pyarrow)

    irqs = {name for m in collected.wiring.markers if m.role == "irq" for name in (m.name, f"{m.name}.begin")}
    told = _TOLD | irqs | (set(words.ANOMALIES) - {"simultaneous"})
    timeline = timeline_table(collected)
    rows = zip(timeline["sample"].to_pylist(), timeline["event"].to_pylist(), strict=True)
    return [(at, name) for at, name in rows if begin <= at < end and name in told]
