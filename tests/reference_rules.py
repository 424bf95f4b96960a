"""The rule engine's slow twin: every instance of a rule on one lane, from the whole list of what happened there.

Written from the definitions of the rule language, one instance at a time. Where events share a sample, every order they
may have had is written out and judged; the vectorised checkers in `tracecheck/rules/checks` never do that.
`test_rules_twin.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product
from typing import Any, NamedTuple

from tracecheck.rules.model import (
    AbsenceRule,
    AnyRule,
    DurationRule,
    IntegrityRule,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    TimingRule,
)
from tracecheck.rules.parameters import LIMITS
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.selector import Selector

FOREVER = 10**15
INFINITE = FOREVER**2
BUS = ("start", "restart", "stop", "address", "data", "ack", "nack")


@dataclass(frozen=True)
class Transfer:
    """A transfer as the decoder tells it; `stop` -1: none came. `cut` is "", "begin" or "end"."""

    number: int
    start: int
    stop: int
    end: int
    outcome: str = "acked"
    address: int = 0x3C
    direction: str = "write"
    n_bytes: int = 1
    period: int = 0
    cut: str = ""

    @property
    def void(self) -> bool:
        return self.outcome == "void"


class Event(NamedTuple):
    """Something at a sample. `own`: the transfer a bus event or anomaly is part of, else -1."""

    at: int
    name: str
    own: int = -1


@dataclass(frozen=True)
class Marker:
    """Begins and ends of a level marker, called by its role."""

    begins: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    active: bool = False
    where: Selector | None = None


class Measured(NamedTuple):
    """The shortest and the longest of a parameter that a transfer shows, `count` of them, and where."""

    transfer: int
    parameter: str
    count: int
    low: int
    low_at: int
    high: int
    high_at: int


@dataclass(frozen=True)
class LaneData:
    """All that happened on one bus and its markers, and what is known of it. `end`: samples of the capture."""

    end: int
    rate_hz: int | None = 1_000_000
    settle: int = FOREVER
    ppm: int = 0
    synced: int = 0
    transfers: tuple[Transfer, ...] = ()
    bus: tuple[Event, ...] = ()
    anomalies: tuple[Event, ...] = ()
    stretches: tuple[tuple[int, int, int], ...] = ()
    open_stretch: bool = False
    markers: dict[str, Marker] = field(default_factory=dict)
    name: str = "i2c0"
    assumed: bool = False
    """Whether the START of a transfer that the capture's beginning cuts is only assumed."""
    timings: tuple[Measured, ...] = ()


class Instance(NamedTuple):
    """One instance; `value` None where nothing is promised about it."""

    at: int
    transfer: int
    verdict: str
    value: int | None = None


class Span(NamedTuple):
    """How many samples apart the two edges of an instance are, at least and at most; what is not `sure` may not be."""

    near: int
    far: int
    period: int = 0
    sure: bool = True


class Together(NamedTuple):
    """What all instances of a rule say together: a percentile or the jitter."""

    name: str
    verdict: str
    count: int
    low: int
    high: int


# Bounds ---------------------------------------------------------------------------------------------------------------


def judged(lane: LaneData, d: int, low: Quantity | None, high: Quantity | None, period: int) -> str:
    """Two edges `d` samples apart lie between d - 1 and d + 1 sample periods apart."""
    least, most = max(Fraction(d - 1), Fraction(0)), Fraction(d + 1)
    verdicts = []
    for bound, is_upper in ((low, False), (high, True)):
        if bound is None or (not is_upper and bound.amount == 0):
            continue
        span = reach(lane, bound, period)
        if span is None:
            verdicts.append("inconclusive")
            continue
        smallest, largest = span
        inside = most <= smallest if is_upper else least >= largest
        outside = (least >= largest and d >= 1) if is_upper else most <= smallest
        verdicts.append("pass" if inside else "fail" if outside else "inconclusive")
    return "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"


def reach(lane: LaneData, bound: Quantity, period: int) -> tuple[Fraction, Fraction] | None:
    """The bound in samples, as an interval: the clock is off by `ppm`, a median SCL period by one sample."""
    if bound.unit == "scl":
        return (bound.amount * (period - 1), bound.amount * (period + 1)) if period else None
    if not lane.rate_hz:
        return None
    exact = bound.amount * lane.rate_hz
    return exact * (1 - Fraction(lane.ppm, 10**6)), exact * (1 + Fraction(lane.ppm, 10**6))


def surely_over(lane: LaneData, d: int, bound: Quantity | None, period: int) -> bool:
    """Whether what lasted at least `d` samples surely lasted longer than the bound."""
    if bound is None or d < 1 or (span := reach(lane, bound, period)) is None:
        return False
    return d - 1 >= span[1]


# The lane -------------------------------------------------------------------------------------------------------------


def everything(lane: LaneData) -> list[Event]:
    """All events, by sample; derived ones too."""
    found = [*lane.bus, *lane.anomalies]
    for role, marker in lane.markers.items():
        found += [Event(at, f"{role}.begin") for at in marker.begins]
        found += [Event(at, f"{role}.end") for at in marker.ends]
    irq = lane.markers.get("irq", Marker()).begins
    if "run" in lane.markers:
        wakes = {min((r for r in lane.markers["run"].begins if r >= i), default=None) for i in irq}
        found += [Event(at, "wake") for at in wakes if at is not None]
    if "pending" in lane.markers:
        readies = {ready(lane.markers["pending"], i) for i in irq}
        found += [Event(at, "ready") for at in readies if at is not None]
    return sorted(found)


