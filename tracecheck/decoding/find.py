"""Finds the buses and markers of a capture: what was asked for, else by channel name, else (buses only) by behaviour.

By behaviour means: every pair of lines that change is decoded as SCL and SDA on the first edges of the capture, and
the pair that gives the most clean transfers is taken. Swapped lines, UARTs and counters give broken framing instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Literal, Protocol

import numpy as np

from tracecheck import words
from tracecheck.capture.model import Capture, Channel, EdgeBlock
from tracecheck.decoding.i2c import BusDecoder
from tracecheck.decoding.markers import Coding
from tracecheck.decoding.stream import Timing
from tracecheck.decoding.wiring import BusWire, MarkerWire, Wiring
from tracecheck.errors import ChannelError

PREFIX_EDGES = 1 << 18
"""Edges looked at by behaviour."""
MAX_PAIRS = 132
"""Pairs of lines tried, the liveliest lines first: twelve lines."""

_TOKENS = (("scl", "sda"), ("sclk", "sdat"), ("clk", "data"), ("clock", "data"))
_MARKER = re.compile(
    r"(?:(?P<bus>i2c[ _-]?\d+)[ _-])?(?P<role>irq|pending|run|mark)(?:[ _-]?(?P<number>\d+))?", re.IGNORECASE
)


class BusRequest(Protocol):
    """A bus asked for; a line that is None is to be found."""

    @property
    def name(self) -> str: ...
    @property
    def scl(self) -> str | int | None: ...
    @property
    def sda(self) -> str | int | None: ...


class MarkerRequest(Protocol):
    """A marker asked for."""

    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> str | int: ...
    @property
    def coding(self) -> Coding: ...
    @property
    def active(self) -> Literal["high", "low"]: ...
    @property
    def pulses(self) -> int | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def bus(self) -> str | None: ...


def wire(capture: Capture, buses: Sequence[BusRequest] = (), markers: Sequence[MarkerRequest] = ()) -> Wiring:
    """The wiring of a capture. Raises ChannelError for names that do not exist or contradict each other.

    A marker whose channel the capture lacks is left out with a hint: its rules are then not checkable, which the
    verdict says. A capture without any bus to be found has none; that is a hint too.
    """
    found, hints = _buses(capture, buses)
    _apart(capture, found)
    chosen, more = _markers(capture, markers, found)
    return Wiring(tuple(found), tuple(chosen), (*hints, *more))


def _buses(capture: Capture, asked: Sequence[BusRequest]) -> tuple[list[BusWire], list[str]]:
    if not asked:
        found = by_name(capture.channels)
        return (found, []) if found else by_behaviour(capture)
    wires: list[BusWire] = []
    hints: list[str] = []
    named = by_name(capture.channels)
    for request in asked:
        if request.scl is not None and request.sda is not None:
            scl, sda = (capture.channel(str(line)) for line in (request.scl, request.sda))
            if scl.bit == sda.bit:
                raise ChannelError(
                    capture.path, f'SCL and SDA of bus "{request.name}" are the same channel "{scl.name}"', scl.name
                )
            wires.append(BusWire(request.name, scl, sda))
            if any((other.scl, other.sda) == (sda, scl) for other in named):
                hints.append(f'bus "{request.name}": SCL and SDA look swapped; their channels are named the other way')
        else:
            wires.append(_completed(capture, request, hints))
    return wires, hints


def _apart(capture: Capture, buses: list[BusWire]) -> None:
    """Two buses cannot share a line. (They can share no clock either: I2C has no chip select.)"""
    seen: dict[int, str] = {}
    for bus in buses:
        for line in (bus.scl, bus.sda):
            if line.bit in seen:
                raise ChannelError(
                    capture.path,
                    f'channel "{line.name}" is given to bus "{seen[line.bit]}" and to bus "{bus.name}"; '
                    "each bus has lines of its own",
                    line.name,
                )
            seen[line.bit] = bus.name


def _completed(capture: Capture, request: BusRequest, hints: list[str]) -> BusWire:
    """A bus with one line given or none: the pair by name or behaviour that has the given one."""
    given = [(i, capture.channel(str(line))) for i, line in enumerate((request.scl, request.sda)) if line is not None]
    named = by_name(capture.channels)
    candidates = named or by_behaviour(capture)[0]
    for wire in candidates:
        if all((wire.scl, wire.sda)[i] == channel for i, channel in given):
            return BusWire(request.name, wire.scl, wire.sda, wire.why)
    missing = " and ".join(n for n, line in (("--scl", request.scl), ("--sda", request.sda)) if line is None)
    names = [c.name for c in capture.channels]
    raise ChannelError(
        capture.path,
        f'the other line of bus "{request.name}" was not found; give {missing} too (channels: {", ".join(names)})',
        None,
        names,
    )


def by_name(channels: Iterable[Channel]) -> list[BusWire]:
    """Pairs of channels whose names differ only in SCL / SDA (or CLK / DATA)."""
    usable = list(channels)
    for clock, data in _TOKENS:
        clocks = {key: c for c in usable if (key := _key(c.name, clock)) is not None}
        datas = {key: c for c in usable if (key := _key(c.name, data)) is not None}
        pairs = [(key, clocks[key], datas[key]) for key in clocks if key in datas]
        if not pairs and len(clocks) == len(datas) == 1:
            pairs = [("", next(iter(clocks.values())), next(iter(datas.values())))]
        if pairs:
            pairs.sort(key=lambda pair: pair[1].bit)
            names = _bus_names([key for key, _, _ in pairs])
            return [BusWire(n, c, d, "by name") for n, (_, c, d) in zip(names, pairs, strict=True)]
    return []


def _key(name: str, token: str) -> str | None:
    """The rest of a channel name around `token` standing as a word of its own, or None."""
    match = re.search(rf"(?<![a-z]){token}(?![a-z])", name, re.IGNORECASE)
    if match is None:
        return None
    return re.sub(r"[\s_.\-/]+", "", name[: match.start()] + name[match.end() :]).lower()


def _bus_names(keys: list[str]) -> list[str]:
    names: list[str] = []
    for i, key in enumerate(keys):
        number = re.fullmatch(r"(?:i2c)?(\d+)", key)
        word = re.sub(r"[^a-z0-9_-]", "", key)
        if number:
            name = f"i2c{int(number[1])}"
        elif len(keys) == 1 or not word[:1].isalpha():
            name = f"i2c{i}"
        else:
            name = word
        while name in names:
            name += "_"
        names.append(name)
    return names


def by_behaviour(capture: Capture) -> tuple[list[BusWire], list[str]]:
    """The pair of lines that decodes best, if any does well; and hints about others that do."""
    live = [c for c in capture.channels if c.bit < capture.unitsize * 8]
    blocks = _prefix(capture, [c.bit for c in live])
    if not blocks:
        return [], [f"{capture.path}: no bus: the capture is empty"]
    toggles = {c: _toggles(blocks, c.bit) for c in live}
    lively = sorted((c for c in live if toggles[c] >= 4), key=lambda c: -toggles[c])
    scores: list[tuple[int, Channel, Channel]] = []
    timing = Timing.at(capture.rate_hz)
    for scl, sda in list(permutations(lively, 2))[:MAX_PAIRS]:
        score = _score(blocks, scl, sda, timing)
        if score:
            scores.append((score, scl, sda))
    scores.sort(key=lambda s: (-s[0], s[1].bit, s[2].bit))
    if not scores:
        hint = "no I2C bus found by name or behaviour; name its lines with --scl and --sda"
        return [], [hint + _listed(capture.channels)]
    best, scl, sda = scores[0]
    hints = [
        f"{other.name} and {data.name} behave like a bus too; add it with --bus NAME:scl={other.name},sda={data.name}"
        for _, other, data in scores[1:]
        if not {other.bit, data.bit} & {scl.bit, sda.bit}
    ]
    plural = "s" if best != 1 else ""
    return [BusWire("i2c0", scl, sda, f"by behaviour: {best} clean transfer{plural}")], hints[:3]


def _prefix(capture: Capture, bits: list[int]) -> list[EdgeBlock]:
    blocks, edges = [], 0
    for block in capture.edges(bits):
        blocks.append(block)
        edges += len(block.at)
        if edges >= PREFIX_EDGES:
            break
    return blocks


def _toggles(blocks: list[EdgeBlock], bit: int) -> int:
    count = 0
    for block in blocks:
        levels = np.concatenate([[block.initial >> bit & 1], block.words >> np.uint8(bit) & 1])
        count += int(np.count_nonzero(np.diff(levels.astype(np.int8))))
    return count


def _score(blocks: list[EdgeBlock], scl: Channel, sda: Channel, timing: Timing) -> int:
    """Clean transfers with an acknowledged address, 0 when more framing is broken than a tenth of them."""
    decoder = BusDecoder(
        scl.bit, sda.bit, glitch=timing.glitch, idle=timing.idle, stuck=timing.stuck, begin=blocks[0].begin
    )
    for block in blocks:
        decoder.feed(block)
    rows = decoder.take()
    framing = [i for i, name in enumerate(words.ANOMALIES) if name in words.FRAMING_ANOMALIES or name == "void"]
    broken = int(np.isin(rows["anomalies"]["kind"], framing).sum())
    outcome = rows["transfers"]["outcome"]
    clean = int(np.isin(outcome, [0, 2]).sum())
    nacked = int((outcome == 1).sum())
    return clean + nacked if clean and broken * 10 <= clean else 0


def _markers(
    capture: Capture, asked: Sequence[MarkerRequest], buses: list[BusWire]
) -> tuple[list[MarkerWire], list[str]]:
    hints: list[str] = []
    chosen: list[MarkerWire] = []
    names = [b.name for b in buses]
    lines = {line.bit: b.name for b in buses for line in (b.scl, b.sda)}
    for request in asked:
        try:
            channel = capture.channel(str(request.channel))
        except ChannelError as error:
            hints.append(f'marker "{request.name}": {error.reason}; rules that need it cannot be checked')
            continue
        if channel.bit in lines:
            raise ChannelError(
                capture.path,
                f'marker "{request.name}" is on channel "{channel.name}", a line of bus "{lines[channel.bit]}"',
                channel.name,
            )
        bus = request.bus if request.bus in names else names[0] if len(names) == 1 else None
        chosen.append(
            MarkerWire(
                request.name,
                channel,
                request.coding,
                request.active,
                request.pulses,
                request.role,
                bus,
            )
        )
    # What was asked for and is not there stays missing: another pin of a like name must not stand in for it.
    taken = {(m.role or m.name, m.bus if m.bus in names or len(names) != 1 else names[0]) for m in asked}
    used = {m.channel.bit for m in chosen} | set(lines)
    chosen += _named_markers([c for c in capture.channels if c.bit not in used], names, taken)
    used |= {m.channel.bit for m in chosen}
    rest = [c.name for c in capture.channels if c.bit not in used]
    if not chosen and rest:
        hints.append(
            f"no markers: name one with --marker irq=CHANNEL, run=CHANNEL or pending=CHANNEL{_listed_names(rest)}"
        )
    return chosen, hints


def _named_markers(channels: list[Channel], buses: list[str], taken: set[tuple[str, str | None]]) -> list[MarkerWire]:
    found: list[MarkerWire] = []
    for channel in channels:
        match = _MARKER.fullmatch(channel.name.strip())
        if match is None:
            continue
        role = match["role"].lower()
        asked = re.sub(r"[ _-]", "", match["bus"]).lower() if match["bus"] else None
        asked = asked or (f"i2c{int(match['number'])}" if match["number"] else None)
        bus = asked if asked in buses else buses[0] if len(buses) == 1 else None
        if bus is None and buses:
            continue  # which bus it belongs to cannot be told: it must be declared
        suffix = f"_{bus}" if len(buses) > 1 else ""
        codes: tuple[tuple[str, Coding, int | None], ...] = (
            (("irq", "pulse-count", 1), ("run", "pulse-count", 2)) if role == "mark" else ((role, "level", None),)
        )
        for name, coding, pulses in codes:
            if not {(name, bus), (name + suffix, bus), (name, None)} & taken:
                taken.add((name, bus))
                found.append(MarkerWire(name + suffix, channel, coding, "high", pulses, name, bus, "by name"))
    return found


def _listed(channels: Iterable[Channel]) -> str:
    return _listed_names([c.name for c in channels])


def _listed_names(names: list[str]) -> str:
    return f" (channels: {', '.join(names)})" if names else " (the capture has no named channels)"
