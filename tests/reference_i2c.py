"""The strict decoder's slow twin: whole traces, one sample at a time, no state machine carried between blocks.

It first smooths each line, then cuts the trace into transfers by looking at every sample, and only then reads each
transfer as a whole, from the list of what happened in it. `_ext/i2c.pyx` does all three at once; `test_i2c_core.py`
holds the two together. Names and codes of the rows are those of `tracecheck/_i2c.pyi`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Row = dict[str, int]
Tables = dict[str, list[Row]]

TABLES = ("events", "bytes", "messages", "transfers", "anomalies", "stretches")
PERIODS = 1024
START, RESTART, STOP, ADDRESS, DATA, ACK, NACK = range(7)
(
    GLITCH,
    SIMULTANEOUS,
    PARTIAL_BYTE,
    ACK_INTERRUPTED,
    VOID,
    STRAY_STOP,
    STRAY_CLOCKS,
    BUS_RECOVERY,
    MISSING_STOP,
    BEGINS_INSIDE,
    ENDS_INSIDE,
    STUCK_LOW,
    EXTRA_CLOCK,
) = range(13)
NOBODY_ANSWERS = (2, 3, 5)
"""Kinds of address whose NACK is expected: start byte, CBUS, high-speed controller."""


class Rise(NamedTuple):
    """One SCL rise: when, SDA then, when the low phase before it began, and SDA's last change in that phase."""

    at: int
    sda: int
    fell: int
    moved: int


@dataclass
class Phase:
    """From a START or repeated START to what ended it."""

    start: int
    rises: list[Rise] = field(default_factory=list)
    falls: list[int] = field(default_factory=list)
    ended_by: str = ""
    end: int = -1


@dataclass
class Span:
    """A transfer, or (with no phases) what goes on between transfers."""

    phases: list[Phase] = field(default_factory=list)
    rises: list[int] = field(default_factory=list)
    opened_at: int = -1
    whole: bool = True
    lead: bool = False

    latest_low: int = 0

    def shortest(self) -> int:
        """The shortest SCL period: within bytes of a transfer, of the whole run otherwise; 0 for none."""
        if not self.phases:
            return min((b - a for a, b in zip(self.rises, self.rises[1:], strict=False)), default=0)
        return min(periods(self), default=0)


def periods(span: Span) -> list[int]:
    """All SCL periods within bytes, in order."""
    return [
        b.at - a.at
        for phase in span.phases
        for k, (a, b) in enumerate(zip(phase.rises, phase.rises[1:], strict=False), start=1)
        if k % 9
    ]


def smooth(levels: Sequence[int], width: int) -> tuple[list[int], list[tuple[int, int]]]:
    """The line without the pulses of up to `width` samples, and those pulses as (begin, end)."""
    changes: set[int] = set()
    pulses: list[tuple[int, int]] = []
    pending: int | None = None
    for i in range(1, len(levels)):
        if levels[i] == levels[i - 1]:
            continue
        if pending is not None and i - pending <= width:
            pulses.append((pending, i))
            pending = None
            continue
        if pending is not None:
            changes.add(pending)
        pending = i
    if pending is not None:
        changes.add(pending)
    smoothed = [levels[0]]
    for i in range(1, len(levels)):
        smoothed.append(1 - smoothed[-1] if i in changes else smoothed[-1])
    return smoothed, pulses


def decode(
    scl: Sequence[int], sda: Sequence[int], *, glitch: int, idle: int, stuck: int, begin: int = 0
) -> tuple[Tables, int]:
    """Rows of every table, anomalies in no particular order, and the first sample with both lines high (-1: none)."""
    twin = _Twin(list(scl), list(sda), glitch, idle, stuck, begin)
    twin.walk()
    nominal = 0
    for number, span in enumerate(twin.transfers):
        reading = _Reading(twin.tables, number, span, nominal)
        reading.rows()
        nominal = reading.nominal
    twin.glitches()
    return twin.tables, twin.synced


