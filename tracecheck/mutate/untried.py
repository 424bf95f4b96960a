"""Bounds of the rules that no operator breaks: they are listed, so that nothing that was not tried looks tested."""

from __future__ import annotations

from collections.abc import Iterator

from tracecheck.mutate.delays import LATE, upper
from tracecheck.mutate.early import EARLY
from tracecheck.mutate.scene import Scene
from tracecheck.rules.model import AnyRule, DurationRule, RecurrenceRule


def untried(scene: Scene) -> Iterator[tuple[str, str]]:
    """(rule, reason)."""
    for rule in scene.rules.rules:
        yield from ((rule.id, reason) for reason in _reasons(rule))


def _reasons(rule: AnyRule) -> Iterator[str]:
    if rule.kind == "timing":
        yield "no operator changes the bus's timing"
    if any(each.share < 1 for each in getattr(rule, "percentiles", ())):
        yield "no operator makes so many instances late that a percentile breaks"
    event = {"response": getattr(rule, "response", ""), "precedence": getattr(rule, "event", "")}.get(rule.kind)
    low = getattr(rule, "min", None) if rule.kind in ("response", "precedence", "duration") else None
    if event is not None:
        if upper(rule) is not None and event not in LATE:
            yield f"no operator makes {event} late"
        if low is not None and low.amount and event not in EARLY:
            yield f"no operator makes {event} early"
    if isinstance(rule, DurationRule) and rule.of in ("stretch", "transfer") and low is not None and low.amount:
        yield f"no operator makes a {rule.of} shorter"
    if isinstance(rule, RecurrenceRule) and rule.scope != "capture":
        yield f"no operator changes the period of an event within one {rule.scope}"
