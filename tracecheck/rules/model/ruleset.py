"""The set of rules that one analysis judges, with how the capture's pins are to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, GetCoreSchemaHandler, StrictInt
from pydantic_core import CoreSchema, core_schema

from tracecheck.rules.limit import Rise, RiseTimes
from tracecheck.rules.model.frozen import Frozen
from tracecheck.rules.model.kinds import AnyRule
from tracecheck.rules.model.pins import BusSpec, MarkerSpec
from tracecheck.rules.model.rule import Rule
from tracecheck.rules.model.stack import StackSpec
from tracecheck.rules.quantity import Seconds, parse_quantity


class _Made:
    """Rules were checked when each was made: what checks all other kinds need not be built for a set of them."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.tuple_variable_schema(core_schema.is_instance_schema(Rule))


class RuleSet(Frozen):
    """All that one analysis judges by: the rules, and how the capture's pins are to be read.

    `settle`: how long after STOP an exchange stays open for late interrupts and wakes. `timebase_ppm`: how far the
    analyzer's clock may be off. `glitch`: pulses up to this width are ignored on the bus, and recorded; 0 s: none are.
    `rise`: how long SCL and SDA take to rise, which timing rules count as doubt.
    """

    version: Literal[1] = 1
    sources: tuple[str, ...] = ()
    buses: dict[str, BusSpec] = Field(default_factory=dict)
    markers: dict[str, MarkerSpec] = Field(default_factory=dict)
    stacks: dict[str, StackSpec] = Field(default_factory=dict)
    rules: Annotated[tuple[AnyRule, ...], _Made()] = ()
    settle: Seconds = parse_quantity("5ms")
    timebase_ppm: Annotated[StrictInt, Field(ge=0, le=100_000)] = 100
    glitch: Seconds = parse_quantity("50ns")
    rise: RiseTimes = Rise()

    def with_rules(self, rules: Iterable[AnyRule]) -> RuleSet:
        """The same set with these rules beside its own; one with an id it already has replaces that, in place."""
        merged = {rule.id: rule for rule in self.rules} | {rule.id: rule for rule in rules}
        return self.model_copy(update={"rules": tuple(merged.values())})

    def with_buses(self, buses: Sequence[BusSpec]) -> RuleSet:
        """The same set with these buses beside its own; what is given of one it already has replaces that."""
        merged = dict(self.buses)
        for bus in buses:
            merged[bus.name] = BusSpec(**{**_given(self.buses.get(bus.name)), **_given(bus)})
        return self.model_copy(update={"buses": merged})

    def with_markers(self, markers: Sequence[MarkerSpec]) -> RuleSet:
        """The same set with these markers beside its own; what is given of one it already has replaces that.

        So a marker of the command line that only says its channel keeps the role, bus and `where` of the file's.
        """
        merged = dict(self.markers)
        for marker in markers:
            old, new = _given(self.markers.get(marker.name)), _given(marker)
            if new.get("coding", old.get("coding")) != old.get("coding"):
                old.pop("pulses", None)
            merged[marker.name] = MarkerSpec(**{**old, **new})
        return self.model_copy(update={"markers": merged})

    def with_stacks(self, texts: Mapping[str, str]) -> RuleSet:
        """The same set with stacks of these names and texts beside its own; one of a name it has replaces that."""
        specs = {name: StackSpec(name=name, decoders=text) for name, text in texts.items()}
        return self.model_copy(update={"stacks": {**self.stacks, **specs}})

    def merged(self, other: RuleSet) -> RuleSet:
        """Both sets in one; where they disagree, `other` has its way, rule by rule and marker by marker."""
        settings = {key: getattr(other, key) for key in _SETTINGS if key in other.model_fields_set}
        update = {
            **settings,
            "sources": tuple(dict.fromkeys((*self.sources, *other.sources))),
            "buses": {**self.buses, **other.buses},
            "markers": {**self.markers, **other.markers},
            "stacks": {**self.stacks, **other.stacks},
        }
        return self.with_rules(other.rules).model_copy(update=update)


_SETTINGS = ("settle", "timebase_ppm", "glitch", "rise")


def _given(spec: BaseModel | None) -> dict[str, Any]:
    return {} if spec is None else {key: getattr(spec, key) for key in spec.model_fields_set}
