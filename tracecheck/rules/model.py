"""What a rule file means, typed: rules, buses, markers, and the set of them that one analysis judges.

Everything is frozen and checked when it is made. Event names are canonical (see vocabulary.py), so a checker never
meets the short form `irq` of `irq.begin`. The names `irq`, `pending` and `run` in an event mean the marker that has
this role on the bus under judgement; any other marker name means that very marker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, model_validator

from tracecheck.rules.drivers.library import MODELS
from tracecheck.rules.drivers.model import DriverModel
from tracecheck.rules.limit import LimitTable, Rise, RiseTimes
from tracecheck.rules.mistakes import ContradictionError, described, nearest
from tracecheck.rules.parameters import AUTO, LIMITS, SPEEDS
from tracecheck.rules.pattern import Dfa, compile_pattern
from tracecheck.rules.percentile import Percentile, check_against, parse_percentiles
from tracecheck.rules.quantity import Duration, Quantity, Seconds, exceeds, parse_quantity
from tracecheck.rules.selector import Selector
from tracecheck.rules.vocabulary import (
    ANOMALIES,
    BUS_EVENTS,
    INTERVALS,
    NAME,
    RESERVED,
    ROLES,
    WIRE,
    canonical,
    canonical_cause,
)
from tracecheck.words import PARAMETERS

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


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BusSpec(_Frozen):
    """`[bus.NAME]`: the channels, by name or bit, of one I2C bus; None: to be found by name or behaviour."""

    name: Name
    scl: Channel | None = None
    sda: Channel | None = None


class MarkerSpec(_Frozen):
    """`[marker.NAME]`: a pin the firmware drives, and how it is to be read.

    `coding` "level": an interval while the pin is at its `active` level. "pulse-count": each code is a burst of
    pulses to the active level, and this marker's is the burst of `pulses`; by default 1 for the role irq, 2 for run.
    `role`: what the built-in rules take it for; by default its name, where that is a role. `bus`: which bus it
    belongs to, None when there is only one. `where`: the transfers it accompanies; others are not judged against it.
    """

    name: Name
    channel: Channel
    coding: Literal["level", "pulse-count"] = "level"
    active: Literal["high", "low"] = "high"
    pulses: Annotated[StrictInt, Field(ge=1, le=16)] | None = None
    role: Literal["irq", "pending", "run"] | None = None
    bus: str | None = None
    where: Selector | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        role = raw.get("role") or (raw.get("name") if raw.get("name") in ROLES else None)
        filled = {**raw, "role": role} if role else dict(raw)
        if raw.get("coding") == "pulse-count" and raw.get("pulses") is None:
            filled["pulses"] = {"irq": 1, "run": 2}.get(role) if isinstance(role, str) else None
        return filled

    @model_validator(mode="after")
    def _coherent(self) -> MarkerSpec:
        if self.name in RESERVED:
            raise ValueError(f'"{self.name}" is a word of the rule language and cannot name a marker')
        if self.name in ROLES and self.role != self.name:
            raise ContradictionError(
                "role", f'a marker called "{self.name}" cannot be the {self.role}; give it another name'
            )
        if self.coding == "level" and self.pulses is not None:
            raise ContradictionError("pulses", 'a level marker has none; it belongs to coding = "pulse-count"')
        if self.coding == "pulse-count" and self.pulses is None:
            raise ValueError("how many pulses mean it? Add for example pulses = 3 (only irq and run have a default)")
        return self


class Rule(_Frozen):
    """What all rules have in common. `source` is the file or preset it stands in, `line` its line there.

    `why` says in one sentence what a failure means. `optional`: judging nothing is no reason for exit code 2.
    """

    id: Name
    kind: str
    severity: Severity = "error"
    optional: bool = False
    scope: Scope = "capture"
    where: Selector = Selector()
    why: str = ""
    source: str = ""
    line: int = 0

    @property
    def events(self) -> tuple[str, ...]:
        """The canonical names of the events it looks at, beside those that bound its scope."""
        return ()

    def _bounds_in_order(self, low: Quantity | None, high: Quantity | None, high_key: str) -> None:
        if exceeds(low, high):
            raise ContradictionError("min", f"{low} is longer than {high_key} = {high}; no duration satisfies both")


class ResponseRule(Rule):
    """After every `trigger`, a `response` not before `min` and not after `within`; one each unless `shared`.

    In a file `max` bounds the longest of all, as one more percentile.
    """

    kind: Literal["response"] = "response"
    trigger: Event
    response: Event
    min: Duration | None = None
    within: Duration | None = None
    shared: bool = False
    percentiles: Percentiles = ()

    @model_validator(mode="after")
    def _coherent(self) -> ResponseRule:
        self._bounds_in_order(self.min, self.within, "within")
        check_against(self.percentiles, self.min, self.within, "within")
        return self

    @property
    def events(self) -> tuple[str, ...]:
        return (self.trigger, self.response)


class PrecedenceRule(Rule):
    """Before every `event`, a `cause`, from `min` to `within` earlier; one cause serves many unless `exclusive`."""

    kind: Literal["precedence"] = "precedence"
    event: Event
    cause: Cause
    min: Duration | None = None
    within: Duration | None = None
    exclusive: bool = False

    @model_validator(mode="after")
    def _coherent(self) -> PrecedenceRule:
        if self.cause == WIRE and self.event in (*BUS_EVENTS, *ANOMALIES):
            raise ContradictionError("cause", f"{self.event} is itself on the wire; name the event it must follow")
        self._bounds_in_order(self.min, self.within, "within")
        return self

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event, self.cause)


class AbsenceRule(Rule):
    """No `event` in the scope."""

    kind: Literal["absence"] = "absence"
    scope: Scope = "exchange"
    event: Event

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,)


class OccurrenceRule(Rule):
    """From `min` to `max` times `event` in each scope; without `max`, at least `min`. A driver `model` can give both.

    Of a model, `only` one side may count; `spare` is how many more than its most are let pass.
    """

    kind: Literal["occurrence"] = "occurrence"
    scope: Scope = "exchange"
    event: Event
    min: Annotated[StrictInt, Field(ge=0)] = 0
    max: Annotated[StrictInt, Field(ge=0)] | None = None
    model: Model | None = None
    only: Literal["min", "max"] | None = None
    spare: Annotated[StrictInt, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _coherent(self) -> OccurrenceRule:
        if self.model is not None:
            return self._of_model(self.model)
        for key in ("only", "spare"):
            if getattr(self, key):
                raise ContradictionError(key, "it is about the counts of a driver model; add model, or leave it out")
        if self.max is None and self.min == 0:
            raise ValueError("any count would do; give a min of 1 or more, or a max")
        if self.max is not None and self.min > self.max:
            raise ContradictionError("min", f"{self.min} is more than max = {self.max}; no count satisfies both")
        return self

    def _of_model(self, model: str) -> OccurrenceRule:
        for key in ("min", "max"):
            if key in self.model_fields_set:
                raise ContradictionError(key, f'model = "{model}" gives it; for one side only write only = "{key}"')
        if self.event != "irq.begin":
            raise ContradictionError("event", f"model {model} counts interrupts; write irq.begin, not {self.event}")
        if self.scope != "exchange":
            raise ContradictionError("scope", f"model {model} counts those of a whole exchange, not of {self.scope}")
        if self.spare and self.only == "min":
            raise ContradictionError("spare", 'it adds to the model\'s most, which only = "min" leaves out')
        return self

    @property
    def driver(self) -> DriverModel | None:
        """The model that `min` and `max` come from."""
        return MODELS.get(self.model or "")

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,)


class DurationRule(Rule):
    """Every interval of `marker` (a level marker, or "stretch", "transfer", "idle") lasts from `min` to `max`.

    In a file the key is `marker`; here the field is `of`.
    """

    kind: Literal["duration"] = "duration"
    scope: Literal["capture"] = "capture"
    of: Annotated[str, AfterValidator(_interval)]
    min: Duration | None = None
    max: Duration | None = None
    percentiles: Percentiles = ()

    @model_validator(mode="after")
    def _coherent(self) -> DurationRule:
        if self.min is None and self.max is None and not self.percentiles:
            raise ValueError("any duration would do; give a min, a max or a percentile such as p99")
        self._bounds_in_order(self.min, self.max, "max")
        check_against(self.percentiles, self.min, self.max, "max")
        return self

    @property
    def marker(self) -> str | None:
        """The marker whose intervals are measured, or None where they are the bus's own."""
        return None if self.of in INTERVALS else self.of

    @property
    def events(self) -> tuple[str, ...]:
        return () if self.marker is None else (f"{self.of}.begin", f"{self.of}.end")


