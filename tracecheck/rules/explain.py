"""One rule, or one kind of rule, explained: what it asks, of which instances, why, and what passes and fails.

The examples are worked out from the rule itself: sequences from the automaton of its pattern, counts from its driver
model. So they can be held to what the engine says.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from typing import Any, Final

import numpy as np

from tracecheck import words
from tracecheck.rules.describe import describe, describe_selector
from tracecheck.rules.drivers.model import DriverModel
from tracecheck.rules.drivers.shapes import Shapes
from tracecheck.rules.model import (
    RULE_CLASSES,
    AbsenceRule,
    DurationRule,
    IntegrityRule,
    OccurrenceRule,
    OrderRule,
    PrecedenceRule,
    RecurrenceRule,
    ResponseRule,
    Rule,
    TimingRule,
)
from tracecheck.rules.pattern import Dfa, compile_pattern
from tracecheck.rules.selector import Selector
from tracecheck.rules.vocabulary import ANOMALIES

_SCOPES: Final = {
    "capture": "the whole capture",
    "transfer": "each transfer, from START to STOP",
    "exchange": "each exchange, from START to the next START, or to `settle` after STOP where that comes first",
}
_NO_BOUNDS: Final = frozenset((*Rule.model_fields, "trigger", "response", "event", "cause", "of", "pattern", "kinds"))
_LENGTHS: Final = (0, 1, 3, 15, 16, 20, 40)
_ALL_SHOWN: Final = 10
"""Events of an alphabet up to which an example of a pattern shows all it can."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sequence of events, or what was counted or measured; `note` says what is meant, or what is wrong with it."""

    text: str
    note: str = ""


Examples = tuple[tuple[Example, ...], tuple[Example, ...]]
"""What passes, and what fails."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule in words. `scope`: what one instance is taken from; `bounds`: the keys that bound it, as in a file."""

    id: str
    kind: str
    severity: str
    optional: bool
    what: str
    why: str
    kind_what: str
    scope: str
    where: str
    bounds: tuple[tuple[str, str], ...]
    passes: tuple[Example, ...]
    fails: tuple[Example, ...]
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class ExplainedKind:
    """A kind of rule: its sentence, how it is judged, the keys beside those of all rules, and an example in TOML."""

    kind: str
    what: str
    how: tuple[str, ...]
    keys: tuple[str, ...]
    example: str


def explain(rule: Rule) -> Explained:
    """What one rule means."""
    passes, fails = _examples(rule)
    return Explained(
        id=rule.id,
        kind=rule.kind,
        severity=rule.severity,
        optional=rule.optional,
        what=describe(rule),
        why=rule.why,
        kind_what=explain_kind(rule.kind).what,
        scope=_SCOPES[rule.scope],
        where=describe_selector(rule.where),
        bounds=tuple(_bounds(rule)),
        passes=passes,
        fails=fails,
        source=rule.source,
        line=rule.line,
    )


def explain_kind(kind: str) -> ExplainedKind:
    """What rules of one kind have in common; from the docstring of its checker. Raises KeyError."""
    cls = RULE_CLASSES[kind]
    text = import_module(f"tracecheck.rules.checks.{kind}").__doc__ or ""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    prose = [part for part in paragraphs[1:] if not part.startswith(" ") and "`extra`" not in part]
    example = "\n\n".join(inspect.cleandoc(part) for part in paragraphs if part.startswith("    [[rule]]"))
    shown = {"of": "marker", "percentiles": "p50, p99, ..."}
    return ExplainedKind(
        kind=kind,
        what=paragraphs[0].partition(": ")[2].replace("\n", " "),
        how=tuple(re.sub(r"\s+", " ", part) for part in prose),
        keys=tuple(shown.get(name, name) for name in cls.model_fields if name not in Rule.model_fields),
        example=example,
    )


