"""The kind of rule about the order of events."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import model_validator

from tracecheck.rules.drivers.library import MODELS
from tracecheck.rules.drivers.model import DriverModel
from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model.fields import Model, Pattern, Scope
from tracecheck.rules.model.rule import Rule
from tracecheck.rules.pattern import Dfa, compile_pattern


class OrderRule(Rule):
    """The events of each scope, in order, match `pattern`, or what a driver `model` says of its shape, to the last."""

    kind: Literal["order"] = "order"
    scope: Scope = "exchange"
    pattern: Pattern = ""
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
        return self.dfa.symbols if self.model is None else _symbols(self.model)


@cache
def _symbols(model: str) -> tuple[str, ...]:
    """The events of all patterns of a driver model."""
    return tuple(dict.fromkeys(s for order in MODELS[model].orders for s in compile_pattern(order.pattern).symbols))
