"""The words of the rule language: kinds, events, roles, anomalies. Everything else a rule says is a number or a name.

Event names have one canonical form, which is all the checkers ever see: a bus event or a derived one stands for
itself, an anomaly kind likewise, and a marker's edge is always `NAME.begin` or `NAME.end`. A plain `NAME` is short
for `NAME.begin`; of a pulse-count marker that is the first edge of the code. What one of sigrok's decoders says is
`DECODER:CLASS.begin` or `.end`, the beginning and the end of such an annotation.
"""

from __future__ import annotations

import re
from typing import Final

from tracecheck.words import ANOMALIES, BUS_EVENTS, OUTCOMES, SEVERITIES, TRANSFER_DIRECTIONS

__all__ = [
    "ANOMALIES",
    "BUS_EVENTS",
    "CODINGS",
    "DERIVED_EVENTS",
    "DIRECTIONS",
    "EVENT",
    "INTERVALS",
    "KINDS",
    "NAME",
    "OUTCOMES",
    "RESERVED",
    "ROLES",
    "ROLES_OF",
    "SCOPES",
    "SEVERITIES",
    "TIMED_KINDS",
    "WIRE",
    "annotation_of",
    "canonical",
    "canonical_cause",
    "marker_of",
]

DERIVED_EVENTS: Final = ("wake", "ready")
"""`wake`: the first run.begin after an irq.begin, one an interrupt. `ready`: pending.begin, or pending already high at
irq.begin. Roles they need: `ROLES_OF`."""
WIRE: Final = "wire"
"""Any event of the bus: what a marker can follow when no one of them is its cause each time. A cause only."""
ROLES: Final = ("irq", "pending", "run")
ROLES_OF: Final = {"wake": ("irq", "run"), "ready": ("irq", "pending")}

KINDS: Final = (
    "response",
    "precedence",
    "absence",
    "occurrence",
    "duration",
    "recurrence",
    "order",
    "integrity",
    "timing",
)
TIMED_KINDS: Final = ("response", "duration", "recurrence")
"""Kinds whose instances are times that percentiles can be taken of."""

SCOPES: Final = ("capture", "transfer", "exchange")
DIRECTIONS: Final = tuple(word for word in TRANSFER_DIRECTIONS if word != "none")
CODINGS: Final = ("level", "pulse-count")
INTERVALS: Final = ("stretch", "transfer", "idle")
"""What a duration rule can measure beside a marker."""

RESERVED: Final = frozenset(
    (*BUS_EVENTS, *DERIVED_EVENTS, *ANOMALIES, *INTERVALS, WIRE, "capture", "exchange", "begin", "end")
)
"""Words that no marker may take as its name."""

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
EVENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(:[A-Za-z0-9_-]+)?(\.[A-Za-z0-9_-]*)?")

_POINTS: Final = frozenset((*BUS_EVENTS, *DERIVED_EVENTS, *ANOMALIES))


def canonical(event: str) -> str:
    """The one form of an event name: `irq` becomes `irq.begin`, `stop` stays. Raises ValueError where it is no name.

    Whether a marker of that name exists is not asked here.
    """
    if not EVENT.fullmatch(event):
        raise ValueError(f'"{event}" is not an event name; events are for example "stop", "irq.begin", "wake"')
    name, dot, edge = event.partition(".")
    if name == WIRE:
        raise ValueError(f'"{WIRE}" is any event of the bus and can only be the cause of a marker; name one of them')
    if name in _POINTS:
        if dot:
            raise ValueError(f'"{name}" is an instant and has no ".{edge}"; write "{name}"')
        return name
    if dot and edge not in ("begin", "end"):
        what = "an annotation" if ":" in name else "a marker"
        raise ValueError(f'{what} has "{name}.begin" and "{name}.end", not "{event}"')
    return event if dot else f"{name}.begin"


def canonical_cause(event: str) -> str:
    """As canonical, for what may come before an event: `wire` too."""
    return event if event == WIRE else canonical(event)


def marker_of(event: str) -> str | None:
    """The marker a canonical event is an edge of, or None for a bus event, a derived one, an anomaly, an annotation."""
    name, dot, _ = event.partition(".")
    return name if dot and ":" not in name else None


def annotation_of(event: str) -> tuple[str, str] | None:
    """The stack and the annotation class that a canonical event is the begin or end of, or None for any other."""
    stack, colon, rest = event.partition(":")
    return (stack, rest.partition(".")[0]) if colon else None