class _Twin:
    def __init__(self, scl: list[int], sda: list[int], glitch: int, idle: int, stuck: int, begin: int) -> None:
        self.width, self.idle, self.stuck, self.begin = glitch, idle, stuck, begin
        smooth_scl, scl_pulses = smooth(scl, glitch)
        smooth_sda, sda_pulses = smooth(sda, glitch)
        self.lines = list(zip(smooth_scl, smooth_sda, strict=True))
        self.pulses = [(a + begin, b + begin, 0) for a, b in scl_pulses] + [
            (a + begin, b + begin, 1) for a, b in sda_pulses
        ]
        self.tables: Tables = {name: [] for name in TABLES}
        self.transfers: list[Span] = []
        self.outside = Span(lead=True)
        self.now: Span | None = None
        self.known_period = 0
        self.fell = begin
        self.moved = -1
        self.synced = -1
        self.changed = False

    def anomaly(self, kind: int, at: int, arg: int, transfer: int | None = None, width: int = -1) -> None:
        if transfer is None:
            transfer = len(self.transfers) - 1 if self.now else -1
        self.tables["anomalies"].append({"kind": kind, "transfer": transfer, "at": at, "width": width, "arg": arg})

    def walk(self) -> None:
        high_since, limit = self.begin, 0
        low_since = [-1, -1]
        for i, lines in enumerate(self.lines):
            t = self.begin + i
            before = self.lines[i - 1] if i else lines
            if i and lines != before:
                self.change(t, before, lines)
            if lines == (1, 1) and self.synced < 0:
                self.synced = t
            if lines == (1, 1):
                if i == 0 or before != (1, 1):
                    high_since, limit = t, self.limit()
                if limit and t - high_since == limit:
                    self.timeout(t)
            for k in (0, 1):
                if lines[k] == 1:
                    low_since[k] = -1
                elif i and before[k] == 1:
                    low_since[k] = t if self.synced >= 0 else -1
                if self.stuck and low_since[k] >= 0 and t - low_since[k] == self.stuck:
                    self.anomaly(STUCK_LOW, t, k, width=self.stuck)
        self.finish(self.begin + len(self.lines))

    def limit(self) -> int:
        """How long both lines may be high from now on; 0: for ever."""
        span = self.now or self.outside
        return max(self.idle, 10 * (span.shortest() or max(self.known_period, 2 * span.latest_low)))

    def change(self, t: int, before: tuple[int, int], lines: tuple[int, int]) -> None:
        rose, fell = lines[0] > before[0], lines[0] < before[0]
        moved = lines[1] != before[1]
        if fell and before == (1, 0) and not self.changed:
            self.assume_start(t)
        self.changed = True
        if (rose or fell) and moved:
            self.anomaly(SIMULTANEOUS, t, int(fell))
        if fell:
            self.fell, self.moved = t, t if moved else -1
            if self.now:
                self.now.phases[-1].falls.append(t)
        elif rose:
            if moved:
                self.moved = t
            (self.now or self.outside).latest_low = t - self.fell
            if self.now:
                self.now.phases[-1].rises.append(Rise(t, lines[1], self.fell, self.moved))
            else:
                self.outside.rises.append(t)
        elif lines[0] == 0:
            self.moved = t
        elif lines[1] == 0:
            self.start(t)
        else:
            self.stop(t)

    def assume_start(self, t: int) -> None:
        self.outside = Span()
        self.now = Span([Phase(self.begin)], opened_at=t, whole=False)
        self.transfers.append(self.now)
        self.anomaly(BEGINS_INSIDE, self.begin, 0)

    def start(self, t: int) -> None:
        if self.now:
            self.end_phase(t, "restart")
            self.now.phases.append(Phase(t))
            return
        inside = self.end_outside(len(self.transfers), needed=1)
        self.now = Span([Phase(t)], opened_at=t, whole=not inside)
        self.transfers.append(self.now)

    def stop(self, t: int) -> None:
        if self.now:
            self.end_transfer(t, "stop")
            return
        lead = self.outside.lead
        self.end_outside(-1, needed=1)
        if not lead:
            self.anomaly(STRAY_STOP, t, 0, -1)

    def timeout(self, t: int) -> None:
        if self.now:
            self.anomaly(MISSING_STOP, t, 0)
            self.end_transfer(t, "timeout")
        else:
            self.end_outside(-1)

    def finish(self, t: int) -> None:
        if self.now:
            rises = len(self.now.phases[-1].rises) % 9
            self.anomaly(ENDS_INSIDE, t, rises)
            self.now.whole = False
            self.end_transfer(t, "end")
        else:
            self.end_outside(-1, needed=1)

    def end_phase(self, t: int, cause: str) -> None:
        assert self.now
        self.now.phases[-1].end, self.now.phases[-1].ended_by = t, cause

    def end_transfer(self, t: int, cause: str) -> None:
        assert self.now
        self.end_phase(t, cause)
        self.known_period = self.now.shortest() or self.known_period
        self.now = None

    def end_outside(self, transfer: int, needed: int = 0) -> bool:
        """Ends what went on outside a transfer; true when the capture began inside one.

        `needed`: SCL rises that a START or STOP (or one that the capture's end hides) needs.
        """
        span, self.outside = self.outside, Span()
        n = len(span.rises)
        if span.lead and n >= 2:
            self.anomaly(BEGINS_INSIDE, self.begin, n, transfer)
            return True
        if n > needed and not span.lead:
            self.anomaly(BUS_RECOVERY if n >= 9 else STRAY_CLOCKS, span.rises[0], n, -1)
        return False

    def glitches(self) -> None:
        """A pulse belongs to the transfer that is open when its end is seen, as far as is then certain.

        A change is certain once it has outlasted the filter, and time passes only up to the first that is not.
        """
        changes = [
            self.begin + i
            for i in range(1, len(self.lines))
            for k in (0, 1)
            if self.lines[i][k] != self.lines[i - 1][k]
        ]
        for a, b, line in self.pulses:
            uncertain = [c for c in changes if c < b <= c + self.width] + [c for c, d, _ in self.pulses if c < b <= d]
            transfer = -1
            for number, span in enumerate(self.transfers):
                last = span.phases[-1]
                if last.ended_by == "stop":
                    closed = last.end + self.width < b
                else:
                    closed = last.ended_by == "timeout" and last.end < min(uncertain)
                if span.opened_at + self.width < b and not closed:
                    transfer = number
            self.anomaly(GLITCH, a, line, transfer, b - a)