def _bounds(rule: Rule) -> Iterator[tuple[str, str]]:
    for name, field in type(rule).model_fields.items():
        value = getattr(rule, name)
        if name in _NO_BOUNDS or value == field.default:
            continue
        if name == "percentiles":
            yield from ((each.name, str(each.bound)) for each in value)
        else:
            yield name, {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _examples(rule: Rule) -> Examples:
    """What passes and what fails; both are empty for kinds that measure the wire itself."""
    found: Examples = (), ()
    match rule:
        case ResponseRule():
            found = _spaced(rule, f"{rule.trigger} {rule.response}", f"{rule.trigger} (no {rule.response})", "later")
        case PrecedenceRule():
            found = _spaced(rule, f"{rule.cause} {rule.event}", f"{rule.event} (no {rule.cause} before it)", "before")
        case AbsenceRule():
            each = Example(f"start ... {rule.event} ... stop", f"one failure for each {rule.event}")
            found = (Example("start ... stop"),), (each,)
        case OccurrenceRule():
            found = _counted(rule) if rule.driver is None else _modelled(rule, rule.driver)
        case DurationRule():
            found = _measured(rule, rule.of, "")
        case RecurrenceRule():
            found = _measured(rule, rule.event, f" {rule.event}")
        case OrderRule():
            found = _ordered(rule)
        case TimingRule():
            found = (
                (Example("start address ack stop", "every edge where the mode wants it"),),
                (Example("start address ack stop", "one interval shorter, or longer, than its bound"),),
            )
        case IntegrityRule():
            found = (), tuple(Example(kind) for kind in ANOMALIES if kind in rule.kinds)
    return found


def _spaced(rule: ResponseRule | PrecedenceRule, both: str, alone: str, side: str) -> Examples:
    between = " and ".join(
        [f"at least {rule.min}"] * (rule.min is not None) + [f"at most {rule.within}"] * (rule.within is not None)
    )
    fails = [Example(alone)]
    fails += [Example(both, f"more than {rule.within} {side}")] * (rule.within is not None)
    fails += [Example(both, f"less than {rule.min} {side}")] * (rule.min is not None)
    return (Example(both, f"{between} {side}" if between else ""),), tuple(fails)


def _measured(rule: DurationRule | RecurrenceRule, first: str, then: str) -> Examples:
    text, fails = f"{first} ...{then}", []
    fails += [Example(text, f"more than {rule.max}")] * (rule.max is not None)
    fails += [Example(text, f"less than {rule.min}")] * (rule.min is not None)
    between = " and ".join(
        [f"at least {rule.min}"] * (rule.min is not None) + [f"at most {rule.max}"] * (rule.max is not None)
    )
    return ((Example(text, between),) if between else ()), tuple(fails)


def _counted(rule: OccurrenceRule) -> Examples:
    fails = [Example(f"{rule.max + 1} x {rule.event}")] if rule.max is not None else []
    fails += [Example(f"{rule.min - 1} x {rule.event}")] if rule.min else []
    return (Example(f"{rule.min or rule.max} x {rule.event}"),), tuple(fails)


def _modelled(rule: OccurrenceRule, driver: DriverModel) -> Examples:
    passes, fails = [], []
    shown = set()
    for shape, what in _shapes(rule.where):
        counts = driver.interrupts(shape)
        low, high = int(counts.least[0]), int(counts.most[0]) + rule.spare
        like = int(shape.direction[0]), int(shape.outcome[0]), low, high
        if not counts.known[0] or like in shown:
            continue
        shown.add(like)
        passes.append(Example(f"{low if rule.only != 'max' else high} x {rule.event}", what))
        if rule.only != "max" and low:
            fails.append(Example(f"{low - 1} x {rule.event}", what))
        if rule.only != "min":
            fails.append(Example(f"{high + 1} x {rule.event}", what))
    return tuple(passes), tuple(fails)


def _ordered(rule: OrderRule) -> Examples:
    if rule.driver is None:
        dfa = compile_pattern(rule.pattern)
        known = [("", dfa, matching(dfa))]
    else:
        found = [int(rule.driver.order_of(shape)[0]) for shape, _ in _shapes(rule.where)]
        orders = [rule.driver.orders[index] for index in dict.fromkeys(found) if index >= 0]
        known = [(order.what, compile_pattern(order.pattern), order.example) for order in orders]
    passes, fails = [], []
    for what, dfa, good in known:
        passes.append(Example(" ".join(good), what))
        if bad := spoilt(dfa, good):
            fails.append(Example(" ".join(bad), "; ".join([what] * bool(what) + [_wrong(dfa, bad)])))
    return tuple(passes), tuple(fails)


def matching(dfa: Dfa) -> list[str]:
    """A sequence that matches, as short as one can be that shows as many of the pattern's events as any."""
    every = len(dfa.symbols) <= _ALL_SHOWN
    begin = (dfa.start, 0)
    came: dict[tuple[int, int], tuple[tuple[int, int], int] | None] = {begin: None}
    order = [begin]
    for here in order:  # grows while it is walked: breadth first, so each is reached the shortest way
        state, shown = here
        for column, to in enumerate(dfa.table[state].tolist()):
            there = (to, shown | 1 << column if every else 0)
            if dfa.live[to] and there not in came:
                came[there] = here, column
                order.append(there)
    best = max((there for there in order if dfa.accepting[there[0]]), key=lambda there: there[1].bit_count())
    found: list[str] = []
    step = came[best]
    while step is not None:
        found.append(dfa.symbols[step[1]])
        step = came[step[0]]
    return found[::-1]


def spoilt(dfa: Dfa, good: list[str]) -> list[str]:
    """The sequence with two neighbours swapped, or an event left out, the last ones first, so that it fails."""
    for i in range(len(good) - 2, -1, -1):
        swapped = [*good[:i], good[i + 1], good[i], *good[i + 2 :]]
        if i and not dfa.matches(swapped):
            return swapped
    for i in range(len(good) - 1, -1, -1):
        if not dfa.matches(left := good[:i] + good[i + 1 :]):
            return left
    return []


def _wrong(dfa: Dfa, bad: list[str]) -> str:
    """Where a sequence stops to fit, and what would have."""
    state = dfa.start
    for number, event in enumerate(bad):
        column = dfa.index(event)
        to = dfa.dead if column is None else int(dfa.table[state, column])
        if not dfa.live[to]:
            after = f" after {bad[number - 1]}" if number else ""
            return f"expected {' or '.join(dfa.expected(state)) or 'nothing more'}{after}, came {event}"
        state = to
    return f"expected {' or '.join(dfa.expected(state))} after {bad[-1]}, but nothing more came"


def _shapes(where: Selector) -> Iterator[tuple[Shapes, str]]:
    """Examples of the transfers a selector chooses, one at a time, and what each is in words."""
    directions = [d for d in ("write", "read", "write-read") if where.direction is None or d in where.direction]
    outcomes = [o for o in words.OUTCOMES[:3] if where.outcome is None or o in where.outcome]
    for outcome, direction, n in product(outcomes, directions, _LENGTHS):
        two = direction == "write-read"
        impossible = (n == 0) != (outcome == "address-nack") or (outcome == "data-nack" and direction != "write")
        if impossible or (two and n < 2):
            continue
        if where.length is not None and not any(a <= n <= (n if b is None else b) for a, b in where.length):
            continue
        values: dict[str, Any] = {
            "direction": words.TRANSFER_DIRECTIONS.index(direction),
            "outcome": words.OUTCOMES.index(outcome),
            "messages": 2 if two else 1,
            "first": 1 if two else n,
            "rest": n - 1 if two else 0,
            "ten_bit": False,
            "whole": True,
        }
        size = f"1 and {n - 1} bytes" if two else f"{n} byte{'' if n == 1 else 's'}"
        ending = {"acked": f"of {size}", "address-nack": "to nobody", "data-nack": f"refused at byte {n}"}[outcome]
        yield Shapes(**{name: np.array([value]) for name, value in values.items()}), f"{direction} {ending}"
