"""The timing walk's slow twin: whole traces, finished transfers only, every interval written out in full.

Where transfers begin and end, and which spikes lie in them, it takes from the decoder's twin, `reference_i2c.py`;
`test_timing_core.py` holds `_ext/timing.pyx` to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from reference_i2c import GLITCH, START, decode, smooth

from tracecheck.words import PARAMETERS

Time = tuple[int, int]
"""How long, and the sample at which it began."""


class Row(NamedTuple):
    transfer: int
    parameter: str
    count: int
    low: int
    low_at: int
    high: int
    high_at: int


class Change(NamedTuple):
    """One sample in which a line changes, and both lines' levels from there on."""

    at: int
    scl: int
    sda: int
    clock: bool
    data: bool

    @property
    def fall(self) -> bool:
        return self.clock and not self.scl

    @property
    def rise(self) -> bool:
        return self.clock and bool(self.scl)

    @property
    def start(self) -> bool:
        return bool(self.scl) and not self.clock and not self.sda

    @property
    def stop(self) -> bool:
        return bool(self.scl) and not self.clock and bool(self.sda)


@dataclass
class Low:
    """A low phase of SCL that was seen to end: its edges, SDA's changes in it, and SDA at the rise."""

    fall: int
    rise: int
    moves: list[int]
    sda: int

    @property
    def length(self) -> int:
        return self.rise - self.fall


@dataclass
class Phase:
    """From a START (-1: not shown) to what ended it; `cut_fall`: SCL fell here and the capture ended."""

    start: int
    changes: list[Change] = field(default_factory=list)
    cut_fall: int = -1

    def lows(self) -> list[Low]:
        found: list[Low] = []
        fall = None
        moves: list[int] = []
        for c in self.changes:
            if c.fall:
                fall, moves = c.at, []
            if c.data and (not c.scl or c.clock):
                moves.append(c.at)
            if c.rise and fall is not None:
                found.append(Low(fall, c.at, moves, c.sda))
                fall = None
        return found

    def bytes(self) -> list[list[Low]]:
        """Nine low phases each; what is left over at the end too."""
        lows = self.lows()
        return [lows[i : i + 9] for i in range(0, len(lows), 9)]


def measure(
    scl: Sequence[int], sda: Sequence[int], *, glitch: int, idle: int, stuck: int = 0, begin: int = 0
) -> list[Row]:
    """All rows, transfer by transfer, parameters in their order."""
    tables, _ = decode(scl, sda, glitch=glitch, idle=idle, stuck=stuck, begin=begin)
    starts = [row["at"] for row in tables["events"] if row["kind"] == START]
    spikes = sorted(
        (s for s in tables["anomalies"] if s["kind"] == GLITCH), key=lambda s: (s["at"] + s["width"], s["arg"])
    )
    lines = list(zip(smooth(scl, glitch)[0], smooth(sda, glitch)[0], strict=True))
    changes = [
        Change(begin + i, *now, now[0] != was[0], now[1] != was[1])
        for i, (was, now) in enumerate(pairwise(lines), 1)
        if now != was
    ]
    rows: list[Row] = []
    for number, (start, transfer) in enumerate(zip(starts, tables["transfers"], strict=True)):
        end = transfer["end"]
        times: dict[str, list[Time]] = {name: [] for name in PARAMETERS}
        inside = [c for c in changes if start <= c.at <= end]
        earlier = [c for c in changes if c.at < start]
        if inside[0].start and inside[0].at == start:
            stops = [c.at for c in earlier if c.stop]
            if stops and not any(c.fall and c.at > stops[-1] for c in earlier):
                times["tBUF"].append((start - stops[-1], stops[-1]))
        phases = _phases(inside, times)
        for phase in phases:
            _clocks(phase, times)
            for index, byte in enumerate(phase.bytes()):
                if len(byte) == 9:
                    _valid(byte, index, phase.bytes()[0][7].sda, times)
        times["tSP"] = [(s["width"], s["at"]) for s in spikes if s["transfer"] == number]
        times["tTIMEOUT"] = list(times["tLOW"])
        last = inside[-1]
        cut_fall = -1
        if end == begin + len(scl) and not last.scl:
            cut_fall = [c.at for c in inside if c.fall][-1]
            times["tTIMEOUT"].append((end - cut_fall, cut_fall))
        rows += [_row(number, name, each) for name, each in times.items() if each and name[:5] != "tLOW:"]
        rows += _held(number, start, phases, times["tLOW"], cut_fall, end)
    return rows