class RecurrenceRule(Rule):
    """From each `event` to the next in the scope it takes from `min` to `max`; the periods differ by `jitter`."""

    kind: Literal["recurrence"] = "recurrence"
    event: Event
    min: Duration | None = None
    max: Duration | None = None
    jitter: Seconds | None = None
    percentiles: Percentiles = ()

    @model_validator(mode="after")
    def _coherent(self) -> RecurrenceRule:
        if self.min is None and self.max is None and self.jitter is None and not self.percentiles:
            raise ValueError("any period would do; give a min, a max, a jitter or a percentile such as p99")
        if self.scope != "capture" and self.event in ("start", "stop"):
            raise ContradictionError(
                "scope", f'{self.event} comes once in each {self.scope}; from one to the next it is scope = "capture"'
            )
        self._bounds_in_order(self.min, self.max, "max")
        check_against(self.percentiles, self.min, self.max, "max")
        self._jitter_says_something()
        return self

    def _jitter_says_something(self) -> None:
        low, high, jitter = self.min, self.max, self.jitter
        if low is None or high is None or jitter is None or "scl" in (low.unit, high.unit):
            return
        if jitter.amount >= high.amount - low.amount:
            raise ContradictionError(
                "jitter",
                f"{jitter} is no less than what min = {low} and max = {high} leave, so it says nothing; "
                "give jitter the shorter bound, or leave it out",
            )

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,)


