"""Kinds of rule about whether, and how often: absence, occurrence, integrity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from tracecheck.rules.drivers.library import MODELS
from tracecheck.rules.drivers.model import DriverModel
from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model.fields import Event, Kinds, Model, Scope
from tracecheck.rules.model.rule import Rule


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


class IntegrityRule(Rule):
    """None of these `kinds` of anomaly on the bus."""

    kind: Literal["integrity"] = "integrity"
    scope: Literal["capture"] = "capture"
    kinds: Kinds
