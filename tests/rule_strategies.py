"""Small captures as a decoder would hand them over, and rules of all kinds to judge them by, drawn by hypothesis.

Samples are microseconds (1 MS/s), so that bounds of a few microseconds lie exactly on, just within and just beyond the
distances drawn. Markers are drawn close to, and in the very samples of, what happens on the bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from reference_rules import (
    FOREVER,
    PATTERNS,
    Event,
    LaneData,
    Marker,
    Measured,
    Transfer,
    Tree,
    alt,
    held_by,
    name,
    rep,
    seq,
    text_of,
)

from tracecheck import words
from tracecheck.capture.model import Channel
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.rows import LAYOUT, TIMINGS, Columns
from tracecheck.decoding.stream import Batch
from tracecheck.decoding.window import Scope
from tracecheck.decoding.wiring import BusWire, MarkerWire, Wiring
from tracecheck.rules.model import (
    AbsenceRule,
    AnyRule,
    DurationRule,
    IntegrityRule,
    MarkerSpec,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    RuleSet,
    TimingRule,
)
from tracecheck.rules.parameters import LIMITS
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.percentile import Percentile, share_of
from tracecheck.rules.quantity import Quantity, exceeds, parse_quantity
from tracecheck.rules.selector import Selector
from tracecheck.rules.vocabulary import KINDS as EVERY_KIND

RATE = 1_000_000
TIMED = ("fSCL", "tLOW", "tHIGH", "tVD;ACK", "tTIMEOUT", "tLOW:SEXT", "tLOW:MEXT")
"""Parameters that are drawn."""
KINDS = EVERY_KIND
ROLES = ("irq", "pending", "run")

# Captures -------------------------------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes one transfer after the other."""

    at: int
    transfers: list[Transfer]
    bus: list[Event]
    anomalies: list[Event]
    stretches: list[tuple[int, int, int]]

    def step(self, samples: int) -> int:
        self.at += samples
        return self.at


STEPS = st.integers(1, 4)


@st.composite
def _transfer(draw: st.DrawFn, w: _Writer) -> None:
    number, start = len(w.transfers), w.at
    w.bus.append(Event(start, "start", number))
    kind = draw(st.sampled_from(["acked", "acked", "acked", "data-nack", "address-nack", "void", "unfinished"]))
    period = draw(st.sampled_from([0, 1, 2, 3, 3, 10]))
    n_bytes = 0
    directions = ["none"]
    if kind != "void":
        phases = draw(st.sampled_from([1, 1, 2]))
        directions = ["write", "read"] if phases == 1 else ["write-read", "mixed"]
        for phase in range(phases):
            if phase:
                w.bus.append(Event(w.step(draw(STEPS)), "restart", number))
            w.bus.append(Event(w.step(draw(STEPS)), "address", number))
            nack = kind == "address-nack" and phase == phases - 1
            w.bus.append(Event(w.step(draw(STEPS)), "nack" if nack else "ack", number))
            for _ in range(0 if nack else draw(st.integers(0, 2))):
                n_bytes += 1
                low = w.at
                w.bus.append(Event(w.step(draw(STEPS)), "data", number))
                if w.at - low > 2 and draw(st.booleans()):
                    w.stretches.append((low, w.at, number))
                w.bus.append(Event(w.step(draw(STEPS)), draw(st.sampled_from(["ack", "ack", "nack"])), number))
    end = w.step(draw(STEPS))
    stop = end if kind != "unfinished" or draw(st.booleans()) else -1
    if stop >= 0:
        w.bus.append(Event(stop, "stop", number))
    for anomaly in draw(st.sampled_from([(), (), ("glitch",), ("partial-byte",)])) + (
        ("void",) if kind == "void" else ()
    ):
        w.anomalies.append(Event(draw(st.integers(start, end)), anomaly, number))
    if stop < 0:
        w.anomalies.append(Event(end, "missing-stop", number))
    w.transfers.append(
        Transfer(
            number,
            start,
            stop,
            end,
            kind,
            draw(st.sampled_from([0x3C, 0x50])),
            draw(st.sampled_from(directions)),
            n_bytes,
            period,
        )
    )


