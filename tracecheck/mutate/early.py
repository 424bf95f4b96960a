"""Faults of time, the other way: what a rule gives a `min` for comes after two thirds of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Final

import numpy as np

from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.delays import FACTOR, latest
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.marker_faults import moved
from tracecheck.mutate.scene import Exchange, Interval, Scene
from tracecheck.rules.model import DurationRule, PrecedenceRule, ResponseRule
from tracecheck.rules.quantity import Quantity
from tracecheck.timebase import time_text

EARLY: Final = {
    "irq.begin": "interrupt-early",
    "wake": "wake-early",
    "ready": "ready-early",
}
"""Which operator makes an event early."""


def early(scene: Scene) -> Iterator[Candidate]:
    """One for each `min` of each rule, at each place that the rule judges."""
    for rule in scene.rules.rules:
        low: Quantity | None = getattr(rule, "min", None) if rule.kind != "occurrence" else None
        if low is None or not low.amount or not scene.rate_hz:
            continue
        match rule:
            case ResponseRule():
                yield from _sooner(scene, rule, rule.response, rule.trigger, low)
            case PrecedenceRule():
                yield from _sooner(scene, rule, rule.event, rule.cause, low)
            case DurationRule():
                yield from _short(scene, rule, low)


def least(scene: Scene, exchange: Exchange, bound: Quantity) -> int | None:
    """Two thirds of a bound in samples, and surely below it."""
    period = int(scene.window.transfers["period"][exchange.row])
    exact = bound.samples(scene.rate_hz, period or None)
    return None if exact is None else max(int(exact / Fraction(FACTOR)) - 2, 0)


def _sooner(
    scene: Scene, rule: ResponseRule | PrecedenceRule, event: str, cause: str, bound: Quantity
) -> Iterator[Candidate]:
    operator, causes = EARLY.get(event), scene.events(cause)
    if operator is None or not len(causes):
        return
    judged = scene.chosen(rule.where)
    apart = None if any(marker.coding == "pulse-count" for marker in scene.markers) else 2
    for exchange in scene.exchanges:
        limit = least(scene, exchange, bound)
        if not judged[exchange.row] or limit is None:
            continue
        for interrupt in exchange.interrupts:
            of = {"interrupt-early": interrupt.irq, "wake-early": interrupt.wake, "ready-early": interrupt.ready}
            first = of[operator]
            since = None if first is None else latest(causes, first.begin, exchange.start)
            if first is None or since is None or first.begin - since <= limit:
                continue
            together = interrupt.intervals if operator == "interrupt-early" else (first,)
            lines = moved(scene, together, since + limit - first.begin, apart=apart)
            if lines is not None:
                said = f"{event} {time_text(limit, scene.rate_hz)} after {cause}, at least {bound} asked"
                yield Candidate(operator, exchange, first.begin, said, partial(_given, lines), rule.id)


def _short(scene: Scene, rule: DurationRule, bound: Quantity) -> Iterator[Candidate]:
    marker = next((m for m in scene.markers if rule.of in (m.role, m.name)), None)
    if marker is None or marker.coding != "level":
        return
    judged, (begins, ends) = scene.chosen(rule.where), scene.rows[marker.name]
    for exchange in scene.exchanges:
        limit = least(scene, exchange, bound)
        mine = np.flatnonzero((begins >= exchange.start) & (begins < exchange.close) & (ends >= 0))
        if not judged[exchange.row] or not limit:
            continue
        for begin, end in zip(begins[mine].tolist(), ends[mine].tolist(), strict=True):
            if end - begin > limit:
                of = Interval(marker.channel.bit, begin, end)
                what = f"{marker.name} active for {time_text(limit, scene.rate_hz)}, at least {bound} asked"
                make = partial(_ended, scene.lines, of, begin + limit)
                yield Candidate("interval-short", exchange, begin, what, make, rule.id)


def _ended(lines: Lines, of: Interval, at: int) -> Lines:
    return lines.moved(of.bit, of.end, of.end, at - of.end)


def _given(lines: Lines) -> Lines:
    return lines