class _Reading:
    """One whole transfer, read from its phases."""

    def __init__(self, tables: Tables, number: int, span: Span, nominal: int) -> None:
        self.tables, self.number, self.span = tables, number, span
        self.nominal = nominal
        self.messages: list[Row] = []
        self.partial = False
        self.data_nack = False
        self.ten_bit_address = -1
        self.stretch = 0

    def add(self, table: str, **row: int) -> None:
        self.tables[table].append(row)

    def event(self, kind: int, at: int) -> None:
        self.add("events", at=at, kind=kind, transfer=self.number)

    def anomaly(self, kind: int, at: int, arg: int) -> None:
        self.add("anomalies", kind=kind, transfer=self.number, at=at, width=-1, arg=arg)

    def rows(self) -> None:
        for k, phase in enumerate(self.span.phases):
            self.event(RESTART if k else START, phase.start)
            self.phase(phase, restart=k > 0)
        self.transfer()

    def phase(self, phase: Phase, restart: bool) -> None:
        frames = [phase.rises[k : k + 9] for k in range(0, len(phase.rises), 9)]
        message: Row | None = None
        nominal = -1
        for index, frame in enumerate(frames):
            if len(frame) >= 8:
                if index == 0:
                    message = self.message(frame, phase, restart)
                assert message
                self.byte(frame, index, message)
            if len(frame) == 9:
                assert message
                nominal = self.nominal = min(r.at - r.fell for r in frame)
                for bit, rise in enumerate(frame):
                    self.low_phase(bit, rise, nominal, index, message)
        if phase.ended_by == "end":
            self.open_low_phase(phase, message)
        last = frames[-1] if frames else []
        whole_bytes = len(phase.rises) // 9
        stop_or_start = phase.ended_by in ("stop", "restart")
        by_start = int(phase.ended_by == "restart")
        refused = len(frames) > 1 and len(last) < 9 and frames[-2][8].sda == 1
        if refused and len(last) == 2 and stop_or_start:
            self.anomaly(EXTRA_CLOCK, phase.end, by_start)
        elif 2 <= len(last) <= 8:
            self.partial = True
            if phase.ended_by != "end":
                self.anomaly(PARTIAL_BYTE, phase.end, len(last) + 16 * by_start)
        elif stop_or_start and not whole_bytes:
            self.anomaly(VOID, phase.end, by_start)
        elif stop_or_start and len(last) == 9:
            self.anomaly(ACK_INTERRUPTED, phase.end, by_start)
        elif stop_or_start:
            assert message
            self.low_phase(9, last[0], nominal, whole_bytes, message)
        if message:
            del message["high_bits"]
            self.tables["messages"].append(message)
            self.messages.append(message)
        if phase.ended_by == "stop":
            self.event(STOP, phase.end)

    def message(self, frame: list[Rise], phase: Phase, restart: bool) -> Row:
        value = _value(frame)
        kind = _address_kind(value)
        address = value >> 1
        if kind == 6:
            address = -1
            high = value >> 1 & 3
            if value & 1 and restart and self.ten_bit_address >= 0 and self.ten_bit_address >> 8 == high:
                address = self.ten_bit_address
            if not value & 1:
                self.ten_bit_address = -1
        return {
            "transfer": self.number,
            "index": len(self.messages),
            "address": address,
            "address_kind": kind,
            "ten_bit": int(kind == 6),
            "direction": value & 1,
            "restart": int(restart),
            "acked": -1,
            "start": phase.start,
            "end": phase.end,
            "n_bytes": 0,
            "high_bits": value >> 1 & 3,
        }

    def byte(self, frame: list[Rise], index: int, message: Row) -> None:
        value = _value(frame)
        acked = (1 - frame[8].sda) if len(frame) == 9 else -1
        ten_bit_write = bool(message["ten_bit"]) and message["direction"] == 0
        kind = 0 if index == 0 else 1 if index == 1 and ten_bit_write else 2
        if kind == 0:
            self.event(ADDRESS, frame[7].at)
            if acked == 0 or not ten_bit_write:
                message["acked"] = acked
        elif kind == 1:
            message["address"] = self.ten_bit_address = message["high_bits"] << 8 | value
            if message["acked"] != 0:
                message["acked"] = acked
        else:
            self.event(DATA, frame[7].at)
            message["n_bytes"] += 1
            if acked == 0 and message["direction"] == 0:
                self.data_nack = True
        if acked >= 0:
            self.event(ACK if acked else NACK, frame[8].at)
        self.add(
            "bytes",
            transfer=self.number,
            message=message["index"],
            index=index,
            kind=kind,
            value=value,
            acked=acked,
            start=frame[0].at,
            at=frame[7].at,
            end=frame[-1].at,
        )

    def low_phase(self, bit: int, rise: Rise, nominal: int, index: int, message: Row) -> None:
        low = rise.at - rise.fell
        if low <= 2 * nominal + 2:
            return
        self.stretch += low - nominal
        reading = message["direction"] == 1 and index > 0
        if bit == 9:
            driver = "controller"
        elif bit == 8:
            driver = "controller" if reading else "target"
        else:
            driver = "target" if reading else "controller"
        handover = bit >= 8 or (bit == 0 and index > 0)
        held_by = 0
        if rise.moved >= 0 and not (handover and rise.sda == 1):
            after = rise.moved - rise.fell
            if after > low / 2:
                held_by = 2 if driver == "controller" else 1
            elif after <= nominal and driver == "controller":
                held_by = 1
        self.add(
            "stretches",
            transfer=self.number,
            message=message["index"],
            bit=bit,
            begin=rise.fell,
            end=rise.at,
            excess=low - nominal,
            held_by=held_by,
            complete=1,
        )

    def open_low_phase(self, phase: Phase, message: Row | None) -> None:
        """SCL was low when the capture ended."""
        fell = max(phase.falls, default=-1)
        if fell < max((r.at for r in phase.rises), default=phase.start):
            return
        begun = phase.rises[len(phase.rises) // 9 * 9 :]
        nominal = min((r.at - r.fell for r in begun), default=self.nominal)
        low = phase.end - fell
        if not nominal or low <= 2 * nominal + 2:
            return
        self.stretch += low - nominal
        self.add(
            "stretches",
            transfer=self.number,
            message=message["index"] if message else -1,
            bit=9 if phase.rises and not begun else len(begun),
            begin=fell,
            end=phase.end,
            excess=low - nominal,
            held_by=0,
            complete=0,
        )

    def transfer(self) -> None:
        span, messages = self.span, self.messages
        stopped = span.phases[-1].ended_by == "stop"
        nacked = any(m["acked"] == 0 and m["address_kind"] not in NOBODY_ANSWERS for m in messages)
        if not stopped or self.partial:
            outcome = 4
        elif not messages:
            outcome = 3
        else:
            outcome = 1 if nacked else 2 if self.data_nack else 0
        directions = "".join("wr"[m["direction"]] for m in messages)
        if not directions:
            way = 0
        elif "rw" in directions:
            way = 4
        else:
            way = 3 if "wr" in directions else 1 if "w" in directions else 2
        some = sorted(periods(span)[:PERIODS])
        lows = [r.at - r.fell for p in span.phases for r in p.rises]
        highs = [
            next(f for f in p.falls if f > r.at) - r.at
            for p in span.phases
            for r in p.rises
            if r.at < max([*p.falls, -1])
        ]
        end = span.phases[-1].end
        self.add(
            "transfers",
            transfer=self.number,
            start=span.phases[0].start,
            stop=end if stopped else -1,
            end=end,
            outcome=outcome,
            n_messages=len(messages),
            n_bytes=sum(m["n_bytes"] for m in messages),
            address=messages[0]["address"] if messages else -1,
            ten_bit=messages[0]["ten_bit"] if messages else 0,
            directions=way,
            period=some[(len(some) - 1) // 2] if some else 0,
            low=min(lows, default=0),
            high=min(highs, default=0),
            stretch=self.stretch,
            complete=int(span.whole),
        )


def _value(frame: list[Rise]) -> int:
    value = 0
    for rise in frame[:8]:
        value = 2 * value + rise.sda
    return value


def _address_kind(value: int) -> int:
    """UM10204, table 4."""
    bits = f"{value:08b}"
    for kind, start in (
        (1, "00000000"),
        (2, "00000001"),
        (3, "0000001"),
        (5, "00001"),
        (4, "00000"),
        (6, "11110"),
        (7, "11111"),
    ):
        if bits.startswith(start):
            return kind
    return 0