class OrderRule(Rule):
    """The events of each scope, in order, match `pattern`, or what a driver `model` says of its shape, to the last."""

    kind: Literal["order"] = "order"
    scope: Scope = "exchange"
    pattern: Annotated[str, AfterValidator(_pattern)] = ""
    model: Model | None = None

    @model_validator(mode="after")
    def _can_begin(self) -> OrderRule:
        if self.model is not None:
            if "pattern" in self.model_fields_set:
                raise ContradictionError("model", "it gives the patterns; leave out pattern, or the model")
            if self.scope != "exchange":
                raise ContradictionError("scope", f"model {self.model} is about whole exchanges, not {self.scope}")
            return self
        if "pattern" not in self.model_fields_set:
            example = 'pattern = "start address data* stop irq wake"'
            raise ValueError(f'the key "pattern" is missing; add for example {example}, or a driver model')
        if self.scope != "capture" and "start" not in self.dfa.expected(self.dfa.start):
            raise ContradictionError(
                "pattern", f"it can never match: every {self.scope} begins with start, the pattern does not"
            )
        if self.scope != "capture" and not self.dfa.fits(self.scope):
            rest, hint = {
                "transfer": ("nothing after it", 'what comes later lies in scope = "exchange"'),
                "exchange": ("nothing of the bus after it", 'for a sequence of several write scope = "capture"'),
            }[self.scope]
            raise ContradictionError(
                "pattern",
                f"it can never match: in each {self.scope} start comes once, stop at most once, and {rest}; {hint}",
            )
        return self

    @property
    def dfa(self) -> Dfa:
        """The pattern's automaton, compiled once in the process."""
        return compile_pattern(self.pattern)

    @property
    def driver(self) -> DriverModel | None:
        """The model that gives the patterns."""
        return MODELS.get(self.model or "")

    @property
    def events(self) -> tuple[str, ...]:
        if self.driver is None:
            return self.dfa.symbols
        return tuple(dict.fromkeys(s for order in self.driver.orders for s in compile_pattern(order.pattern).symbols))


class IntegrityRule(Rule):
    """None of these `kinds` of anomaly on the bus."""

    kind: Literal["integrity"] = "integrity"
    scope: Literal["capture"] = "capture"
    kinds: Annotated[frozenset[str], BeforeValidator(_kinds)]


