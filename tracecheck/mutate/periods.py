"""Faults of the time between transfers: the bus is idle, or an event recurs, for 1.5 times its bound, or two thirds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import ceil

import numpy as np

from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.delays import FACTOR
from tracecheck.mutate.early import least
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.scene import Exchange, Scene
from tracecheck.mutate.waiting import idle
from tracecheck.rules.model import DurationRule, RecurrenceRule
from tracecheck.rules.quantity import Quantity
from tracecheck.timebase import time_text


def periods(scene: Scene) -> Iterator[Candidate]:
    """One for each bound of each rule about idle time or an event's period, wherever a START lies between."""
    for rule in scene.rules.rules if scene.rate_hz else ():
        if isinstance(rule, DurationRule) and rule.of == "idle":
            judged = scene.chosen(rule.where)
            for before, after in pairwise(scene.exchanges):
                if judged[after.row] and after.transfer == before.transfer + 1:
                    span = before.stop, after.start
                    yield from _changed(scene, rule, after, span, "idle", "the bus is idle for {}", rule.min)
        elif isinstance(rule, RecurrenceRule):
            yield from _recurring(scene, rule)


def _recurring(scene: Scene, rule: RecurrenceRule) -> Iterator[Candidate]:
    if rule.scope != "capture" or rule.event not in scene.codes:
        return
    at, transfer = scene.window.of(scene.codes[rule.event])
    row = scene.window.rows_of(transfer)
    if not rule.where.is_everything:
        mine = np.append(scene.chosen(rule.where), False)[row]
        at = at[mine]
    steps = np.diff(at)
    for first, second in pairwise(at.tolist()):
        # Time is put in, or taken out, before the START that lies between: all that follows moves with it.
        between = [e for e in scene.exchanges if first < e.start <= second]
        if not between:
            continue
        exchange, said = between[0], f"{{}} from {rule.event} to the next"
        yield from _changed(scene, rule, exchange, (first, second), "period", said, rule.min)
        if rule.jitter is not None:
            exact = rule.jitter.samples(scene.rate_hz)
            limit = int(steps.min()) + ceil(exact * FACTOR) + 2 if exact is not None else 0
            if limit > second - first and (_longest(rule) is None):
                what = f"{said.format(time_text(limit, scene.rate_hz))}, others take {rule.jitter} less at most"
                make = partial(idle, scene, exchange.start, limit - (second - first))
                yield Candidate("period-long", exchange, exchange.start, what, make, rule.id)


def _longest(rule: DurationRule | RecurrenceRule) -> Quantity | None:
    """The longest that each single instance may last."""
    longest = [p.bound for p in rule.percentiles if p.share == 1]
    return rule.max or (longest[0] if longest else None)


def _changed(
    scene: Scene,
    rule: DurationRule | RecurrenceRule,
    exchange: Exchange,
    span: tuple[int, int],
    of: str,
    said: str,
    low: Quantity | None,
) -> Iterator[Candidate]:
    """The span made too long, and too short, by what lies before the START of an exchange."""
    lasted, high = span[1] - span[0], _longest(rule)
    if high is not None and (exact := _exact(scene, exchange, high)) is not None:
        limit = ceil(exact * FACTOR) + 2
        if limit > lasted:
            what = f"{said.format(time_text(limit, scene.rate_hz))}, {high} allowed"
            make = partial(idle, scene, exchange.start, limit - lasted)
            yield Candidate(f"{of}-long", exchange, exchange.start, what, make, rule.id)
    limit_low = None if low is None or not low.amount else least(scene, exchange, low)
    if limit_low is not None and lasted > limit_low:
        by, (quiet, busy) = lasted - limit_low, _longest_quiet(scene, exchange, span[0])
        if busy - quiet > by + scene.clearance:
            what = f"{said.format(time_text(limit_low, scene.rate_hz))}, at least {low} asked"
            make = partial(_sooner, scene, busy, by)
            yield Candidate(f"{of}-short", exchange, exchange.start, what, make, rule.id)


def _exact(scene: Scene, exchange: Exchange, bound: Quantity) -> Fraction | None:
    period = int(scene.window.transfers["period"][exchange.row])
    return bound.samples(scene.rate_hz, period or None)


def _longest_quiet(scene: Scene, exchange: Exchange, since: int) -> tuple[int, int]:
    """Between which changes of the bus and its markers nothing happens for longest, before the START of an exchange."""
    ends = scene.window.transfers["end"]
    since = max(since, int(ends[exchange.row - 1]) if exchange.row else 0)
    changes = [scene.lines.within(bit, since, exchange.start) for bit in scene.bits]
    at = np.unique(np.concatenate([np.array([since, exchange.start], np.int64), *changes]))
    if len(at) < 2:
        return since, since
    longest = int(np.argmax(np.diff(at)))
    return int(at[longest]), int(at[longest + 1])


def _sooner(scene: Scene, at: int, by: int) -> Lines:
    """What this bus and its markers do from a sample on comes earlier, into a time in which they do nothing."""
    lines = dict(scene.lines.toggles)
    for bit in scene.bits:
        lines[bit] = np.where(lines[bit] >= at, lines[bit] - by, lines[bit])
    return Lines(lines, scene.lines.initial, scene.lines.end)
