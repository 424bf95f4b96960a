"""What the keys of a rule file may hold: names, channels, events, and how each is checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from tracecheck.rules.drivers.library import MODELS
from tracecheck.rules.mistakes import described, nearest
from tracecheck.rules.pattern import compile_pattern
from tracecheck.rules.percentile import Percentile, parse_percentiles
from tracecheck.rules.vocabulary import ANOMALIES, INTERVALS, NAME, canonical, canonical_cause

Severity = Literal["error", "warning", "note"]
Scope = Literal["capture", "transfer", "exchange"]


def _named(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(f'"{value}" is not a name; use letters, digits, "-" and "_", a letter first')
    return value


def _interval(value: str) -> str:
    if value in INTERVALS:
        return value
    if value.endswith((".begin", ".end")):
        raise ValueError(f'a duration is of the marker itself; write "{value.partition(".")[0]}"')
    if ":" in value:
        raise ValueError(f'"{value}" is no marker; from "{value}.begin" to "{value}.end" is kind = "response"')
    return _named(value)


def _kinds(value: object) -> frozenset[str]:
    items = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    if not items:
        raise ValueError(f"an empty list judges nothing (anomaly kinds: {', '.join(ANOMALIES)})")
    for item in items:
        if item not in ANOMALIES:
            raise ValueError(f'unknown anomaly kind "{item}"{nearest(str(item), ANOMALIES)}')
    return frozenset(str(item) for item in items)


def _pattern(value: str) -> str:
    compile_pattern(value)
    return value


def _model(value: str) -> str:
    if value not in MODELS:
        raise ValueError(f'unknown driver model "{value}"{nearest(value, tuple(MODELS), "models")}')
    return value


def _channel(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if isinstance(value, str) and value:
        return value
    raise ValueError(f'a channel is a name such as "D2" or a bit such as 2, not {described(value)}')


Channel = Annotated[str, BeforeValidator(_channel)]
"""A channel's name; a number is the bit of that number where no channel has it as its name."""
Event = Annotated[str, AfterValidator(canonical)]
Cause = Annotated[str, AfterValidator(canonical_cause)]
Name = Annotated[str, AfterValidator(_named)]
Model = Annotated[str, AfterValidator(_model)]
"""A driver model of drivers/library.py, by name."""
Percentiles = Annotated[tuple[Percentile, ...], BeforeValidator(parse_percentiles)]
"""In a file each is a key of its own: `p99 = "10us"`. In ascending order."""
Kinds = Annotated[frozenset[str], BeforeValidator(_kinds)]
"""Kinds of anomaly, one or more."""
Interval = Annotated[str, AfterValidator(_interval)]
"""A level marker, or one of the bus's own intervals."""
Pattern = Annotated[str, AfterValidator(_pattern)]