def _phases(inside: list[Change], times: dict[str, list[Time]]) -> list[Phase]:
    """START by START; what is measured from or to START and STOP is added to `times`."""
    phases: list[Phase] = []
    rise = start = None
    for c in inside:
        if c.start:
            if rise is not None:
                times["tSU;STA"].append((c.at - rise, rise))
            phases.append(Phase(c.at))
            start, rise = c.at, None
        elif c.stop:
            if rise is not None:
                times["tSU;STO"].append((c.at - rise, rise))
        else:
            if not phases:
                phases.append(Phase(-1))
            phases[-1].changes.append(c)
            if c.fall and start is not None:
                times["tHD;STA"].append((c.at - start, start))
            if c.fall:
                start = rise = None
            elif c.rise:
                rise = c.at
    return phases


def _clocks(phase: Phase, times: dict[str, list[Time]]) -> None:
    lows = phase.lows()
    falls = [c.at for c in phase.changes if c.fall]
    for low in lows:
        times["tLOW"].append((low.length, low.fall))
        if low.moves:
            times["tHD;DAT"].append((low.moves[0] - low.fall, low.fall))
    for one, next_one in pairwise(lows):
        times["fSCL"].append((next_one.rise - one.rise, one.rise))
    for low in lows:
        after = [at for at in falls if at > low.rise]
        if after:
            times["tHIGH"].append((after[0] - low.rise, low.rise))
            if low.moves:
                times["tSU;DAT"].append((low.rise - low.moves[-1], low.moves[-1]))


def _valid(byte: list[Low], index: int, reading: int, times: dict[str, list[Time]]) -> None:
    shortest = min(low.length for low in byte)
    for bit, low in enumerate(byte):
        if not low.moves or low.length > 2 * shortest + 2:
            continue
        took = (low.moves[-1] - low.fall, low.fall)
        if bit == 8:
            # Who lets go of SDA for a NACK is not known, nor who drives a controller's own ACK late.
            if low.sda == 0 and (index == 0 or not reading):
                times["tVD;ACK"].append(took)
        elif reading and index > 0 and (bit > 0 or low.sda == 0):
            times["tVD;DAT"].append(took)


def _row(number: int, name: str, times: list[Time]) -> Row:
    low, high = min(t for t, _ in times), max(t for t, _ in times)
    return Row(
        number,
        name,
        len(times),
        low,
        next(at for t, at in times if t == low),
        high,
        next(at for t, at in times if t == high),
    )


def _held(number: int, start: int, phases: list[Phase], lows: list[Time], cut_fall: int, end: int) -> list[Row]:
    """What SCL was held low beyond the transfer's shortest low phase, in all and between two ACKs."""
    if not lows:
        return []
    shortest = min(t for t, _ in lows)
    spans: list[list[Time]] = []
    for phase in phases:
        spans += [[(low.length, low.fall) for low in byte] for byte in phase.bytes()]
    if cut_fall >= 0 and end - cut_fall > shortest:
        own = phases[-1].bytes()
        if not own or len(own[-1]) == 9:
            spans.append([])
        spans[-1].append((end - cut_fall, cut_fall))
    every = [t for span in spans for t, _ in span]
    beyond = sum(t - shortest for t in every)
    most = max(sum(t - shortest for t, _ in span) for span in spans)
    # Of several held for equally long, the one of the fewest low phases, and of these the first.
    worst = min((s for s in spans if sum(t - shortest for t, _ in s) == most), key=len)
    return [
        Row(number, "tLOW:SEXT", len(every), beyond, start, beyond, start),
        Row(number, "tLOW:MEXT", len(worst), most, worst[0][1], most, worst[0][1]),
    ]
