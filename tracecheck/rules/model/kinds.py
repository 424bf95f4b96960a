"""All kinds of rule, by name."""

from __future__ import annotations

from tracecheck.rules.model.bus_timing import TimingRule
from tracecheck.rules.model.counts import AbsenceRule, IntegrityRule, OccurrenceRule
from tracecheck.rules.model.order import OrderRule
from tracecheck.rules.model.times import DurationRule, PrecedenceRule, RecurrenceRule, ResponseRule

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
