"""A rule in one plain sentence, for people who read a verdict without the rule file at hand."""

from __future__ import annotations

from tracecheck.rules.model import (
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
from tracecheck.rules.parameters import AUTO
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.selector import Selector, spans
from tracecheck.rules.timing import ParameterRule
from tracecheck.rules.vocabulary import ANOMALIES, DIRECTIONS, OUTCOMES


def describe(rule: Rule) -> str:
    """`after irq.begin, wake within 20us (transfers: address 0x3c, length 1..15)`: no capital, no full stop."""
    which = describe_selector(rule.where)
    return _sentence(rule) + (f" (transfers: {which})" if which else "")


def describe_selector(where: Selector) -> str:
    """What a selector asks for, key by key; an empty string where it asks for nothing."""
    parts = []
    if where.address is not None:
        parts.append(f"address {_addresses(where.address)}")
    if where.not_address is not None:
        parts.append(f"address not {_addresses(where.not_address)}")
    if where.direction is not None:
        parts.append(" or ".join(word for word in DIRECTIONS if word in where.direction))
    if where.outcome is not None:
        parts.append(" or ".join(word for word in OUTCOMES if word in where.outcome))
    if where.after is not None:
        parts.append(f"right after one that was {' or '.join(word for word in OUTCOMES if word in where.after)}")
    if where.length is not None:
        parts.append(f"length {' or '.join(_length(low, high) for low, high in where.length)}")
    if where.bus is not None:
        parts.append(f"bus {' or '.join(sorted(where.bus))}")
    if where.time is not None:
        parts.append(f"START at {where.time[0] or ''}..{where.time[1] or ''}")
    return ", ".join(parts)


def _sentence(rule: Rule) -> str:
    match rule:
        case ResponseRule():
            shared = ", one for several" if rule.shared else ""
            text = f"after {rule.trigger}, {rule.response} {_span(rule.min, rule.within) or 'follows'}{shared}"
            text = ", ".join([text, *_together(rule)])
        case PrecedenceRule():
            own = "its own " if rule.exclusive else ""
            text = f"before {rule.event}, {own}{rule.cause} {_span(rule.min, rule.within)}".rstrip()
        case AbsenceRule():
            text = f"no {rule.event} {_scope(rule)}"
        case OccurrenceRule():
            text = f"{_count(rule.min, rule.max)} {rule.event} {_scope(rule)}"
            text = text if rule.driver is None else _modelled(rule)
        case DurationRule():
            each = _least_most(rule.min, rule.max)
            text = ", ".join([f"{rule.of} lasts {each}"] * bool(each) + _together(rule))
            text = text if each else f"{rule.of}: {text}"
        case RecurrenceRule():
            each = _least_most(rule.min, rule.max)
            steady = [f"jitter within {rule.jitter}"] * (rule.jitter is not None)
            bounds = ", ".join([each] * bool(each) + steady + _together(rule))
            text = f"{_scope(rule)}, period of {rule.event}: {bounds}"
        case OrderRule():
            pattern = f"as driver model {rule.model} has it" if rule.driver else " ".join(rule.pattern.split())
            text = f"{_scope(rule)}: {pattern}"
        case TimingRule():
            text = _timing(rule)
        case ParameterRule():
            bounds = ", ".join(f"{bound}{f' ({mode})' if rule.by_clock else ''}" for mode, bound in rule.bounds.items())
            text = f"{rule.parameter} {'at least' if rule.side == 'min' else 'at most'} {bounds}"
        case IntegrityRule():
            text = f"no {' or '.join(kind for kind in ANOMALIES if kind in rule.kinds)} on the bus"
        case _:
            raise TypeError(f"no sentence for a rule of kind {rule.kind}")
    return text


def _timing(rule: TimingRule) -> str:
    parts = []
    if rule.mode is not None:
        mode = "the mode that fits the clock" if rule.mode == AUTO else f"mode {rule.mode}"
        which = f": {', '.join(rule.parameters)}" if rule.parameters else ""
        less = f", less {', '.join(rule.without)}" if rule.without else ""
        parts.append(f"bus timing of {mode}{which}{less}")
    for name, limit in rule.limits.items():
        parts.append(f"{name} {_least_most(limit.min, limit.max)}")
    return "; ".join(parts)


def _span(low: Quantity | None, high: Quantity | None) -> str:
    if low is None:
        return "" if high is None else f"within {high}"
    return f"not before {low}" if high is None else f"not before {low} and within {high}"


def _least_most(low: Quantity | None, high: Quantity | None) -> str:
    bounds = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
    return " and ".join(bounds)


def _together(rule: ResponseRule | DurationRule | RecurrenceRule) -> list[str]:
    return [str(percentile) for percentile in rule.percentiles]


def _scope(rule: Rule) -> str:
    return "in the capture" if rule.scope == "capture" else f"in each {rule.scope}"


def _count(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    if low == high:
        return f"exactly {low}"
    return f"at most {high}" if low == 0 else f"{low} to {high}"


def _modelled(rule: OccurrenceRule) -> str:
    count = {"min": "at least as many", "max": "at most as many", None: "as many"}[rule.only]
    spare = f", or {rule.spare} more" if rule.spare else ""
    return f"{count} {rule.event} {_scope(rule)} as driver model {rule.model} takes{spare}"


def _addresses(addresses: frozenset[int]) -> str:
    return " or ".join(f"{low:#04x}" if low == high else f"{low:#04x}..{high:#04x}" for low, high in spans(addresses))


def _length(low: int, high: int | None) -> str:
    return str(low) if low == high else f"{low}..{'' if high is None else high}"