def ready(pending: Marker, irq: int) -> int | None:
    """The first sample from an interrupt on in which PENDING is high."""
    level = pending.active
    for at in range(irq + 1):
        level = (level or at in pending.begins) and at not in pending.ends
    return irq if level else min((b for b in pending.begins if b > irq), default=None)


def exchange_of(lane: LaneData, at: int) -> int:
    """The transfer whose exchange holds a sample, -1 for none."""
    for t in reversed([t for t in lane.transfers if not t.void]):
        if t.start <= at:
            return t.number if at <= t.end + lane.settle else -1
    return -1


def transfer_at(lane: LaneData, at: int) -> int:
    """The transfer, START to STOP, that holds a sample, -1 for none."""
    return next((t.number for t in lane.transfers if t.start <= at <= t.end), -1)


def member_of(lane: LaneData, event: Event, scope: str) -> int:
    """The transfer in whose scope an event counts."""
    void = event.own >= 0 and lane.transfers[event.own].void
    if scope == "transfer":
        return event.own if event.own >= 0 else transfer_at(lane, event.at)
    if scope == "capture":
        free = event.own < 0 and event.name not in BUS and event not in lane.anomalies
        return exchange_of(lane, event.at) if free else event.own
    if event.name in BUS:
        return -1 if void else event.own
    return event.own if event.own >= 0 and not void else exchange_of(lane, event.at)


@dataclass(frozen=True)
class Scope:
    """One transfer's scope. `edge`: the event that ends it, if one does; `last`: its last sample, if time ends it."""

    of: Transfer
    edge: Event | None
    last: int
    cut_begin: bool
    cut_end: bool

    def surely_holds(self, event: Event) -> bool:
        if self.edge is not None and event.at >= self.edge.at:
            return False
        return self.of.start < event.at <= self.last

    def perhaps_holds(self, event: Event) -> bool:
        return event.at == self.of.start or (self.edge is not None and event.at == self.edge.at)


def scopes(lane: LaneData, kind: str) -> list[Scope]:
    """All scopes of a lane."""
    found = []
    for t in lane.transfers:
        if kind == "transfer":
            edge = Event(t.stop, "stop", t.number) if t.stop >= 0 else None
            found.append(Scope(t, edge, t.end, t.cut == "begin", t.cut == "end"))
        elif not t.void:
            following = next((u for u in lane.transfers if u.number > t.number and not u.void), None)
            last = t.end + lane.settle
            edge = Event(following.start, "start", following.number) if following and following.start <= last else None
            cut_end = t.cut == "end" or (edge is None and last >= lane.end)
            found.append(Scope(t, edge, last, t.cut == "begin", cut_end))
    return found


def selected(lane: LaneData, rule: AnyRule, transfer: int) -> bool:
    """Whether the rule's `where`, and those of the markers it speaks of, choose a transfer."""
    names = {name.partition(".")[0] for name in rule.events}
    names |= {"irq", "run"} if "wake" in names else set()
    names |= {"irq", "pending"} if "ready" in names else set()
    wheres = [rule.where, *(m.where for role, m in lane.markers.items() if role in names and m.where is not None)]
    wheres = [w for w in wheres if w != Selector()]
    if not wheres:
        return True
    return transfer >= 0 and all(fits(lane, w, lane.transfers[transfer]) for w in wheres)


def outcome_before(lane: LaneData, t: Transfer) -> str:
    """Of the last transfer before this one that is no void."""
    return next(("" if b.cut == "begin" else b.outcome for b in reversed(lane.transfers[: t.number]) if not b.void), "")


def fits(lane: LaneData, where: Selector, t: Transfer) -> bool:
    """One selector on one transfer."""
    tests = [
        where.bus is None or lane.name in where.bus,
        where.address is None or t.address in where.address,
        where.not_address is None or t.address not in where.not_address,
        where.direction is None or t.direction in where.direction,
        where.outcome is None or t.outcome in where.outcome,
        where.after is None or outcome_before(lane, t) in where.after,
        where.length is None or any(a <= t.n_bytes and (b is None or t.n_bytes <= b) for a, b in where.length),
    ]
    if where.time is not None:
        low, high = where.time
        if lane.rate_hz is None:
            return False
        second = Fraction(t.start, lane.rate_hz)
        tests.append((low is None or second >= low.amount) and (high is None or second <= high.amount))
    return all(tests)


# Orders ---------------------------------------------------------------------------------------------------------------


def possible(group: list[Event]) -> Iterator[tuple[Event, ...]]:
    """Every order in which events of one sample may have come."""
    bus = [e for e in group if e.name in BUS]
    for order in set(permutations(group)):
        names = [e.name for e in order]
        if [e for e in order if e.name in BUS] != bus:
            continue
        if "irq.begin" in names and "ready" in names and names.index("ready") < names.index("irq.begin"):
            continue
        yield order


