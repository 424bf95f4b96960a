"""The rules that a capture is judged by when nobody says which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import UsageError
from tracecheck.rules.file import load_many
from tracecheck.rules.model import MarkerSpec, Rule, RuleSet
from tracecheck.rules.vocabulary import ROLES, ROLES_OF, marker_of


def fitting_rules(wiring: Wiring, declared: Sequence[MarkerSpec] = ()) -> tuple[RuleSet, list[str]]:
    """The presets that fit what the capture has, and their names: `i2c` where there is a bus, `embassy-rp` where there
    is also an interrupt marker, or one was declared.

    Their rules are optional, as a capture need not have reads or long writes; but not those that need a marker that was
    declared and is not there: what somebody meant to check and could not is never a pass. For the same reason a marker
    that was declared under a name no preset knows is refused. Raises UsageError.
    """
    for marker in declared:
        if (marker.role or marker.name) not in ROLES:
            raise UsageError(
                f'no rule looks at a marker "{marker.name}"; call it {", ".join(ROLES[:-1])} or {ROLES[-1]}, which the '
                "presets know, or give the rules that name it"
            )
    there = {m.role or m.name for m in wiring.markers}
    lost = {m.role or m.name for m in declared} - there
    names = ["i2c"] if wiring.buses else []
    if wiring.buses and "irq" in there | lost:
        names.append("embassy-rp")
    return _optional(tuple(names), frozenset(lost)), names


@cache
def _optional(names: tuple[str, ...], lost: frozenset[str]) -> RuleSet:
    """The rules of these presets, optional but for those that look at a marker that is lost."""
    loaded = load_many(names)
    rules = tuple(
        r if r.optional or markers_of(r) & lost else r.model_copy(update={"optional": True}) for r in loaded.rules
    )
    return loaded.model_copy(update={"rules": rules})


def markers_of(rule: Rule) -> set[str]:
    """Roles and names of the markers a rule looks at, also through the events derived from them."""
    found = {name for event in rule.events if (name := marker_of(event)) is not None}
    return found.union(*(ROLES_OF.get(event, ()) for event in rule.events))
