"""Faults of time: each event that a rule bounds comes 1.5 times the bound after what the rule measures it from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Final

import numpy as np

from tracecheck.decoding.exchanges import Samples
from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Exchange, Interrupt, Interval, Scene
from tracecheck.mutate.waiting import held, later
from tracecheck.rules.model import AnyRule, DurationRule, PrecedenceRule, ResponseRule
from tracecheck.rules.percentile import Percentile
from tracecheck.rules.quantity import Quantity
from tracecheck.timebase import time_text

FACTOR: Final = Fraction(3, 2)
"""A delay is this many times the bound that it is meant to break."""
LATE: Final = {
    "irq.begin": "interrupt-late",
    "wake": "wake-late",
    "run.begin": "wake-late",
    "ready": "ready-late",
    "pending.begin": "ready-late",
    "stop": "stop-late",
}
"""Which operator makes an event late."""
_ROLE_OF: Final = {"interrupt-late": "irq", "wake-late": "wake", "ready-late": "ready"}


def delays(scene: Scene) -> Iterator[Candidate]:
    """One for each bound of each rule, at each place that the rule judges."""
    for rule in scene.rules.rules:
        if rule.kind not in ("response", "precedence", "duration") or not scene.rate_hz:
            continue
        bound = upper(rule)
        if bound is None:
            continue
        match rule:
            case ResponseRule():
                yield from _late(scene, rule, rule.response, rule.trigger, bound)
            case PrecedenceRule():
                yield from _late(scene, rule, rule.event, rule.cause, bound)
            case DurationRule():
                yield from _long(scene, rule, bound)


def upper(rule: AnyRule) -> Quantity | None:
    """The time that each single instance must keep within, if the rule gives one."""
    percentiles: tuple[Percentile, ...] = getattr(rule, "percentiles", ())
    longest = [p.bound for p in percentiles if p.share == 1]
    own: Quantity | None
    match rule:
        case ResponseRule() | PrecedenceRule():
            own = rule.within
        case DurationRule():
            own = rule.max
        case _:
            return None
    return own if own is not None else longest[0] if longest else None


def _late(scene: Scene, rule: AnyRule, event: str, cause: str, bound: Quantity) -> Iterator[Candidate]:
    operator, causes = LATE.get(event), scene.events(cause)
    if operator is None or not len(causes):
        return
    judged = scene.chosen(rule.where)
    for exchange in scene.exchanges:
        limit = _samples(scene, exchange, bound)
        if not judged[exchange.row] or limit is None:
            continue
        for at, place, make in _places(scene, exchange, operator):
            since = latest(causes, at, exchange.start)
            inside = rule.scope != "transfer" or (since is not None and since < exchange.stop and at <= exchange.stop)
            if since is None or not inside or at - since >= limit:
                continue
            what = f"{event} {{}} after {cause}, {bound} allowed"
            yield Candidate(
                operator,
                exchange,
                at,
                what.format(time_text(limit, scene.rate_hz)),
                partial(make, limit - (at - since)),
                rule.id,
                place,
            )


def _long(scene: Scene, rule: DurationRule, bound: Quantity) -> Iterator[Candidate]:
    if rule.of in ("stretch", "transfer"):
        judged = scene.chosen(rule.where)
        for exchange in scene.exchanges:
            limit, rise = _samples(scene, exchange, bound), _middle(scene, exchange)
            if judged[exchange.row] and limit is not None and rise is not None:
                yield Candidate(
                    "clock-stretched",
                    exchange,
                    rise,
                    f"SCL held low for {time_text(limit, scene.rate_hz)}, {bound} allowed",
                    partial(held, scene, rise, limit),
                    rule.id,
                )
        return
    marker = next((m for m in scene.markers if rule.of in (m.role, m.name)), None)
    if marker is None or marker.coding != "level":
        return
    judged, (begins, ends) = scene.chosen(rule.where), scene.rows[marker.name]
    for exchange in scene.exchanges:
        limit = _samples(scene, exchange, bound)
        mine = np.flatnonzero((begins >= exchange.start) & (begins < exchange.close) & (ends >= 0))
        if not judged[exchange.row] or limit is None:
            continue
        for begin, end in zip(begins[mine].tolist(), ends[mine].tolist(), strict=True):
            if end - begin < limit:
                yield Candidate(
                    "interval-long",
                    exchange,
                    begin,
                    f"{marker.name} active for {time_text(limit, scene.rate_hz)}, {bound} allowed",
                    partial(later, scene, end, limit - (end - begin)),
                    rule.id,
                )


class _Later:
    """Makes an event late by so many samples."""

    def __init__(self, scene: Scene, interrupt: Interrupt | None, at: int) -> None:
        self._scene, self._interrupt, self._at = scene, interrupt, at

    def __call__(self, by: int) -> Lines:
        if self._interrupt is None:
            return held(self._scene, self._at, by)
        irq = self._interrupt.irq
        return later(self._scene, self._at, by, sparing=irq if irq.begin < self._at else None)


def _places(scene: Scene, exchange: Exchange, operator: str) -> Iterator[tuple[int, str, _Later]]:
    """Sample, what sort of place it is, and the maker, of each event that the operator can make late."""
    if operator == "stop-late":
        yield exchange.stop, "", _Later(scene, None, exchange.stop)
        return
    for interrupt in exchange.interrupts:
        of: Interval | None = getattr(interrupt, _ROLE_OF[operator])
        if of is not None:
            yield of.begin, "after STOP" if of.begin >= exchange.stop else "", _Later(scene, interrupt, of.begin)


def latest(causes: Samples, at: int, start: int) -> int | None:
    """The latest cause from `start` up to `at`."""
    i = int(np.searchsorted(causes, at, "right")) - 1
    return int(causes[i]) if i >= 0 and causes[i] >= start else None


def _samples(scene: Scene, exchange: Exchange, bound: Quantity) -> int | None:
    period = int(scene.window.transfers["period"][exchange.row])
    exact = bound.samples(scene.rate_hz, period or None)
    return None if exact is None else ceil(exact * FACTOR) + 2


def _middle(scene: Scene, exchange: Exchange) -> int | None:
    """The last SCL rise of the byte in the middle of a transfer."""
    mine = np.flatnonzero(scene.bytes["transfer"] == exchange.transfer)
    return int(scene.bytes["at"][mine[len(mine) // 2]]) if len(mine) else None