def _parameters(value: object) -> tuple[str, ...]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise ValueError(f"an empty list chooses nothing (parameters: {', '.join(PARAMETERS)})")
    for item in items:
        if item not in PARAMETERS:
            raise ValueError(f'there is no parameter "{item}"{nearest(str(item), PARAMETERS, "parameters")}')
    return tuple(str(item) for item in items)


class TimingRule(Rule):
    """The bus keeps to the timing of its `mode`, or to the `limits` given: each parameter between its edges."""

    kind: Literal["timing"] = "timing"
    scope: Literal["transfer"] = "transfer"
    mode: Literal["auto", "standard", "fast", "fast-plus", "smbus"] | None = None
    parameters: Annotated[tuple[str, ...], BeforeValidator(_parameters)] = ()
    without: Annotated[tuple[str, ...], BeforeValidator(_parameters)] = ()
    limits: LimitTable = {}

    @model_validator(mode="before")
    @classmethod
    def _mode_by_the_clock(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("mode") is None and "limits" not in raw:
            return {**raw, "mode": AUTO}
        return raw

    @model_validator(mode="after")
    def _coherent(self) -> TimingRule:
        for key, names in (("parameters", self.parameters), ("without", self.without)):
            if names and self.mode is None:
                raise ContradictionError(key, "it chooses among a mode's parameters; give a mode")
            known = self._of_mode()
            for name in names:
                if name not in known:
                    raise ContradictionError(key, f"mode {self.mode} has no {name} (it has {', '.join(known)})")
        if (
            self.mode is not None
            and not self.limits
            and not set(self.parameters or self._of_mode()) - set(self.without)
        ):
            raise ContradictionError("without", "no parameter is left to judge")
        return self

    def _of_mode(self) -> tuple[str, ...]:
        modes = SPEEDS if self.mode == AUTO else (self.mode,) if self.mode else ()
        return tuple(name for name in PARAMETERS if any(name in LIMITS[mode] for mode in modes))


AnyRule = (
    ResponseRule
    | PrecedenceRule
    | AbsenceRule
    | OccurrenceRule
    | DurationRule
    | RecurrenceRule
    | OrderRule
    | IntegrityRule
    | TimingRule
)
RULE_CLASSES: dict[str, type[AnyRule]] = {
    "response": ResponseRule,
    "precedence": PrecedenceRule,
    "absence": AbsenceRule,
    "occurrence": OccurrenceRule,
    "duration": DurationRule,
    "recurrence": RecurrenceRule,
    "order": OrderRule,
    "integrity": IntegrityRule,
    "timing": TimingRule,
}


class RuleSet(_Frozen):
    """All that one analysis judges by: the rules, and how the capture's pins are to be read.

    `settle`: how long after STOP an exchange stays open for late interrupts and wakes. `timebase_ppm`: how far the
    analyzer's clock may be off. `glitch`: pulses up to this width are ignored on the bus, and recorded; 0 s: none are.
    `rise`: how long SCL and SDA take to rise, which timing rules count as doubt.
    """

    version: Literal[1] = 1
    sources: tuple[str, ...] = ()
    buses: dict[str, BusSpec] = {}
    markers: dict[str, MarkerSpec] = {}
    rules: tuple[AnyRule, ...] = ()
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

    def merged(self, other: RuleSet) -> RuleSet:
        """Both sets in one; where they disagree, `other` has its way, rule by rule and marker by marker."""
        settings = {key: getattr(other, key) for key in _SETTINGS if key in other.model_fields_set}
        update = {
            **settings,
            "sources": tuple(dict.fromkeys((*self.sources, *other.sources))),
            "buses": {**self.buses, **other.buses},
            "markers": {**self.markers, **other.markers},
        }
        return self.with_rules(other.rules).model_copy(update=update)


_SETTINGS = ("settle", "timebase_ppm", "glitch", "rise")


def _given(spec: BaseModel | None) -> dict[str, Any]:
    return {} if spec is None else {key: getattr(spec, key) for key in spec.model_fields_set}
