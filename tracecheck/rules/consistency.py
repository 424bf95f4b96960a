"""What can only be judged of a whole rule set: whether its rules, markers and buses fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tracecheck.errors import RuleError
from tracecheck.rules.impossible import impossible
from tracecheck.rules.library import preset_names
from tracecheck.rules.mistakes import nearest
from tracecheck.rules.model import MarkerSpec, RuleSet
from tracecheck.rules.stacks import unfit_annotation, unfit_stack
from tracecheck.rules.vocabulary import (
    ANOMALIES,
    BUS_EVENTS,
    DERIVED_EVENTS,
    EVENT,
    INTERVALS,
    NAME,
    ROLES,
    annotation_of,
    canonical,
    marker_of,
)


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit: in which table, its name, the key ("": the table), and what is wrong."""

    table: Literal["bus", "marker", "stack", "rule"]
    name: str
    key: str
    reason: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A canonical event that a rule names under `key`; `interval`: its marker's whole interval is meant."""

    key: str
    event: str
    offset: int | None = None
    interval: bool = False


def misfits(rules: RuleSet, known_markers: Collection[str] = (), known_buses: Collection[str] = ()) -> Iterator[Misfit]:
    """Everything in the set that does not fit together. The known names are declared elsewhere: on a command line."""
    buses = {*rules.buses, *known_buses}
    known = Known.of(rules, known_markers)
    for spec in rules.buses.values():
        if spec.scl is not None and spec.scl == spec.sda:
            yield Misfit("bus", spec.name, "sda", f'SCL and SDA are the same channel "{spec.sda}"')
    yield from _misfit_markers(rules, buses)
    for stack in rules.stacks.values():
        if reason := unfit_stack(stack.decoders):
            yield Misfit("stack", stack.name, "decoders", reason)
    for rule in rules.rules:
        values = {name: getattr(rule, name) for name in type(rule).model_fields}
        # A shipped rule is not the user's to mend: where it asks a pulse count for its width, it judges nothing.
        shipped = rule.source in preset_names()
        for mention in mentions(values):
            if reason := known.unfit(mention, shipped=shipped):
                yield Misfit("rule", rule.id, mention.key, reason, mention.offset)
        for key, reason in impossible(rule):
            yield Misfit("rule", rule.id, key, reason)
        for bus in sorted(rule.where.bus or ()):
            if buses and bus not in buses:
                yield Misfit("rule", rule.id, "where", f"no [bus.{bus}] is declared{nearest(bus, sorted(buses))}")


def checked(rules: RuleSet) -> RuleSet:
    """The set itself, once it is known to fit together. Raises RuleError with a line for every misfit."""
    places = {rule.id: f"{rule.source or 'rules'}:{rule.line}" if rule.line else rule.source for rule in rules.rules}
    lines = []
    for misfit in misfits(rules):
        where = places.get(misfit.name, "") if misfit.table == "rule" else ""
        lines.append(f'{where}{": " if where else ""}{misfit.table} "{misfit.name}", {misfit.key}: {misfit.reason}')
    if lines:
        raise RuleError(lines)
    return rules


def _misfit_markers(rules: RuleSet, buses: Collection[str]) -> Iterator[Misfit]:
    roles: dict[tuple[str, str | None], str] = {}
    pins: dict[tuple[str, int | None], MarkerSpec] = {}
    for marker in rules.markers.values():
        if buses and marker.bus is not None and marker.bus not in buses:
            hint = nearest(marker.bus, sorted(buses))
            yield Misfit("marker", marker.name, "bus", f"no [bus.{marker.bus}] is declared{hint}")
        if marker.role is not None:
            if len(rules.buses) > 1 and marker.bus is None:
                yield Misfit(
                    "marker",
                    marker.name,
                    "bus",
                    f"there are {len(rules.buses)} buses; say whose {marker.role} it is "
                    f"(declared: {', '.join(rules.buses)})",
                )
            other = roles.setdefault((marker.role, marker.bus), marker.name)
            if other != marker.name:
                whose = f' of bus "{marker.bus}"' if marker.bus else ""
                yield Misfit(
                    "marker",
                    marker.name,
                    "role",
                    f'marker "{other}" is the {marker.role}{whose} already; give each a bus',
                )
        first = pins.setdefault((marker.channel, None), marker)
        same = pins.setdefault((marker.channel, marker.pulses), marker)
        if first.coding != marker.coding:
            reason = f'channel "{marker.channel}" is {first.coding} for marker "{first.name}"; one pin has one coding'
            yield Misfit("marker", marker.name, "coding", reason)
        elif marker.coding == "pulse-count" and same is not marker:
            reason = f'{marker.pulses} on channel "{marker.channel}" means marker "{same.name}" already'
            yield Misfit("marker", marker.name, "pulses", reason)


def mentions(values: Mapping[str, Any]) -> list[Mention]:
    """The events that a rule's values name, as far as they are in order: a rule with other mistakes will do."""
    found = []
    for key in ("trigger", "response", "event", "cause"):
        event = values.get(key)
        if isinstance(event, str) and _is_event(event):
            found.append(Mention(key, canonical(event)))
    for key in ("marker", "of"):
        marker = values.get(key)
        if isinstance(marker, str) and NAME.fullmatch(marker) and marker not in INTERVALS:
            found.append(Mention("marker", f"{marker}.begin", interval=True))
    pattern = values.get("pattern")
    if isinstance(pattern, str):
        places: dict[str, int] = {}
        for word in EVENT.finditer(pattern):
            if _is_event(word[0]):
                places.setdefault(canonical(word[0]), word.start())
        found += [Mention("pattern", event, offset) for event, offset in places.items()]
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """What the events of a set can mean."""

    names: dict[str, None]
    counted: dict[str, str]
    """Names and roles of the pulse-count markers, each to the marker's name."""
    stacks: dict[str, str]
    """Names of the declared stacks, each to its text."""

    @staticmethod
    def of(rules: RuleSet, known_markers: Collection[str] = ()) -> Known:
        counted: dict[str, str] = {}
        for spec in rules.markers.values():
            if spec.coding == "pulse-count":
                counted |= {spec.role or spec.name: spec.name, spec.name: spec.name}
        names = dict.fromkeys((*ROLES, *rules.markers, *known_markers))
        return Known(names, counted, {name: spec.decoders for name, spec in rules.stacks.items()})

    def unfit(self, mention: Mention, *, shipped: bool = False) -> str | None:
        """Why a rule of this set cannot mean this event, or None."""
        if (said := annotation_of(mention.event)) is not None:
            stack, kind = said
            text = self.stacks.get(stack, stack)
            # A declared stack that is none has a line of its own.
            return None if stack in self.stacks and unfit_stack(text) else unfit_annotation(text, kind)
        marker = marker_of(mention.event)
        if marker is None:
            return None
        interval = mention.interval or mention.event.endswith(".end")
        if marker not in self.names:
            what = "marker" if interval else "event or marker"
            events = INTERVALS if mention.interval else (*BUS_EVENTS, *DERIVED_EVENTS)
            hint = nearest(marker, (*events, *self.names), near=() if mention.interval else ANOMALIES)
            return f'unknown {what} "{marker}"{hint}'
        if interval and marker in self.counted and not shipped:
            return f'marker "{self.counted[marker]}" is a pulse count: an instant, without a duration or an end'
        return None


def _is_event(text: str) -> bool:
    try:
        canonical(text)
    except ValueError:
        return False
    return True
