"""Rules that make sense key by key and still can never pass, or can never find anything to judge."""

from __future__ import annotations

from collections.abc import Iterator

from tracecheck.rules.model import (
    DurationRule,
    OccurrenceRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    Rule,
)
from tracecheck.rules.quantity import Quantity

_RECURS = 'how long it takes from one to the next is asked by kind = "recurrence"'


def impossible(rule: Rule) -> Iterator[tuple[str, str]]:
    """(key, why it cannot be, and what to write instead)."""
    match rule:
        case ResponseRule():
            yield from _answered(rule)
        case PrecedenceRule():
            yield from _caused(rule)
        case OccurrenceRule():
            yield from _counted(rule)
    for key, bound in _most(rule):
        if bound is not None and not bound.amount:
            yield (
                key,
                f"no capture can show that it took no time; give {key} more than a sample period, or leave it out",
            )
    where = rule.where
    if where.outcome == frozenset({"void"}):
        if rule.scope == "exchange":
            yield "where", 'a void (START, then STOP) opens no exchange; write scope = "transfer"'
        elif where.length is not None and all(low > 0 for low, _ in where.length):
            yield "where", "a void (START, then STOP) has no bytes; leave out length, or the outcome"


def _answered(rule: ResponseRule) -> Iterator[tuple[str, str]]:
    if rule.trigger == rule.response:
        yield "response", f"{rule.response} is the trigger itself; {_RECURS}"
    elif rule.scope == "transfer" and rule.trigger == "stop":
        yield "trigger", 'nothing comes after stop in a transfer; write scope = "exchange"'
    elif rule.scope != "capture" and rule.response == "start":
        yield "response", f'start comes first in each {rule.scope}, so it answers nothing; write scope = "capture"'


def _caused(rule: PrecedenceRule) -> Iterator[tuple[str, str]]:
    if rule.event == rule.cause:
        yield "cause", f"{rule.cause} is the event itself; {_RECURS}"
    elif rule.scope != "capture" and rule.event == "start":
        yield "event", f'nothing comes before start in each {rule.scope}; write scope = "capture"'
    elif rule.scope == "transfer" and rule.cause == "stop":
        yield "cause", 'nothing comes after stop in a transfer; write scope = "exchange"'


def _counted(rule: OccurrenceRule) -> Iterator[tuple[str, str]]:
    if rule.scope != "capture" and rule.event in ("start", "stop") and rule.min > 1:
        yield "min", f'{rule.event} comes once in each {rule.scope}; write scope = "capture" to count them all'
    elif rule.scope != "capture" and rule.event == "start" and rule.max == 0:
        yield "max", f"each {rule.scope} begins with start, so there is one; for none of some transfers use absence"


def _most(rule: Rule) -> Iterator[tuple[str, Quantity | None]]:
    if isinstance(rule, (ResponseRule, PrecedenceRule)):
        yield "within", rule.within
    if isinstance(rule, (DurationRule, RecurrenceRule)):
        yield "max", rule.max
    if isinstance(rule, RecurrenceRule):
        yield "jitter", rule.jitter
    if isinstance(rule, (ResponseRule, DurationRule, RecurrenceRule)):
        yield from ((each.name, each.bound) for each in rule.percentiles)