@st.composite
def _markers(draw: st.DrawFn, pool: list[int], end: int) -> Marker:
    """Edges near the samples of `pool`, now and then in one of them."""
    near = st.builds(lambda a, d: min(max(a + d, 1), end - 1), st.sampled_from(pool), st.integers(-2, 6))
    edges = sorted(set(draw(st.lists(near, min_size=draw(st.sampled_from([0, 1, 3, 5])), max_size=8))))
    active = draw(st.sampled_from([False, False, False, True]))
    begins, ends = edges[int(active) :: 2], edges[1 - int(active) :: 2]
    pool += edges
    where = draw(st.sampled_from([None, None, None, Selector(address=frozenset({0x3C}))]))
    return Marker(tuple(begins), tuple(ends), active, where)


@st.composite
def lanes(draw: st.DrawFn, name: str = "i2c0") -> LaneData:
    """One bus and some of the three markers."""
    w = _Writer(draw(st.sampled_from([0, 1, 4, 9])), [], [], [], [])
    for _ in range(draw(st.sampled_from([0, 1, 2, 3, 3, 4, 5, 6]))):
        draw(_transfer(w))
        w.step(draw(st.sampled_from([1, 1, 2, 3, 5, 8, 20])))
        if draw(st.integers(0, 9)) == 0:
            w.anomalies.append(Event(w.at - 1, "stray-stop", -1))
    end = w.at + draw(st.sampled_from([1, 2, 6, 25]))
    _cut(draw, w, end)
    rate = draw(st.sampled_from([RATE, RATE, RATE, None]))
    pool = [e.at for e in w.bus] or [end // 2]
    roles = draw(st.sampled_from([("irq",), ("irq", "run"), ROLES, ROLES]))
    markers = {role: draw(_markers(pool, max(end, 2))) for role in roles}
    return LaneData(
        end=max(end, 2),
        rate_hz=rate,
        synced=draw(st.sampled_from([0, 0, 0, 0, -1, *([w.bus[len(w.bus) // 2].at] if w.bus else [])])),
        transfers=tuple(w.transfers),
        bus=tuple(w.bus),
        anomalies=tuple(sorted(set(w.anomalies))),
        stretches=tuple(w.stretches),
        open_stretch=draw(st.booleans()),
        markers=markers,
        name=name,
        assumed=draw(st.booleans()),
        timings=tuple(row for t in w.transfers for row in draw(_measured(t))),
    )


@st.composite
def _measured(draw: st.DrawFn, transfer: Transfer) -> list[Measured]:
    """What was measured of some parameters in one transfer, in their order."""
    found = []
    for parameter in sorted(draw(st.sets(st.sampled_from(TIMED), max_size=4)), key=words.PARAMETERS.index):
        low, more, count = draw(st.tuples(st.integers(0, 11), st.integers(0, 4), st.integers(1, 3)))
        at, later = (draw(st.integers(transfer.start, transfer.end)) for _ in range(2))
        found.append(Measured(transfer.number, parameter, count, low, at, low + more, later))
    return found


def _cut(draw: st.DrawFn, w: _Writer, end: int) -> None:
    """Now and then the capture begins inside the first transfer, or ends inside the last."""
    if w.transfers and draw(st.integers(0, 4)) == 0 and not w.transfers[0].void:
        w.transfers[0] = replace(w.transfers[0], cut="begin")
        w.anomalies.append(Event(0, "begins-inside", 0))
    last = w.transfers[-1] if w.transfers else None
    if last is not None and not last.cut and draw(st.integers(0, 4)) == 0:
        number = last.number
        w.bus[:] = [e for e in w.bus if e.name != "stop" or e.own != number]
        w.anomalies[:] = [e for e in w.anomalies if e.own != number]
        w.anomalies.append(Event(end, "ends-inside", number))
        w.transfers[-1] = replace(last, stop=-1, end=end, outcome="unfinished", cut="end")


# Rules ----------------------------------------------------------------------------------------------------------------

_BUS = ("start", "restart", "stop", "address", "data", "ack", "nack")
QUANTITIES = st.sampled_from(
    [
        None,
        None,
        *map(parse_quantity, ("0us", "1us", "2us", "3us", "5us", "2.5us", "8us", "30us", "1scl", "2scl", "1.5scl")),
    ]
)
SELECTORS = st.sampled_from(
    [
        *[Selector()] * 5,
        Selector(address=frozenset({0x3C})),
        Selector(not_address=frozenset({0x3C})),
        Selector(direction=frozenset({"write", "write-read"})),
        Selector(outcome=frozenset({"acked"})),
        Selector(outcome=frozenset({"void", "data-nack"})),
        Selector(after=frozenset({"acked"})),
        Selector(after=frozenset({"address-nack", "unfinished"})),
        Selector(length=((1, 2),)),
        Selector(length=((0, 0), (3, None))),
        Selector(bus=frozenset({"i2c0"})),
        Selector(time=(parse_quantity("10us"), parse_quantity("40us"))),
    ]
)


def events_of(lane: LaneData) -> list[str]:
    """The names of the events that can be on a lane."""
    found = [*_BUS, "glitch", "void", "stray-stop"]
    for role in lane.markers:
        found += [f"{role}.begin", f"{role}.begin", f"{role}.end"]
    found += ["wake", "wake"] if "run" in lane.markers else []
    return found + (["ready", "ready"] if "pending" in lane.markers else [])


@st.composite
def _bounds(draw: st.DrawFn) -> tuple[Any, Any]:
    low, high = draw(QUANTITIES), draw(QUANTITIES)
    if low is not None and high is not None and low.unit == high.unit and low.amount > high.amount:
        low, high = high, low
    return low, high


@st.composite
def _percentiles(draw: st.DrawFn, low: Quantity | None, high: Quantity | None) -> tuple[Percentile, ...]:
    """Now and then some that agree with each other and with the bounds of every instance."""
    names = draw(
        st.sampled_from([(), (), ("p50",), ("p30", "p75"), ("p0.1", "p50", "p99.9"), ("p90", "max"), ("p66",)])
    )
    found: list[Percentile] = []
    for key in names:
        bound = draw(QUANTITIES.filter(lambda q: q is not None))
        if exceeds(low, bound) or exceeds(bound, high) or any(exceeds(p.bound, bound) for p in found):
            continue
        found.append(Percentile(key, share_of(key), bound))
    return tuple(found)


@st.composite
def trees(draw: st.DrawFn, words: Sequence[str], depth: int = 2) -> Tree:
    """A pattern as a tree."""
    kind = draw(st.sampled_from(["name", "name", "seq", "alt", "rep"])) if depth else "name"
    if kind == "name":
        return name(draw(st.sampled_from(words)))
    if kind == "rep":
        low, high = draw(st.sampled_from([(0, None), (1, None), (0, 1), (0, 2), (1, 2)]))
        return rep(draw(trees(words, depth - 1)), low, high)
    parts = draw(st.lists(trees(words, depth - 1), min_size=1, max_size=3))
    return seq(*parts) if kind == "seq" else alt(*parts) or parts[0]


def loosely(*words: str) -> Tree:
    """Any number of these, in any order."""
    options = alt(*(name(w) for w in words))
    assert options is not None
    return rep(options, 0, None)


@st.composite
def patterns(draw: st.DrawFn, lane: LaneData) -> str:
    """A pattern that often fits what exchanges look like."""
    markers = [w for w in events_of(lane) if w not in _BUS]
    bus = rep(alt(*(name(w) for w in ("address", "data", "ack", "nack", "restart"))) or name("address"), 0, None)
    tail = draw(st.lists(trees(markers, 1), max_size=3))
    usual = seq(name("start"), bus, rep(name("stop"), 0, 1), *tail)
    loose = seq(
        name("start"), loosely("address", "stop", "restart", *draw(st.lists(st.sampled_from(markers), max_size=3)))
    )
    tree = draw(
        st.one_of(st.just(usual), st.just(loose), trees(events_of(lane), 2).map(lambda t: seq(name("start"), t)))
    )
    PATTERNS[text_of(tree)] = tree
    return text_of(tree)


@st.composite
def _timing(draw: st.DrawFn) -> dict[str, Any]:
    """The keys of a rule about one bound of one parameter, of a mode or its own."""
    parameter = draw(st.sampled_from(TIMED))
    modes = [mode for mode in LIMITS if parameter in LIMITS[mode]]
    modes += ["auto", "auto"] if parameter in LIMITS["fast"] else []
    if modes and draw(st.booleans()):
        return {"mode": draw(st.sampled_from(modes)), "parameters": [parameter]}
    if parameter == "fSCL":
        bound = draw(st.sampled_from(["100kHz", "300kHz", "500kHz", "1MHz"]))
        return {"limits": {parameter: {draw(st.sampled_from(["min", "max"])): bound}}}
    side = draw(st.sampled_from(["min", "max"] if parameter in ("tLOW", "tHIGH") else ["max"]))
    return {"limits": {parameter: {side: draw(st.sampled_from(["1us", "2.5us", "4us", "6us", "9us"]))}}}


@st.composite
def _of_the_bus(draw: st.DrawFn, kind: str, common: dict[str, Any]) -> AnyRule:
    """A rule that names no event: timing or integrity."""
    if kind == "timing":
        return TimingRule(**common, **draw(_timing()))
    kinds = draw(st.sampled_from([{"glitch"}, {"glitch", "partial-byte", "missing-stop"}, {"stray-stop", "void"}]))
    return IntegrityRule(**common, kinds=frozenset(kinds))


@st.composite
def rules(draw: st.DrawFn, lane: LaneData, kinds: Sequence[str] = KINDS) -> AnyRule:
    """A rule of one of these kinds about what is on a lane."""
    events = st.sampled_from(events_of(lane))
    scope: Scope = draw(st.sampled_from(["capture", "transfer", "exchange"]))
    common: dict[str, Any] = {"id": "r", "where": draw(SELECTORS)}
    low, high = draw(_bounds())
    kind = draw(st.sampled_from(kinds))
    if kind in ("response", "precedence"):
        first = draw(events)
        second = draw(events.filter(lambda e: e != first))
        choice = draw(st.booleans())
        if kind == "precedence" and first not in (*_BUS, *words.ANOMALIES) and draw(st.booleans()):
            second = "wire"
        if kind == "response":
            together = draw(_percentiles(low, high))
            common |= {"scope": scope, "min": low, "within": high, "percentiles": together}
            return ResponseRule(**common, trigger=first, response=second, shared=choice)
        return PrecedenceRule(**common, scope=scope, event=first, cause=second, min=low, within=high, exclusive=choice)
    if kind == "absence":
        return AbsenceRule(**common, scope=scope, event=draw(events))
    if kind == "occurrence":
        least = draw(st.integers(0, 3))
        most = draw(st.one_of(st.none() if least else st.nothing(), st.integers(least, 4)))
        return OccurrenceRule(**common, scope=scope, event=draw(events), min=least, max=most)
    if kind == "duration":
        of = draw(st.sampled_from(["stretch", "transfer", "idle", *lane.markers]))
        together = draw(_percentiles(low, high))
        if low is None and high is None and not together:
            high = parse_quantity("5us")
        return DurationRule(**common, of=of, min=low, max=high, percentiles=together)
    if kind == "recurrence":
        event = draw(events)
        common |= {"scope": "capture" if event in ("start", "stop") else scope, "min": low, "max": high}
        steady = draw(st.sampled_from([None, *map(parse_quantity, ("0us", "1us", "4us", "10us", "50us"))]))
        together = draw(_percentiles(low, high))
        if low is None and high is None and steady is None and not together:
            steady = parse_quantity("5us")
        if steady and low and high and "scl" not in (low.unit, high.unit) and steady.amount >= high.amount - low.amount:
            common["max"] = None
        return RecurrenceRule(**common, event=event, jitter=steady, percentiles=together)
    if kind == "order":
        fitting = patterns(lane).filter(lambda text: scope == "capture" or compile_pattern(text).fits(scope))
        return OrderRule(**common, scope=scope, pattern=draw(fitting))
    return draw(_of_the_bus(kind, common))


@st.composite
def rule_sets(draw: st.DrawFn, lane: LaneData, kinds: Sequence[str] = KINDS) -> tuple[RuleSet, LaneData]:
    """Settings, markers and one rule, and the lane with these settings."""
    settle = draw(st.sampled_from(["0us", "3us", "10us", "100us"]))
    ppm = draw(st.sampled_from([0, 100, 100_000]))
    samples = int(parse_quantity(settle).amount * RATE) if lane.rate_hz else FOREVER
    lane = replace(lane, ppm=ppm, settle=samples)
    specs = {role: MarkerSpec(name=role, channel=role, where=marker.where) for role, marker in lane.markers.items()}
    rule = draw(rules(lane, kinds))
    return RuleSet(rules=(rule,), markers=specs, settle=parse_quantity(settle), timebase_ppm=ppm), lane


# Batches --------------------------------------------------------------------------------------------------------------


def wiring_of(lane: LaneData) -> Wiring:
    """The wiring a lane would come from."""
    bus = BusWire(lane.name, Channel("SCL", 0), Channel("SDA", 1))
    wires = (MarkerWire(role, Channel(role, 2 + i), role=role, bus=lane.name) for i, role in enumerate(lane.markers))
    return Wiring((bus,), tuple(wires))


def table(name: str, rows: list[dict[str, Any]]) -> Columns:
    """Raw columns of a table; what a row does not give is 0."""
    return {column: np.array([row.get(column, 0) for row in rows], kind) for column, kind in LAYOUT[name].items()}


def rows_of(lane: LaneData, since: int, until: int) -> dict[str, Columns]:
    """The rows a decoder hands over for samples [since, until): a transfer's comes when it has ended."""

    def now(at: int) -> bool:
        return since <= at < until

    transfers = [
        {
            "transfer": t.number,
            "start": t.start,
            "stop": t.stop,
            "end": t.end,
            "outcome": words.OUTCOMES.index(t.outcome),
            "n_messages": 1 + sum(e.name == "restart" and e.own == t.number for e in lane.bus),
            "n_bytes": t.n_bytes,
            "ten_bit": 0,
            "address": t.address,
            "directions": words.TRANSFER_DIRECTIONS.index(t.direction),
            "period": t.period,
            "complete": int(not t.cut),
        }
        for t in lane.transfers
        if now(t.end)
    ]
    return {
        "events": table(
            "events",
            [{"at": e.at, "kind": words.BUS_EVENTS.index(e.name), "transfer": e.own} for e in lane.bus if now(e.at)],
        ),
        "bytes": table("bytes", []),
        "messages": table("messages", []),
        "transfers": table("transfers", transfers),
        "anomalies": table(
            "anomalies",
            [
                {
                    "at": a.at,
                    "kind": words.ANOMALIES.index(a.name),
                    "transfer": a.own,
                    "width": -1,
                    "arg": 0 if lane.assumed else 2,
                }
                for a in lane.anomalies
                if now(a.at)
            ],
        ),
        "stretches": table(
            "stretches",
            [
                {
                    "begin": b,
                    "end": e,
                    "transfer": t,
                    "complete": int(not cut),
                    "held_by": words.HELD_BY.index(held_by(b)),
                    "excess": e - b,
                }
                for k, (b, e, t) in enumerate(lane.stretches, start=1)
                for cut in [lane.open_stretch and k == len(lane.stretches)]
                if now(e)
            ],
        ),
    }


def timings_of(lane: LaneData, since: int, until: int) -> Columns:
    """What was measured of the transfers whose rows `rows_of` gives for the same samples."""
    rows = [m for m in lane.timings if since <= lane.transfers[m.transfer].end < until]
    found = [{**m._asdict(), "parameter": words.PARAMETERS.index(m.parameter)} for m in rows]
    return {column: np.array([row[column] for row in found], kind) for column, kind in TIMINGS.items()}


def whole(lane: LaneData) -> Batch:
    """A capture in one final batch."""
    return batches_of(lane, [])[0]


def batches_of(lane: LaneData, cuts: Sequence[tuple[int, int]]) -> list[Batch]:
    """A capture in batches. A cut is how far the bus has come and how far behind, or before, it the markers are."""
    found = []
    done = dict.fromkeys(("bus", *lane.markers), 0)
    for sample, skew in [*cuts, (-1, 0)]:
        final = sample < 0
        reached = dict(done)
        for i, key in enumerate(reached):
            upto = lane.end + 1 if final else min(max(sample + skew * (i % 2), 0), lane.end)
            reached[key] = max(done[key], upto)
        markers = {
            role: MarkerRows(
                np.array([b for b in m.begins if done[role] <= b < reached[role]], np.int64),
                np.array([e for e in m.ends if done[role] <= e < reached[role]], np.int64),
                np.ones(sum(done[role] <= b < reached[role] for b in m.begins), np.int32),
            )
            for role, m in lane.markers.items()
        }
        known = lane.synced if final or 0 <= lane.synced < reached["bus"] else -1
        found.append(
            Batch(
                buses={lane.name: rows_of(lane, done["bus"], reached["bus"])},
                markers=markers,
                watermarks={lane.name: lane.end if final else min(reached.values())},
                synced={lane.name: known},
                initially_active={role: m.active for role, m in lane.markers.items()},
                end=lane.end if final else max(reached.values()),
                final=final,
                timings={lane.name: timings_of(lane, done["bus"], reached["bus"])} if lane.timings else {},
            )
        )
        done = reached
    return found


CUTS = st.lists(st.tuples(st.integers(0, 120), st.integers(-6, 6)), max_size=8).map(sorted)