def histories(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Every order in which all these events may have come."""
    groups: dict[int, list[Event]] = {}
    for event in events:
        groups.setdefault(event.at, []).append(event)
    for choice in product(*(list(possible(group)) for _, group in sorted(groups.items()))):
        yield [event for group in choice for event in group]


def agreed(verdicts: set[str]) -> str:
    """What all orders agree on."""
    return next(iter(verdicts)) if len(verdicts) == 1 else "inconclusive"


# The kinds ------------------------------------------------------------------------------------------------------------


def instances(lane: LaneData, rule: AnyRule) -> list[Instance]:
    """All instances of a rule on a lane."""
    if lane.synced < 0:
        return []
    match rule:
        case ResponseRule():
            found = [unjudged(rule, instance) for instance, _ in responses(lane, rule)]
        case PrecedenceRule():
            found = list(precedences(lane, rule))
        case AbsenceRule():
            found = list(absences(lane, rule))
        case OccurrenceRule():
            found = list(occurrences(lane, rule))
        case DurationRule():
            found = [unjudged(rule, instance) for instance, _ in durations(lane, rule)]
        case RecurrenceRule():
            found = [unjudged(rule, instance) for instance in recurrences(lane, rule)]
        case OrderRule():
            found = list(orders(lane, rule))
        case IntegrityRule():
            found = list(integrity(lane, rule))
        case TimingRule():
            found = list(timings(lane, rule))
    return [i._replace(verdict="cut", value=None) if unknowable(lane, rule, i) else i for i in found]


OF_BYTES = {"address", "data", "ack", "nack", "wire", "partial-byte", "ack-interrupted", "extra-clock", "void"}


def unknowable(lane: LaneData, rule: AnyRule, instance: Instance) -> bool:
    """Whether it hangs on bytes of a transfer that began before the capture."""
    whole = isinstance(rule, (OrderRule, OccurrenceRule)) and rule.scope == "capture" and instance.verdict == "fail"
    begun = any(t.cut == "begin" for t in lane.transfers)
    if not (whole and begun) and (instance.transfer < 0 or lane.transfers[instance.transfer].cut != "begin"):
        return False
    names = {name.partition(".")[0] for name in rule.events}
    names |= {"irq", "run"} if "wake" in names else set()
    names |= {"irq", "pending"} if "ready" in names else set()
    wheres = [rule.where, *(m.where for role, m in lane.markers.items() if role in names and m.where is not None)]
    if any(w.address or w.not_address or w.direction or w.outcome or w.length for w in wheres):
        return True
    if whole:
        return not OF_BYTES.isdisjoint(rule.events) and lane.assumed
    if isinstance(rule, TimingRule):
        told_by_bytes = parameter_of(rule) in ("tVD;DAT", "tVD;ACK", "tLOW:MEXT")
        return told_by_bytes and misread(lane, instance.transfer, instance.at)
    return not OF_BYTES.isdisjoint(rule.events) and misread(lane, instance.transfer, instance.at)


def misread(lane: LaneData, transfer: int, at: int) -> bool:
    """Whether bytes of a transfer were read, at a sample, from an assumed START on: a repeated START is none."""
    aligned = [e.at for e in lane.bus if e.name == "restart" and e.own == transfer]
    of_cut = transfer >= 0 and lane.transfers[transfer].cut == "begin"
    return of_cut and lane.assumed and at <= min(aligned, default=lane.end + 1)


def unjudged(rule: ResponseRule | DurationRule | RecurrenceRule, instance: Instance) -> Instance:
    """With nothing but percentiles or a jitter to be judged by, an instance is measured and passes nothing."""
    high = rule.within if isinstance(rule, ResponseRule) else rule.max
    jitter = rule.jitter if isinstance(rule, RecurrenceRule) else None
    bounded = rule.min is not None or high is not None or not (rule.percentiles or jitter)
    return instance if bounded or instance.verdict != "pass" else instance._replace(verdict="measured")


def placed(lane: LaneData, rule: AnyRule, event: Event) -> tuple[bool, int, Scope | None]:
    """Whether an event is an instance of the rule, its transfer, and its scope."""
    transfer = member_of(lane, event, rule.scope)
    scope = None
    if rule.scope != "capture":
        scope = next((s for s in scopes(lane, rule.scope) if s.of.number == transfer), None)
        if scope is None:
            return False, transfer, None
    return event.at >= lane.synced and selected(lane, rule, transfer), transfer, scope


def window(lane: LaneData, rule: ResponseRule | PrecedenceRule, event: Event) -> list[Event]:
    """The events that can matter to an instance: what the rule names, and the STARTs and STOPs."""
    wanted = {*rule.events, "start", "stop", *(BUS if "wire" in rule.events else ())}
    return [e for e in everything(lane) if e.name in wanted]


def ends_scope(event: Event, scope: Scope | None) -> bool:
    return scope is not None and scope.edge is not None and event == scope.edge


def responses(lane: LaneData, rule: ResponseRule) -> Iterator[tuple[Instance, Span]]:
    all_events = everything(lane)
    for trigger in all_events:
        if trigger.name != rule.trigger:
            continue
        is_one, transfer, scope = placed(lane, rule, trigger)
        if not is_one:
            continue
        period = lane.transfers[transfer].period if transfer >= 0 else 0
        outcomes = {
            answered(lane, rule, trigger, scope, period, history)
            for history in histories(e for e in window(lane, rule, trigger) if relevant(e, trigger, scope))
        }
        verdict = agreed({v for v, *_ in outcomes})
        values = {value for _, value, *_ in outcomes}
        near, far = min(near for *_, near, _ in outcomes), max(far for *_, far in outcomes)
        sure = all(v != "elsewhere" for v, *_ in outcomes)
        yield (
            Instance(trigger.at, transfer, verdict, next(iter(values)) if len(values) == 1 else None),
            Span(near, far, period, sure) if sure else Span(0, INFINITE, period, sure),
        )


def relevant(event: Event, trigger: Event, scope: Scope | None) -> bool:
    if scope is not None and scope.edge is not None and event.at > scope.edge.at:
        return False
    return event.at >= trigger.at


def answered(
    lane: LaneData, rule: ResponseRule, trigger: Event, scope: Scope | None, period: int, history: list[Event]
) -> tuple[str, int | None, int, int]:
    """The verdict on one trigger if everything came in this order; its value; and how long it took, from and to."""
    never = ("fail", None, INFINITE, INFINITE)
    here = history.index(trigger)
    if scope is not None:
        opens = Event(scope.of.start, "start", scope.of.number)
        if opens in history[here + 1 :] or any(ends_scope(e, scope) for e in history[:here]):
            return "elsewhere", None, 0, INFINITE
        if ends_scope(trigger, scope):
            return never
    on_bus = trigger.name in BUS
    for event in history[here + 1 :]:
        if scope is not None and scope.edge is None and event.at > scope.last:
            break
        over = ends_scope(event, scope)
        if event.name == rule.response and not (over and event.name == "start"):
            d = event.at - trigger.at
            return judged(lane, d, rule.min, rule.within, period), d, d, d
        void = event.own >= 0 and lane.transfers[event.own].void
        if over or (on_bus and event.name == "start" and not void) or (not rule.shared and event.name == rule.trigger):
            return never
    if scope is not None and scope.edge is None and not scope.cut_end:
        return never
    waited = lane.end - trigger.at
    if surely_over(lane, waited, rule.within, period):
        return "fail", waited, waited, INFINITE
    return "cut", None, waited, INFINITE


def precedences(lane: LaneData, rule: PrecedenceRule) -> Iterator[Instance]:
    for event in everything(lane):
        if event.name != rule.event:
            continue
        is_one, transfer, scope = placed(lane, rule, event)
        free = event.own < 0 and event.name not in BUS and event not in lane.anomalies
        if rule.scope == "exchange" and transfer < 0 and free and event.at >= lane.synced and selected(lane, rule, -1):
            begun = any(t.start <= event.at for t in lane.transfers if not t.void)
            early = not begun and event.at <= lane.synced + lane.settle
            yield Instance(event.at, -1, "cut" if early else "fail", None)
            continue
        if not is_one:
            continue
        period = lane.transfers[transfer].period if transfer >= 0 else 0
        since = lane.synced if scope is None else scope.of.start
        before = [e for e in window(lane, rule, event) if e.at <= event.at and (e.at >= since or e.name == rule.event)]
        outcomes = {caused(lane, rule, event, scope, period, since, history) for history in histories(before)}
        verdict = agreed({v for v, _ in outcomes})
        values = {value for _, value in outcomes}
        yield Instance(event.at, transfer, verdict, next(iter(values)) if len(values) == 1 else None)


def caused(
    lane: LaneData,
    rule: PrecedenceRule,
    event: Event,
    scope: Scope | None,
    period: int,
    since: int,
    history: list[Event],
) -> tuple[str, int | None]:
    """The verdict on one event if everything came in this order."""
    here = history.index(event)
    begin = 0
    if scope is not None:
        opens = Event(scope.of.start, "start", scope.of.number)
        if opens not in history[: here + 1] or any(ends_scope(e, scope) for e in history[:here]):
            return "elsewhere", None
        begin = history.index(opens)
    for earlier in reversed(history[begin:here]):
        if earlier.name == rule.cause or (rule.cause == "wire" and earlier.name in BUS):
            d = event.at - earlier.at
            return judged(lane, d, rule.min, rule.within, period), d
        if rule.exclusive and earlier.name == rule.event:
            return "fail", None  # whatever cause came before that one, it has taken
    reaches_out = (scope is None or scope.cut_begin) and not surely_over(lane, event.at - since, rule.within, period)
    return ("cut" if reaches_out else "fail"), None


def counts(lane: LaneData, scope: Scope, kind: str, name: str) -> tuple[list[Event], int]:
    """Events surely in a scope, and how many more may be."""
    sure, unsure = [], 0
    for event in everything(lane):
        if event.name != name:
            continue
        void = event.own >= 0 and lane.transfers[event.own].void
        if event.own >= 0 and not (void and kind == "exchange"):
            if event.own == scope.of.number:
                sure.append(event)
        elif event.name not in BUS:
            if scope.perhaps_holds(event):
                unsure += 1
            elif scope.surely_holds(event):
                sure.append(event)
    return sure, unsure


def absences(lane: LaneData, rule: AbsenceRule) -> Iterator[Instance]:
    if rule.scope == "capture":
        seen = [e for e in everything(lane) if e.name == rule.event and placed(lane, rule, e)[0]]
        for event in seen:
            yield Instance(event.at, member_of(lane, event, "capture"), "fail")
        if not seen:
            yield Instance(lane.synced, -1, "pass")
        return
    for scope in scopes(lane, rule.scope):
        if scope.of.start < lane.synced or not selected(lane, rule, scope.of.number):
            continue
        sure, unsure = counts(lane, scope, rule.scope, rule.event)
        for event in sure:
            yield Instance(event.at, scope.of.number, "fail")
        if not sure:
            cut = scope.cut_begin or scope.cut_end
            yield Instance(scope.of.start, scope.of.number, "cut" if cut else "inconclusive" if unsure else "pass")


def occurrences(lane: LaneData, rule: OccurrenceRule) -> Iterator[Instance]:
    most = FOREVER if rule.max is None else rule.max
    if rule.scope == "capture":
        n = sum(e.name == rule.event and placed(lane, rule, e)[0] for e in everything(lane))
        yield Instance(lane.synced, -1, "pass" if rule.min <= n <= most else "fail", n)
        return
    for scope in scopes(lane, rule.scope):
        if scope.of.start < lane.synced or not selected(lane, rule, scope.of.number):
            continue
        sure, unsure = counts(lane, scope, rule.scope, rule.event)
        if scope.cut_begin or scope.cut_end:
            verdict = "fail" if len(sure) > most else "cut"
        else:
            verdict = agreed({"pass" if rule.min <= len(sure) + k <= most else "fail" for k in range(unsure + 1)})
        yield Instance(scope.of.start, scope.of.number, verdict, len(sure))


def lasted(
    lane: LaneData, rule: DurationRule, at: int, d: int, number: int, *, partly: bool
) -> Iterator[tuple[Instance, Span | None]]:
    """The instance of one interval, if the rule judges it; `partly`: it lasted at least so long."""
    period = lane.transfers[number].period if number >= 0 else 0
    over = surely_over(lane, d, rule.max, period)
    verdict = ("fail" if over else "cut") if partly else judged(lane, d, rule.min, rule.max, period)
    if selected(lane, rule, number) and at >= lane.synced:
        yield Instance(at, number, verdict, d), Span(d, INFINITE if partly else d, period)


def durations(lane: LaneData, rule: DurationRule) -> Iterator[tuple[Instance, Span | None]]:
    opens = [t for t in lane.transfers if not t.void]
    if rule.of == "stretch":
        for begin, end, number in lane.stretches:
            cut = lane.open_stretch and (begin, end, number) == lane.stretches[-1]
            yield from lasted(lane, rule, begin, end - begin, number, partly=cut)
        for t in opens if rule.min is None and rule.max is not None else []:
            stretched = any(number == t.number for _, _, number in lane.stretches)
            if not stretched and t.start >= lane.synced and selected(lane, rule, t.number):
                yield Instance(t.start, t.number, "cut" if t.cut else "pass", None), None
    elif rule.of == "transfer":
        for t in opens:
            yield from lasted(lane, rule, t.start, t.end - t.start, t.number, partly=bool(t.cut) or t.stop < 0)
    elif rule.of == "idle":
        for before, after in pairwise(opens):
            if before.stop >= 0:
                yield from lasted(lane, rule, before.stop, after.start - before.stop, after.number, partly=False)
        if opens and opens[-1].stop >= 0:
            yield from lasted(lane, rule, opens[-1].stop, lane.end - opens[-1].stop, -1, partly=True)
    else:
        marker = lane.markers[rule.of]
        if marker.active:
            yield from lasted(lane, rule, 0, min(marker.ends, default=lane.end), -1, partly=True)
        for begin in marker.begins:
            later = [e for e in marker.ends if e > begin]
            d = min(later, default=lane.end) - begin
            yield from lasted(lane, rule, begin, d, exchange_of(lane, begin), partly=not later)


class Following(NamedTuple):
    """What may have followed an event of a recurrence rule, one of `ways` for each side of the scope's boundaries that
    events in their samples may lie on: ("period", samples to the next one), ("gap", samples to the scope's end), or
    ("elsewhere", 0) where the event itself lies outside. `cut`: by the capture.
    """

    at: int
    transfer: int
    period: int
    ways: frozenset[tuple[str, int]]
    cut: bool

    @property
    def gap_only(self) -> bool:
        return all(what != "period" for what, _ in self.ways)


def followings(lane: LaneData, rule: RecurrenceRule) -> Iterator[Following]:
    """Every event of the rule, scope by scope."""
    named = [e for e in everything(lane) if e.name == rule.event]
    if rule.scope == "capture":
        mine = [e for e in named if placed(lane, rule, e)[0]]
        for event, after in pairwise([*mine, None]):
            transfer = member_of(lane, event, "capture")
            period = lane.transfers[transfer].period if transfer >= 0 else 0
            way = ("gap", lane.end - event.at) if after is None else ("period", after.at - event.at)
            yield Following(event.at, transfer, period, frozenset({way}), after is None)
        return
    for scope in scopes(lane, rule.scope):
        if scope.of.start < lane.synced or not selected(lane, rule, scope.of.number):
            continue
        free = [e for e in named if e.name not in BUS and (e.own < 0 or ignored(lane, rule, e))]
        own = [e for e in named if e.own == scope.of.number and not ignored(lane, rule, e)]
        before = [e for e in free if e.at == scope.of.start]
        after_it = [e for e in free if scope.edge is not None and e.at == scope.edge.at]
        sure = sorted([*own, *(e for e in free if scope.surely_holds(e) and e not in before)], key=lambda e: e.at)
        end = scope.edge.at if scope.edge is not None else lane.end if scope.cut_end else scope.last
        every = [*before, *sure, *after_it]
        ways: list[set[tuple[str, int]]] = [set() for _ in every]
        doubtful = [*range(len(before)), *range(len(every) - len(after_it), len(every))]
        for sides in product((True, False), repeat=len(doubtful)):
            out = {place for place, inside in zip(doubtful, sides, strict=True) if not inside}
            inside = [place for place in range(len(every)) if place not in out]
            for place in out:
                ways[place].add(("elsewhere", 0))
            for place, following in pairwise([*inside, None]):
                at = every[place].at
                ways[place].add(("gap", end - at) if following is None else ("period", every[following].at - at))
        for event, found in zip(every, ways, strict=True):
            yield Following(event.at, scope.of.number, scope.of.period, frozenset(found), scope.cut_end)


def ignored(lane: LaneData, rule: RecurrenceRule, event: Event) -> bool:
    """Whether an event is part of a void, which has no exchange of its own."""
    return rule.scope == "exchange" and event.own >= 0 and lane.transfers[event.own].void


def recurrences(lane: LaneData, rule: RecurrenceRule) -> Iterator[Instance]:
    for event in followings(lane, rule):
        verdicts = set()
        for what, d in event.ways:
            if what == "period":
                verdicts.add(judged(lane, d, rule.min, rule.max, event.period))
            elif what == "gap" and surely_over(lane, d, rule.max, event.period):
                verdicts.add("fail")
            else:
                verdicts.add("cut" if what == "gap" and event.cut else "none")
        if verdicts != {"none"}:
            value = next(iter(event.ways))[1] if len(event.ways) == 1 else None
            yield Instance(event.at, event.transfer, agreed(verdicts), value)


# All instances together -----------------------------------------------------------------------------------------------


def together(lane: LaneData, rule: AnyRule) -> list[Together]:
    """The percentiles and the jitter of a rule."""
    if lane.synced < 0 or not isinstance(rule, (ResponseRule, DurationRule, RecurrenceRule)):
        return []
    if isinstance(rule, ResponseRule):
        spans = [span for i, span in responses(lane, rule) if not unknowable(lane, rule, i)]
    elif isinstance(rule, DurationRule):
        spans = [s for i, s in durations(lane, rule) if s is not None and not unknowable(lane, rule, i)]
    else:
        known = [e for e in followings(lane, rule) if not unknowable(lane, rule, Instance(e.at, e.transfer, ""))]
        spans = [span for event in known if (span := recurring(event)) is not None]
    found = [percentile(lane, each.name, each.share, each.bound, spans) for each in rule.percentiles if spans]
    if isinstance(rule, RecurrenceRule) and rule.jitter is not None:
        found += jitter(lane, rule.jitter, known)
    return found


def recurring(event: Following) -> Span | None:
    """The period that begins with an event; None where there is none."""
    ways = list(event.ways)
    if event.gap_only and not event.cut:
        return None
    if len(ways) > 1:
        return Span(0, INFINITE, event.period, sure=False)
    what, d = ways[0]
    return Span(d, d if what == "period" else INFINITE, event.period)


def percentile(lane: LaneData, name: str, share: Fraction, bound: Quantity, spans: list[Span]) -> Together:
    """Nearest rank of the lower and of the upper ends: the first place that the share of all does not exceed."""
    place = next(i for i in range(len(spans)) if Fraction(i + 1, len(spans)) >= share)
    low = sorted(shortest(lane, bound, span) for span in spans)[place]
    high = sorted(longest(lane, bound, span) for span in spans)[place]
    verdict = "fail" if low >= bound.amount else "pass" if high <= bound.amount else "inconclusive"
    sure = sum(span.sure for span in spans)
    if verdict == "pass" and share < 1 and sure * (1 - share) < 1:
        verdict = "inconclusive"
    raw = [sorted(ends)[place] for ends in zip(*((s.near, s.far) for s in spans), strict=True)]
    return Together(name, verdict, sure, raw[0], raw[1])


def shortest(lane: LaneData, bound: Quantity, span: Span) -> Fraction:
    """The lower end in seconds, or SCL periods; below 0 where nothing is known."""
    unit = unit_of(lane, bound, span.period)
    if span.near == INFINITE:
        return Fraction(INFINITE)
    return Fraction(-1) if unit is None else Fraction(span.near - 1) / unit[1]


def longest(lane: LaneData, bound: Quantity, span: Span) -> Fraction:
    """The upper end in seconds, or SCL periods."""
    unit = unit_of(lane, bound, span.period)
    if span.far == INFINITE or unit is None or unit[0] == 0:
        return Fraction(INFINITE)
    return Fraction(span.far + 1) / unit[0]


def unit_of(lane: LaneData, bound: Quantity, period: int) -> tuple[Fraction, Fraction] | None:
    """Samples in a second, or in an SCL period: at least and at most."""
    if bound.unit == "scl":
        return (Fraction(period - 1), Fraction(period + 1)) if period else None
    if not lane.rate_hz:
        return None
    return lane.rate_hz * (1 - Fraction(lane.ppm, 10**6)), lane.rate_hz * (1 + Fraction(lane.ppm, 10**6))


def jitter(lane: LaneData, bound: Quantity, events: list[Following]) -> list[Together]:
    """The longest period less the shortest, for whatever periods there may have been."""
    sure = [d for e in events if len(e.ways) == 1 for what, d in e.ways if what == "period"]
    perhaps = sorted({d for e in events if len(e.ways) > 1 for what, d in e.ways if what == "period"})
    verdicts = {
        steady(lane, bound, sure + list(more)) for n in range(len(perhaps) + 1) for more in combinations(perhaps, n)
    }
    if verdicts == {"none"}:
        return []
    every = sure + perhaps
    low = max(sure) - min(sure) if sure else 0
    return [Together("jitter", agreed(verdicts), len(sure), low, max(every) - min(every))]


def steady(lane: LaneData, bound: Quantity, periods: list[int]) -> str:
    if not periods:
        return "none"
    span = reach(lane, bound, 0)
    if len(periods) == 1 or span is None:
        return "inconclusive"
    least = (max(periods) - 1) - (min(periods) + 1)
    most = (max(periods) + 1) - max(min(periods) - 1, 0)
    return "fail" if least >= span[1] else "pass" if most <= span[0] else "inconclusive"


def integrity(lane: LaneData, rule: IntegrityRule) -> Iterator[Instance]:
    wrong = set()
    for anomaly in lane.anomalies:
        if anomaly.name in rule.kinds and anomaly.at >= lane.synced and selected(lane, rule, anomaly.own):
            wrong.add(anomaly.own)
            misled = anomaly.name in OF_BYTES and misread(lane, anomaly.own, anomaly.at)
            yield Instance(anomaly.at, anomaly.own, "cut" if misled else "fail")
    for t in lane.transfers:
        if t.start >= lane.synced and t.number not in wrong and selected(lane, rule, t.number):
            yield Instance(t.start, t.number, "cut" if t.cut else "pass")


def parameter_of(rule: TimingRule) -> str:
    """The one parameter that the rules drawn are about."""
    return (*rule.limits, *rule.parameters)[0]


def bound_of(lane: LaneData, rule: TimingRule, period: int) -> tuple[str, Quantity] | None:
    """`min` or `max`, and the bound; None where the clock tells no mode that has one."""
    name = parameter_of(rule)
    if name in rule.limits:
        own = rule.limits[name]
        return ("min", own.min) if own.min is not None else ("max", own.max) if own.max is not None else None
    mode: str = rule.mode or ""
    if mode == "auto":
        if not period:
            return None
        # The slowest whose clock, and a tenth more, is as fast as this one.
        hertz = Fraction(lane.rate_hz or 0, period)
        fast_enough = [m for m, top in (("standard", 100_000), ("fast", 400_000)) if hertz <= top * Fraction(11, 10)]
        mode = fast_enough[0] if fast_enough else "fast-plus"
    (side,) = LIMITS[mode][name]
    return side, LIMITS[mode][name][side]


def held_by(begin: int) -> str:
    """Who held the clock in the stretch that begins here."""
    return ("unknown", "target", "controller")[begin % 3]


def timings(lane: LaneData, rule: TimingRule) -> Iterator[Instance]:
    for row in lane.timings:
        t = lane.transfers[row.transfer]
        bound = bound_of(lane, rule, t.period) if row.parameter == parameter_of(rule) else None
        if bound is None or not selected(lane, rule, t.number):
            continue
        side, limit = bound
        longest = (side == "max") == (row.parameter != "fSCL")  # the highest frequency is the shortest period
        value, at = (row.high, row.high_at) if longest else (row.low, row.low_at)
        if row.parameter == "fSCL" and side == "min":
            value, at = t.period, t.start
            if not value:
                continue
        if at < lane.synced:
            continue
        verdict = kept_to(lane, row, value, limit, longest=longest)
        yield Instance(at, t.number, "cut" if t.cut and verdict != "fail" else verdict, value)


def kept_to(lane: LaneData, row: Measured, value: int, limit: Quantity, *, longest: bool) -> str:
    """Whether a time keeps to its bound. A sum of n low phases less n times the shortest has 2 n ends."""
    span = reach(lane, limit, 0)
    if span is None:
        return "inconclusive"
    holder = {"tLOW:SEXT": "target", "tLOW:MEXT": "controller"}.get(row.parameter)
    ends = 1 if holder is None else 2 * row.count
    surely_under, surely_over = value + ends <= span[0], value - ends >= span[1]
    if holder is not None and surely_over:
        theirs = [e - b for b, e, number in lane.stretches if number == row.transfer and held_by(b) == holder]
        certain = sum(theirs) if holder == "target" else max(theirs, default=0)
        surely_over = certain - ends >= span[1]
    if longest:
        return "pass" if surely_under else "fail" if surely_over else "inconclusive"
    return "pass" if surely_over else "fail" if surely_under else "inconclusive"


# Order: patterns as trees, matched by taking derivatives (Brzozowski 1964) --------------------------------------------

Tree = tuple[Any, ...]
EMPTY: Tree = ("seq",)


def name(event: str) -> Tree:
    return ("name", event)


def seq(*parts: Tree) -> Tree:
    flat = [q for p in parts for q in (p[1:] if p[0] == "seq" else (p,))]
    return flat[0] if len(flat) == 1 else ("seq", *flat)


def alt(*parts: Tree) -> Tree | None:
    flat = {q for p in parts for q in (p[1] if p[0] == "alt" else (p,))}
    return None if not flat else next(iter(flat)) if len(flat) == 1 else ("alt", frozenset(flat))


def rep(part: Tree, low: int, high: int | None) -> Tree:
    return EMPTY if high == 0 else ("rep", part, low, high)


def text_of(tree: Tree) -> str:
    """A pattern as a rule file writes it."""
    match tree:
        case ("name", event):
            return str(event)
        case ("seq", *parts):
            return "(" + " ".join(text_of(p) for p in parts) + ")"
        case ("alt", parts):
            return "(" + " | ".join(sorted(text_of(p) for p in parts)) + ")"
        case ("rep", part, low, high):
            return f"({text_of(part)})" + f"{{{low},{'' if high is None else high}}}"
    raise AssertionError(tree)


def may_end(tree: Tree) -> bool:
    match tree:
        case ("name", _):
            return False
        case ("seq", *parts):
            return all(may_end(p) for p in parts)
        case ("alt", parts):
            return any(may_end(p) for p in parts)
        case ("rep", part, low, _):
            return low == 0 or may_end(part)
    raise AssertionError(tree)


def rest(tree: Tree, event: str) -> Tree | None:
    """What must follow `event` for the whole to match; None: nothing can."""
    match tree:
        case ("name", expected):
            return EMPTY if expected == event else None
        case ("seq",):
            return None
        case ("seq", first, *others):
            ways = []
            if (after := rest(first, event)) is not None:
                ways.append(seq(after, *others))
            if may_end(first) and (skipped := rest(seq(*others), event)) is not None:
                ways.append(skipped)
            return alt(*ways)
        case ("alt", parts):
            return alt(*(r for p in parts if (r := rest(p, event)) is not None))
        case ("rep", part, low, high):
            after = rest(part, event)
            return None if after is None else seq(after, rep(part, max(low - 1, 0), None if high is None else high - 1))
    raise AssertionError(tree)


def alphabet(tree: Tree) -> set[str]:
    match tree:
        case ("name", event):
            return {str(event)}
        case ("seq", *parts):
            return set().union(*(alphabet(p) for p in parts)) if parts else set()
        case ("alt", parts):
            return set().union(*(alphabet(p) for p in parts))
        case ("rep", part, _, _):
            return alphabet(part)
    raise AssertionError(tree)


def middles(tree: Tree) -> set[Tree]:
    """Everything that may still have to follow at some point of a match."""
    found, todo = {tree}, [tree]
    while todo:
        now = todo.pop()
        for event in alphabet(now):
            after = rest(now, event)
            if after is not None and after not in found:
                found.add(after)
                todo.append(after)
    return found


def follows(tree: Tree, events: Iterable[str]) -> Tree | None:
    now: Tree | None = tree
    for event in events:
        now = None if now is None else rest(now, event)
    return now


PATTERNS: dict[str, Tree] = {}
"""Trees of the patterns the strategies wrote, by their text: the twin does not parse."""


def orders(lane: LaneData, rule: OrderRule) -> Iterator[Instance]:
    tree = PATTERNS[rule.pattern]
    seen = alphabet(tree) | {"start", "restart", "stop"}
    if rule.scope == "capture":
        kept = [e for e in everything(lane) if e.name in seen and placed(lane, rule, e)[0]]
        ends = [follows(tree, (e.name for e in history)) for history in histories(kept)]
        yield Instance(lane.synced, -1, agreed({"pass" if t is not None and may_end(t) else "fail" for t in ends}))
        return
    for scope in scopes(lane, rule.scope):
        if scope.of.start >= lane.synced and selected(lane, rule, scope.of.number):
            ways = set(ordered(lane, rule, scope, seen))
            yield Instance(scope.of.start, scope.of.number, order_verdict(tree, scope, ways))


def ordered(lane: LaneData, rule: OrderRule, scope: Scope, seen: set[str]) -> Iterator[tuple[str, ...]]:
    """The names of what lies in a scope, in every order that was possible."""
    opens = Event(scope.of.start, "start", scope.of.number)
    near = [
        e
        for e in everything(lane)
        if e.name in seen
        and (member_of(lane, e, rule.scope) == scope.of.number or (scope.edge is not None and e.at == scope.edge.at))
    ]
    for history in histories(near):
        kept = history[history.index(opens) :]
        if scope.edge is not None:
            edge = kept.index(scope.edge)
            kept = kept[: edge + 1] if rule.scope == "transfer" else kept[:edge]
        names = tuple(e.name for e in kept)
        yield names
        if scope.cut_begin:
            yield ("restart", *names[1:])


def order_verdict(tree: Tree, scope: Scope, ways: set[tuple[str, ...]]) -> str:
    begins = middles(tree) if scope.cut_begin else {tree}
    ends = [follows(begin, way) for begin in begins for way in ways]
    if scope.cut_end:
        return "cut" if any(t is not None for t in ends) else "fail"
    matched = {"pass" if t is not None and may_end(t) else "fail" for t in ends}
    if scope.cut_begin:
        return "cut" if "pass" in matched else "fail"
    return agreed(matched)
