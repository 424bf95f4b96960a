"""What a rule file means, typed: rules, buses, markers, and the set of them that one analysis judges.

Everything is frozen and checked when it is made. Event names are canonical (see vocabulary.py), so a checker never
meets the short form `irq` of `irq.begin`. The names `irq`, `pending` and `run` in an event mean the marker that has
this role on the bus under judgement; any other marker name means that very marker.
"""

from __future__ import annotations

from tracecheck.rules.model.bus_timing import TimingRule
from tracecheck.rules.model.counts import AbsenceRule, IntegrityRule, OccurrenceRule
from tracecheck.rules.model.fields import Channel, Scope, Severity
from tracecheck.rules.model.kinds import RULE_CLASSES, AnyRule
from tracecheck.rules.model.order import OrderRule
from tracecheck.rules.model.pins import BusSpec, MarkerSpec
from tracecheck.rules.model.rule import Rule
from tracecheck.rules.model.ruleset import RuleSet
from tracecheck.rules.model.stack import StackSpec
from tracecheck.rules.model.times import DurationRule, PrecedenceRule, RecurrenceRule, ResponseRule

__all__ = [
    "RULE_CLASSES",
    "AbsenceRule",
    "AnyRule",
    "BusSpec",
    "Channel",
    "DurationRule",
    "IntegrityRule",
    "MarkerSpec",
    "OccurrenceRule",
    "OrderRule",
    "PrecedenceRule",
    "RecurrenceRule",
    "ResponseRule",
    "Rule",
    "RuleSet",
    "Scope",
    "Severity",
    "StackSpec",
    "TimingRule",
]
