"""Kinds of rule about how long it takes: response, precedence, duration, recurrence."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from tracecheck.rules.mistakes import ContradictionError
from tracecheck.rules.model.fields import Cause, Event, Interval, Percentiles
from tracecheck.rules.model.rule import Rule
from tracecheck.rules.percentile import check_against
from tracecheck.rules.quantity import Duration, Seconds
from tracecheck.rules.vocabulary import ANOMALIES, BUS_EVENTS, INTERVALS, WIRE


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


class DurationRule(Rule):
    """Every interval of `marker` (a level marker, or "stretch", "transfer", "idle") lasts from `min` to `max`.

    In a file the key is `marker`; here the field is `of`.
    """

    kind: Literal["duration"] = "duration"
    scope: Literal["capture"] = "capture"
    of: Interval
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
